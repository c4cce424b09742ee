"""`lightfer benchmark`: measurements on this machine, each a module of the room `benchmark`."""

from __future__ import annotations

import argparse
from importlib import import_module
from types import ModuleType
from typing import Dict

from lightfer_ros.errors import LightferError

BENCHMARKS: Dict[str, str] = {
    "ros": "the node on a real ROS graph: rate, latency, processor, memory with one face and with six",
    "classifier": "every engine, precision, batch and number of threads on one network",
    "pipeline": "the whole way of a frame over a video: FPS, processor, memory, power, beside the peers",
    "table": "the paper's Tables 1 to 4, its rows beside those of this machine",
    "ratios": "what quantization, pruning and the engine are each worth, on one thread",
    "realtime": "frames to faces on one thread, beside the paper's pipeline: speed, recall, tracks",
    "landmarks": "how far landmarks are off as heads turn and tilt, by each predictor",
    "detectors": "which faces each detector finds, by size, turn and tilt, and at what cost",
    "study": "training runs side by side: what pruning, thinness and zeros buy",
    "smoothing": "how much steadier smoothing makes labels, and how soon they follow a change",
    "track_video": "make videos of moving faces with truth, to measure with",
}
"""Each benchmark and its line in the help. Its module, `lightfer_ros.benchmark.<name>`, has
`add_arguments(parser)` and `run(args) -> int`; it is imported to declare its options, so that what only some
machines have (Keras, ROS) is imported in `run`. The first is run where none is named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmarks and the options of each."""
    names = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK")
    for name, summary in BENCHMARKS.items():
        subparser = names.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        try:
            _module(name).add_arguments(subparser)
        except (ImportError, SyntaxError) as error:  # some want a newer Python than a robot has
            subparser.set_defaults(cannot_run=f"benchmark {name} cannot run here: {error}")


def run(args: argparse.Namespace) -> int:
    """Run the benchmark that is named, else the first with its defaults."""
    name = args.benchmark or next(iter(BENCHMARKS))
    if not args.benchmark:
        parser = argparse.ArgumentParser()
        _module(name).add_arguments(parser)
        parser.parse_args([], namespace=args)
    if getattr(args, "cannot_run", None):
        raise LightferError(args.cannot_run)
    return int(_module(name).run(args))


def _module(name: str) -> ModuleType:
    return import_module(f"lightfer_ros.benchmark.{name}")
