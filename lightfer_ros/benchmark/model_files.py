"""The files of one network: the one that is named, and its siblings of other precisions and formats."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.errors import ConfigurationError, ModelError
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
        """The name that all files of one network share."""
        return self.metadata.network

    @property
    def megabytes(self) -> float:
        """Its size, MB (10^6 bytes)."""
        return self.path.stat().st_size / 1e6


def find_model_files(names: Sequence[str]) -> list[ModelFile]:
    """The model files that these names or paths mean, the most precise first.

    One name brings its siblings: files beside it, or in the folders of the models, with the same network name
    and input. Several are taken as they are. Copies count once. Raises ModelError for a file that is missing
    or not itself, and ConfigurationError for files of several networks: their figures do not compare.
    """
    given = [_read(_path(name)) for name in names]
    for file in given[1:]:
        if file.network != given[0].network or not file.metadata.takes_crops_of(given[0].metadata):
            raise ConfigurationError(
                f"--model names {given[0].path.name} and {file.path.name}, of networks {given[0].network} "
                f"and {file.network}, expected files of one network with one input"
            )
    found: dict[str, ModelFile] = {}
    for file in (*given, *(_siblings(given[0]) if len(given) == 1 else ())):
        found.setdefault(file.metadata.sha256, file)
    return sorted(found.values(), key=lambda file: (_order(file.metadata), file.path.name))


def how_to_export(files: Sequence[ModelFile], kind: str) -> str:
    """The command that makes a missing kind of file of this network, or what that takes.

    files: as `find_model_files` gives them.
    """
    sources = [
        file
        for file in files
        if file.metadata.format in ("keras", "onnx") and file.metadata.precision in ("fp32", "fp16")
    ]
    if not sources:
        return f"{files[0].network} has no .keras or float .onnx file to make it of"
    source = sources[0].path
    return (
        f"`lightfer export --model {source} --kinds {kind} --data FER2013.csv --out {source.parent}` makes it"
    )


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
            if file.network == given.network and file.metadata.takes_crops_of(given.metadata):
                yield file
