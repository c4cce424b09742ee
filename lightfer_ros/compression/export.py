"""One trained network out to model files: written, compared with their source, described, or not there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightfer_ros.compression.calibrate import METHODS, Range, calibrate, channel_extremes
from lightfer_ros.compression.check import Agreement, compare_answers, require
from lightfer_ros.compression.equalize import equalize
from lightfer_ros.compression.graph import Network
from lightfer_ros.compression.kinds import KINDS, Kind, Material
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.onnx_int8 import CPU, to_onnx_int8
from lightfer_ros.compression.running import in_a_mirror, probabilities, to_input
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.evaluation.faces import FaceSet, copies_among
from lightfer_ros.evaluation.metrics import score
from lightfer_ros.evaluation.readers import without_copies
from lightfer_ros.files import write_whole
from lightfer_ros.model import ModelMetadata
from lightfer_ros.model.metadata import metadata_path, sha256_of, write_metadata


@dataclass(frozen=True)
class QuantizeOptions:
    """How activations get their ranges.

    method: one of `calibrate.METHODS`, or "auto" for the one whose INT8 answers on other training faces
    come nearest to FP32's. balance: see `equalize`. percentile: only for that method. faces: how many
    calibrate, and as many others decide. per_channel: weights have a scale for each output
    channel, else one for each kernel; LiteRT files always have the former.
    """

    method: str = "auto"
    percentile: float = 99.99
    equalise: bool = True
    balance: float = 0.5
    faces: int = 512
    per_channel: bool = True


@dataclass(frozen=True)
class Exported:
    """One file: where it lies, what it is, how it answered beside its source."""

    path: Path
    metadata: ModelMetadata
    agreement: Agreement

    def summary(self) -> str:
        """One line: accuracy as in the metadata, and the comparison with the source."""
        accuracy = ", ".join(f"{value:.4f} on {name}" for name, value in self.metadata.accuracy.items())
        return (
            f"accuracy {accuracy}, {self.agreement.agreement:.2%} of labels as FP32, "
            f"largest difference {self.agreement.largest:.2g}"
        )


class Exporter:
    """Writes the kinds of file that are asked for, from one network.

    about: the metadata that all files share; name is the stem of their names. calibration: uint8 training
    faces [n, s, s]. check: labelled faces that every file is compared and scored on, under `check_name`.
    """

    def __init__(
        self,
        network: Network,
        about: ModelMetadata,
        calibration: np.ndarray,
        check: FaceSet,
        check_name: str,
        options: QuantizeOptions = QuantizeOptions(),
    ) -> None:
        self.network, self.about, self.options = network, about, options
        self.calibration = to_input(calibration[: options.faces], about.normalization)
        self.deciding = to_input(calibration[options.faces : 2 * options.faces], about.normalization)
        self.method = options.method
        self.check, self.check_name = check, check_name
        self.unseen = ~copies_among(check.images, calibration)
        self.faces = to_input(check.images, about.normalization)
        self.source = probabilities(to_onnx(network, about.name), self.faces)
        self._quantizable: tuple[Network, dict[str, Range]] | None = None

    def write(self, folder: Path, kinds: Iterable[str], opset: int | None = None) -> list[Exported]:
        """Write `<name>-<kind>` with metadata beside and inside for each kind; see `kinds.KINDS`.

        opset: 13 or 18, for the float ONNX files. Raises ModelError when a file strays from its source
        outside the bound of its precision, ConfigurationError for an unknown kind, LightferError when it
        cannot be written; what was written before stays.
        """
        kinds = list(kinds)
        for kind in kinds:
            if kind not in KINDS:
                raise ConfigurationError(f"export: kind is {kind!r}, expected one of {', '.join(KINDS)}")
        per_channel = self.options.per_channel
        material = Material(self.about.name, self.network, self.quantizable, opset or 18, per_channel)
        return [self._write(folder, kind, KINDS[kind], material) for kind in kinds]

    def quantizable(self) -> tuple[Network, dict[str, Range]]:
        """The network, equalised if asked, and the ranges of its maps."""
        if self._quantizable is None:
            network, o = self.network, self.options
            if o.equalise:
                network = equalize(network, channel_extremes(network, self.calibration), o.balance)
            if o.method != "auto":
                methods: tuple[str, ...] = (o.method,)
            else:
                methods = METHODS if len(self.deciding) else METHODS[:1]
            choices = {m: calibrate(network, self.calibration, m, o.percentile) for m in methods}
            self.method = self._nearest(network, choices)
            self._quantizable = network, choices[self.method]
        return self._quantizable

    def _nearest(self, network: Network, choices: Mapping[str, dict[str, Range]]) -> str:
        """The calibration method that moves probabilities least, on faces that did not calibrate."""
        if len(choices) == 1:
            return next(iter(choices))
        truth = probabilities(to_onnx(network, "float"), self.deciding)

        def error(method: str) -> float:
            model = to_onnx_int8(network, choices[method], method, CPU, self.options.per_channel)
            return compare_answers(truth, probabilities(model, self.deciding)).mean

        return min(choices, key=error)

    def _write(self, folder: Path, name: str, kind: Kind, material: Material) -> Exported:
        path = folder / f"{self.about.name}-{name}{kind.ending}"
        draft = kind.make(material)
        answers = draft.answers(self.faces)
        agreement = compare_answers(self.source, answers)
        require(path.name, kind.precision, agreement)
        if self.about.mirrored:
            answers = (answers + draft.answers(in_a_mirror(self.faces))) / 2
        scored = {self.check_name: score(answers, self.check.labels).accuracy}
        if self.unseen.any() and not self.unseen.all():
            apart = score(answers[self.unseen], self.check.labels[self.unseen])
            scored[without_copies(self.check_name)] = apart.accuracy
        about = dataclasses.replace(
            self.about,
            name=path.stem,
            format=kind.format,
            precision=kind.precision,
            layout=kind.layout,
            opset=draft.opset,
            accuracy={name: round(accuracy, 4) for name, accuracy in scored.items()},
        )
        content = draft.content(about)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        # If the next line fails, metadata of an earlier file of this name must not be taken for this one's
        metadata_path(path).unlink(missing_ok=True)
        write_metadata(path, about)
        return Exported(path, dataclasses.replace(about, sha256=sha256_of(path)), agreement)
