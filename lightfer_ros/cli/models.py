"""`lightfer models`: what there is to run and to try with, where it comes from, and whether it is whole."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence, Tuple

from lightfer_ros.errors import ModelError
from lightfer_ros.evaluation.card import card_path
from lightfer_ros.model.manifest import (
    Asset,
    Manifest,
    find,
    how_to_get,
    locate,
    read_manifest,
    search_path,
    verify,
)
from lightfer_ros.model.metadata import metadata_path, read_metadata

MODEL_SUFFIXES = (".onnx", ".tflite")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer models`."""
    parser.add_argument("name", nargs="?", help="show the card of this model, its metadata if it has none")
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of the table")


def run(args: argparse.Namespace) -> int:
    """Print every asset of the manifest and every other model file with metadata; or all about one."""
    manifest = read_manifest()
    if args.name is not None:
        print(_card(manifest, args.name))
        return 0
    rows = [_asset_row(manifest, asset) for asset in manifest.assets.values()]
    rows += [_file_row(path) for path in _other_models(manifest)]
    if args.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_table(rows)
    return 0


@dataclass(frozen=True)
class Row:
    """One file as it is told: `state` is verified, missing or wrong; `cure` says what to do about it."""

    name: str
    kind: str
    state: str
    path: Optional[str]
    description: str = ""
    licence: str = ""
    origin: str = ""
    accuracy: Mapping[str, float] = field(default_factory=dict)
    aliases: Tuple[str, ...] = ()
    cure: Optional[str] = None


def _card(manifest: Manifest, name: str) -> str:
    """All that is known of one model or asset, as text."""
    path = _other_path(manifest, name) or find(name)
    if card_path(path).is_file():
        return card_path(path).read_text(encoding="utf-8").rstrip()
    if path.suffix in MODEL_SUFFIXES and metadata_path(path).is_file():
        return read_metadata(path).to_json().rstrip()
    row = _asset_row(manifest, manifest[name])
    return "\n".join(f"{field}: {value}" for field, value in asdict(row).items() if value)


def _other_path(manifest: Manifest, name: str) -> Optional[Path]:
    """A model file that stands in no manifest, by the name in its metadata, or any by its path."""
    if Path(name).suffix in MODEL_SUFFIXES:
        return Path(name)
    return next((path for path in _other_models(manifest) if _file_row(path).name == name), None)


def _asset_row(manifest: Manifest, asset: Asset) -> Row:
    path = locate(asset.name)
    row = Row(
        name=asset.name,
        kind=asset.kind,
        state="verified",
        path=str(path) if path else None,
        description=asset.description,
        licence=asset.licence,
        origin=_origin(asset),
        aliases=tuple(alias for alias, name in manifest.aliases.items() if name == asset.name),
    )
    if path is None:
        return replace(row, state="missing", cure=how_to_get(asset))
    try:
        verify(path, asset)
        return replace(row, accuracy=read_metadata(path).accuracy) if asset.kind == "classifier" else row
    except ModelError as error:
        return replace(row, state="wrong", cure=str(error))


def _file_row(path: Path) -> Row:
    """The row of a model file that stands in no manifest: its metadata says what it is."""
    try:
        metadata = read_metadata(path)
    except ModelError as error:
        return Row(str(path), "classifier", "wrong", str(path), cure=str(error))
    return Row(
        name=metadata.name,
        kind="classifier",
        state="verified",
        path=str(path),
        description=metadata.description,
        licence=metadata.licence,
        origin=str(path),
        accuracy=metadata.accuracy,
    )


def _other_models(manifest: Manifest) -> Iterator[Path]:
    known = {asset.file for asset in manifest.assets.values()}
    for folder in search_path():
        for path in sorted(folder.glob("*")):
            if path.suffix in MODEL_SUFFIXES and path.name not in known and metadata_path(path).is_file():
                yield path


def _origin(asset: Asset) -> str:
    if asset.origin is not None:
        return f"{asset.origin.project} {asset.origin.version}"
    if asset.made_from:
        return "made here from " + (asset.made_from[0] if len(asset.made_from) == 1 else "clips and photos")
    return "ships with LightFER"


def _print_table(rows: Sequence[Row]) -> None:
    cells = [("NAME", "KIND", "STATE", "ACCURACY", "FROM", "LICENCE")]
    for row in rows:
        name = " = ".join([*row.aliases, row.name])
        cells.append((name, row.kind, row.state, _accuracy(row.accuracy), row.origin, row.licence))
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    for row in rows:
        if row.cure:
            print(f"{row.name}: {row.cure}")


def _accuracy(accuracy: Mapping[str, float]) -> str:
    """As "71.2 % fer2013/PublicTest, 69.8 without copies": who is part of the one before goes by the rest."""
    words, before = [], ""
    for name, value in accuracy.items():
        part = bool(before) and name.startswith(f"{before} ")
        words.append(f"{100 * value:.1f}{name[len(before) :]}" if part else f"{100 * value:.1f} % {name}")
        before = before if part else name
    return ", ".join(words)
