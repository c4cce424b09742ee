"""What one model file is and how to feed it: a typed record, kept as JSON beside the weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional, Tuple

from lightfer_ros.errors import ModelError
from lightfer_ros.files import write_whole
from lightfer_ros.model.geometry import CropGeometry
from lightfer_ros.model.labels import EMOTIONS
from lightfer_ros.model.record import record_from

FORMATS = ("onnx", "litert", "keras")
PRECISIONS = ("fp32", "fp16", "int8", "int8_trt", "int4")
LAYOUTS = ("nhwc", "nchw")


@dataclass(frozen=True)
class Normalization:
    """Network input = `scale` · pixel + `offset`, pixel 0 to 255."""

    scale: float = 1.0 / 255.0
    offset: float = 0.0

    @property
    def low(self) -> float:
        """The smallest value that a pixel can become."""
        return min(self.offset, 255.0 * self.scale + self.offset)

    @property
    def high(self) -> float:
        """The largest value that a pixel can become."""
        return max(self.offset, 255.0 * self.scale + self.offset)


@dataclass(frozen=True)
class ModelMetadata:
    """All that must be known of a model file to use it, and all that is owed to its user.

    `accuracy` maps a data set ("fer2013/PublicTest") to a fraction, as measured on this very file.
    `compression_ratio` is R of the Light-FER paper's Eq. 1, None where it has no meaning. `layout` is the
    order of the file's own input; callers always give nhwc. The output is float32 [n, 7] probabilities.
    `mirrored`: `Session.run` looks at each face and at its mirror image, and gives the mean.
    """

    name: str
    sha256: str
    format: str
    precision: str
    input_size: int
    channels: int
    licence: str
    training_data: str
    classes: Tuple[str, ...] = EMOTIONS
    layout: str = "nhwc"
    normalization: Normalization = Normalization()
    crop_geometry: CropGeometry = CropGeometry()
    parameters: Optional[int] = None
    compression_ratio: Optional[float] = None
    opset: Optional[int] = None
    mirrored: bool = False
    accuracy: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        _one_of("format", self.format, FORMATS)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("layout", self.layout, LAYOUTS)
        if tuple(self.classes) != EMOTIONS:
            raise ModelError(f"model metadata: classes are {self.classes}, expected {EMOTIONS} in this order")
        if self.channels not in (1, 3):
            raise ModelError(f"model metadata: channels is {self.channels}, expected 1 or 3")
        if not 16 <= self.input_size <= 1024:
            raise ModelError(f"model metadata: input_size is {self.input_size}, expected 16 to 1024 pixels")

    @property
    def network(self) -> str:
        """The name without the kind that the exporter ends it with: `net` of `net-litert_fp16`."""
        kinds = [
            *PRECISIONS,
            *FORMATS,
            *(f"{form}_{precision}" for form in FORMATS for precision in PRECISIONS),
        ]
        for kind in sorted(kinds, key=len, reverse=True):
            if self.name.endswith(f"-{kind}"):
                return self.name[: -len(kind) - 1]
        return self.name

    def takes_crops_of(self, other: ModelMetadata) -> bool:
        """Whether crops made for the other network are right for this one."""
        return (self.input_size, self.channels, self.normalization, self.crop_geometry) == (
            (other.input_size, other.channels, other.normalization, other.crop_geometry)
        )

    def to_json(self) -> str:
        """The record as indented JSON text that `from_json` reads back to an equal record."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "model metadata") -> ModelMetadata:
        """Read a record; `origin` names the text in errors. Raises ModelError naming the wrong field."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{origin}: not valid JSON ({error})") from None
        return record_from(cls, values, origin)


def _one_of(name: str, value: str, choices: Tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(f"model metadata: {name} is {value!r}, expected one of {', '.join(choices)}")


def metadata_path(model: Path) -> Path:
    """Where the metadata of a model file lies: `net.onnx` has `net.onnx.json` beside it."""
    return model.with_name(model.name + ".json")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def read_metadata(model: Path) -> ModelMetadata:
    """The metadata of a model file, after checking that the file is the one it describes.

    Raises ModelError naming the path and what is missing: the file, its metadata, a field, or the hash.
    """
    if not model.is_file():
        raise ModelError(f"model file {model} does not exist; `lightfer models` lists what there is")
    beside = metadata_path(model)
    if not beside.is_file():
        raise ModelError(f"model file {model} has no metadata: {beside} is missing")
    try:
        text = beside.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{beside}: cannot be read ({error})") from None
    metadata = ModelMetadata.from_json(text, str(beside))
    actual = sha256_of(model)
    if actual != metadata.sha256:
        raise ModelError(
            f"model file {model} is not the one its metadata describes: "
            f"sha256 expected {metadata.sha256}, found {actual}"
        )
    return metadata


def write_metadata(model: Path, metadata: ModelMetadata) -> Path:
    """Write the record, with its file's own hash, beside the model file; return the record's path.

    Raises LightferError when it cannot be written.
    """
    metadata = dataclasses.replace(metadata, sha256=sha256_of(model))
    beside = metadata_path(model)
    write_whole(beside, metadata.to_json().encode("utf-8"))
    return beside
