"""The files of one network: the one that is named, and its siblings of other precisions and formats."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import FORMATS, PRECISIONS, ModelMetadata, metadata_path, read_metadata

SUFFIXES = (".onnx", ".tflite", ".keras")


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--model`, as `find_model_files` takes it."""
    parser.add_argument(
        "--model",
        nargs="+",
        default=["default"],
        metavar="NAME_OR_FILE",
        help="one brings its siblings of other precisions and formats; several are taken as they are",
    )


@dataclass(frozen=True)
class ModelFile:
    """A model file whose metadata was read and whose hash agrees with it."""

    path: Path
    metadata: ModelMetadata

    @property
    def network(self) -> str:
        """The name without the kind that the exporter ends it with: `net` of `net-litert_fp16`."""
        return network_name(self.metadata)

    @property
    def megabytes(self) -> float:
        """Its size, MB (10^6 bytes)."""
        return self.path.stat().st_size / 1e6


def network_name(metadata: ModelMetadata) -> str:
    """The name that all files of one network share."""
    kinds = [*PRECISIONS, *FORMATS, *(f"{kind}_{precision}" for kind in FORMATS for precision in PRECISIONS)]
    for kind in sorted(kinds, key=len, reverse=True):
        if metadata.name.endswith(f"-{kind}"):
            return metadata.name[: -len(kind) - 1]
    return metadata.name


def find_model_files(names: Sequence[str]) -> list[ModelFile]:
    """The model files that these names or paths mean, floats before integers.

    One name brings its siblings: files beside it, or in the folders of the models, with the same network name
    and input. Several are taken as they are. Raises ModelError for a file that is missing or not itself.
    """
    given = [_read(_path(name)) for name in names]
    found = {file.path.resolve(): file for file in given}
    if len(given) == 1:
        for file in _siblings(given[0]):
            found.setdefault(file.path.resolve(), file)
    return sorted(found.values(), key=lambda file: (_order(file.metadata), file.path.name))


def reference_of(files: Sequence[ModelFile]) -> ModelFile:
    """The file whose answers the others should give: the first in FP32, else the most precise there is."""
    return min(files, key=lambda file: (_order(file.metadata), file.path.name))


def _order(metadata: ModelMetadata) -> tuple[int, int]:
    return PRECISIONS.index(metadata.precision), FORMATS.index(metadata.format)


def _path(name: str) -> Path:
    looks_like_a_path = "/" in name or name.endswith(SUFFIXES)
    return Path(name).expanduser() if looks_like_a_path else manifest.find(name)


def _read(path: Path) -> ModelFile:
    return ModelFile(path, read_metadata(path))


def _siblings(given: ModelFile) -> Iterator[ModelFile]:
    for folder in dict.fromkeys([given.path.resolve().parent, *manifest.search_path()]):
        for path in sorted(folder.glob("*")):
            if path.suffix not in SUFFIXES or not metadata_path(path).is_file():
                continue
            try:
                file = _read(path)
            except ModelError:
                continue  # a broken file beside the one that was asked for is not asked for
            if file.network == given.network and _input(file.metadata) == _input(given.metadata):
                yield file


def _input(metadata: ModelMetadata) -> tuple[object, ...]:
    return metadata.input_size, metadata.channels, metadata.normalization, metadata.crop_geometry
