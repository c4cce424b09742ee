"""What `lightfer export` and `lightfer quantize` have in common: the network, the faces, their options."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Tuple

from lightfer_ros.cli.extras import require_modules

if TYPE_CHECKING:
    from lightfer_ros.compression.graph import Network
    from lightfer_ros.evaluation.faces import FaceSet
    from lightfer_ros.model import ModelMetadata


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that name network, faces and the way activations are calibrated."""
    add = parser.add_argument
    add(
        "--model",
        type=Path,
        required=True,
        metavar="FILE",
        help="the .keras file of `lightfer train`, or an FP32 .onnx of `lightfer export`, which needs no "
        "Keras; with its metadata beside it",
    )
    add(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="FER2013 as for `lightfer train`: its training faces calibrate, others check",
    )
    add("--calibration-split", default="Training", metavar="NAME", help="default %(default)s")
    add("--check-split", default="PublicTest", metavar="NAME", help="default %(default)s")
    add("--name", help="stem of the file names; default: the model's own name")
    add(
        "--method",
        default="auto",
        choices=("auto", "minmax", "percentile", "entropy"),
        help="how activations get their ranges; auto: whichever keeps answers nearest; default %(default)s",
    )
    add("--no-equalise", action="store_true", help="leave channels as trained before quantizing")


def read(args: argparse.Namespace) -> Tuple[Network, ModelMetadata]:
    """The network and what it is, under the name that its files are to have."""
    require_modules("reading a network", "onnx")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    if args.model.suffix == ".keras":
        require_modules("reading a .keras file", "keras", os.environ["KERAS_BACKEND"])
    from lightfer_ros.compression.prepare import describe, read_float
    from lightfer_ros.compression.ratio import compare
    from lightfer_ros.compression.reference import published_layers

    network, about = read_float(args.model)
    comparison = compare(published_layers(network), network)
    print(
        comparison.table() if comparison.comparable else "not an Xception: R of Eq. 1 has no meaning for it"
    )
    return network, describe(about, args.name or about.name, comparison)


def faces(args: argparse.Namespace, size: int) -> Tuple[FaceSet, FaceSet, str]:
    """The faces that calibrate, those that check, and what to call the latter."""
    from lightfer_ros.evaluation.readers import read_faces

    check = read_faces(args.data, args.check_split, size)
    return read_faces(args.data, args.calibration_split, size), check, check_name(args)


def check_name(args: argparse.Namespace) -> str:
    """As metadata names a data set: "fer2013/PublicTest"."""
    return f"{args.data.name.split('.')[0]}/{args.check_split}"
