"""The command-line face of compression: a trained network in, model files with metadata out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lightfer_ros.errors import LightferError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; imports nothing heavy, so that --help is quick."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="a .keras file of `lightfer train`, with its metadata")
    add("--out", type=Path, required=True, help="folder for the model files")
    add(
        "--data",
        type=Path,
        required=True,
        help="FER2013 as for `lightfer train`: Training faces calibrate, PublicTest faces check",
    )
    add("--name", help="stem of the file names; default: the name in the metadata")
    add(
        "--kinds", default="fp32,fp16,int8", help="of fp32, fp16, int8, int8_trt, int4 (default: %(default)s)"
    )
    add("--opset", type=int, default=18, choices=(13, 18), help="of the float files (default: %(default)s)")
    add(
        "--method",
        default="auto",
        choices=("auto", "minmax", "percentile", "entropy"),
        help="how activations get their ranges; auto: whichever keeps answers nearest (default: %(default)s)",
    )
    add("--no-equalise", action="store_true", help="leave channels as trained before quantizing")
    add("--no-temperature", action="store_true", help="leave confidences as trained")


def run(arguments: argparse.Namespace) -> int:
    """Export as the arguments say and print a table; return 0. Raises LightferError fit for the user."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from lightfer_ros.compression.export import Exporter, QuantizeOptions
    from lightfer_ros.compression.graph import calibrated
    from lightfer_ros.compression.prepare import describe, read_trained, temperature_of
    from lightfer_ros.compression.ratio import compare
    from lightfer_ros.compression.reference import published_layers
    from lightfer_ros.evaluation.readers import read_faces

    network, about = read_trained(arguments.model)
    training = read_faces(arguments.data, "Training", network.input_size)
    check = read_faces(arguments.data, "PublicTest", network.input_size)
    comparison = compare(published_layers(network), network)
    print(comparison.table())
    if not arguments.no_temperature:
        fitted = temperature_of(network, check, about)
        print(fitted.summary())
        network = calibrated(network, fitted.temperature)
    about = describe(about, arguments.name or about.name, comparison)
    options = QuantizeOptions(method=arguments.method, equalise=not arguments.no_equalise)
    exporter = Exporter(network, about, training.images, check, "fer2013/PublicTest", options)
    for kind in arguments.kinds.split(","):
        for made in exporter.write(arguments.out, [kind.strip()], arguments.opset):
            accuracy = made.metadata.accuracy["fer2013/PublicTest"]
            print(
                f"{made.path.name}: {made.path.stat().st_size / 1e6:.2f} MB, accuracy {accuracy:.4f}, "
                f"{made.agreement.agreement:.2%} of labels as FP32, "
                f"largest difference {made.agreement.largest:.2g}"
            )
    return 0


def main(argv: list[str] | None = None) -> int:
    """`python -m lightfer_ros.compression`: 0 on success, 2 with one clear line on a known error."""
    parser = argparse.ArgumentParser(prog="lightfer export", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except LightferError as error:
        print(f"lightfer export: {error}", file=sys.stderr)
        return 2
