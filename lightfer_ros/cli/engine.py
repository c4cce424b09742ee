"""`lightfer engine`: build TensorRT engines by hand, list those that are here, clear them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import List, Sequence

from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.model import manifest
from lightfer_ros.runtimes import RuntimeOptions
from lightfer_ros.runtimes.cuda import find_gpus
from lightfer_ros.runtimes.engine_build import EngineBuild, add_build_arguments, options_from
from lightfer_ros.runtimes.engine_cache import CachedEngine, EngineCache
from lightfer_ros.runtimes.fastest import engine_source
from lightfer_ros.runtimes.tensorrt_api import tensorrt_module

LOOK_PERIOD_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `build`, `list` and `clear` with their options."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = commands.add_parser("build", help="build a model's engine for this machine's GPU; Ctrl-C ends it")
    add_build_arguments(build)
    listing = commands.add_parser("list", help="the engines in the cache, and whether they fit this machine")
    listing.add_argument("--json", action="store_true", help="print one JSON list instead of the table")
    clear = commands.add_parser("clear", help="delete engines")
    clear.add_argument("--unfit", action="store_true", help="only those that do not fit this machine")
    for one in (listing, clear):
        one.add_argument(
            "--engine-cache",
            type=Path,
            default=RuntimeOptions().engine_cache,
            metavar="FOLDER",
            help="where they are (default: %(default)s)",
        )


def run(args: argparse.Namespace) -> int:
    """Do what is asked; 0 when it is done, 1 for a build that failed."""
    if args.action == "build":
        return _build(args)
    cache = EngineCache(args.engine_cache)
    return _list(cache, args.json) if args.action == "list" else _clear(cache, args.unfit)


def _build(args: argparse.Namespace) -> int:
    build, said = EngineBuild(_engine_file(args.model), options_from(args), args.rebuild), ""
    try:
        while build.poll(LOOK_PERIOD_S) is None:
            if build.progress != said:
                said = build.progress
                print(said, file=sys.stderr, flush=True)
    finally:  # Ctrl-C included: nothing can interrupt it but its end
        build.cancel()
    if not build.poll():
        print(f"lightfer: {build.progress}", file=sys.stderr)
        return 1
    print(build.progress)
    return 0


def _engine_file(model: Path) -> Path:
    """The file to build from, and a word where it is not the one that was named. Raises ModelError."""
    path = manifest.model_path(str(model))
    source = engine_source(path)
    if source != path:
        print(f"{path.name} is INT8 for CPUs: building its float sibling {source}", file=sys.stderr)
    return source


@dataclass(frozen=True)
class Machine:
    """What engines must have been built for: TensorRT, CUDA, and one of the GPUs that are here."""

    tensorrt: str
    cuda: str
    gpu: str
    compute_capability: str


def _machines_here() -> Sequence[Machine]:
    """One for each GPU; empty where TensorRT or a GPU is not here."""
    try:
        version, gpus = tensorrt_module().__version__, find_gpus()
    except RuntimeUnavailableError:
        return ()
    return [Machine(version, gpu.cuda, gpu.name, "{}.{}".format(*gpu.compute_capability)) for gpu in gpus]


def _state(engine: CachedEngine, here: Sequence[Machine]) -> str:
    """fits, or damaged, or what it was built for that is another with the GPU here that is most like it."""
    if not engine.whole:
        return "damaged"
    if not here:
        return "no TensorRT and GPU here"
    nearest = min([_differences(engine, machine) for machine in here], key=len)
    return "; ".join(nearest) or "fits"


def _differences(engine: CachedEngine, here: Machine) -> List[str]:
    return [
        f"{name} is {value} here"
        for name, value in asdict(here).items()
        if getattr(engine.key, name) != value
    ]


def _list(cache: EngineCache, as_json: bool) -> int:
    here, engines = _machines_here(), cache.entries()
    states = [_state(engine, here) for engine in engines]
    if as_json:
        rows = [
            {**asdict(engine.key), "path": str(engine.path), "size": engine.size, "state": states[index]}
            for index, engine in enumerate(engines)
        ]
        print(json.dumps(rows, indent=2))
        return 0
    cells = [("MODEL", "PRECISION", "SHAPES", "GPU", "TENSORRT", "CUDA", "MB", "STATE")]
    for index, engine in enumerate(engines):
        key = engine.key
        megabytes = f"{engine.size / 1e6:.1f}"
        cells.append(
            (key.model, key.precision, key.shapes, key.gpu, key.tensorrt, key.cuda, megabytes, states[index])
        )
    widths: List[int] = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    if not engines:
        print(f"none in {cache.folder}")
    return 0


def _clear(cache: EngineCache, only_unfit: bool) -> int:
    here = _machines_here()
    if only_unfit and not here:
        raise RuntimeUnavailableError("without TensorRT and its GPU nobody can tell which engines fit")
    fitting = {engine.path for engine in cache.entries() if _state(engine, here) == "fits"}
    leaving = [path for path in cache.files() if not (only_unfit and path in fitting)]
    if not leaving:
        there = "nothing to delete in it" if cache.folder.is_dir() else "does not exist"
        print(f"{cache.folder}: {there}")
    for path in leaving:
        done = cache.remove(path)
        print(f"{path.name}: {'deleted' if done else 'is being built now, stays'}")
    return 0
