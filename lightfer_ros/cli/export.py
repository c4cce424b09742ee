"""`lightfer export`: a trained network to model files that runtimes load, each checked against it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import List

from lightfer_ros.cli import compression_source
from lightfer_ros.cli.extras import require_modules

KINDS = ("fp32", "fp16", "int8", "int8_trt", "int4", "litert_fp32", "litert_fp16", "litert_int8", "keras")
"""As `compression.kinds` has them, which only Pythons with onnx can import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer export`."""
    compression_source.add_arguments(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the files go")
    add(
        "--kinds",
        type=_kinds,
        default="fp32,fp16,int8",
        metavar="A,B,…",
        help=f"of {', '.join(KINDS)}; default %(default)s",
    )
    add("--opset", type=int, default=18, choices=(13, 18), help="of the float files; default %(default)s")
    add(
        "--mirrored",
        action="store_true",
        help="say in the metadata that sessions look at each face and its mirror image, and give the mean: "
        "more often right, for up to twice the time",
    )


def run(args: argparse.Namespace) -> int:
    """Write every kind that is asked for, and a line about each; 0 when all are there."""
    for kind in args.kinds:
        if kind.startswith("litert"):
            require_modules(f"--kinds {kind}", "ai_edge_litert")
    network, about = compression_source.read(args)
    if "keras" in args.kinds:
        require_modules("--kinds keras", "keras")
    from lightfer_ros.compression.export import Exporter, QuantizeOptions

    about = replace(about, mirrored=about.mirrored or args.mirrored)
    training, check, check_name = compression_source.faces(args, network.input_size)
    network = compression_source.with_calibration(args, network, about, training, check)
    options = QuantizeOptions(method=args.method, equalise=not args.no_equalise)
    exporter = Exporter(network, about, training.images, check, check_name, options)
    for kind in args.kinds:
        for made in exporter.write(args.out, [kind], args.opset):
            print(f"{made.path.name}: {made.path.stat().st_size / 1e6:.2f} MB, {made.summary()}", flush=True)
    return 0


def _kinds(text: str) -> List[str]:
    kinds = [kind.strip() for kind in text.split(",")]
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"kind is {kind!r}, expected some of {', '.join(KINDS)}")
    return kinds
