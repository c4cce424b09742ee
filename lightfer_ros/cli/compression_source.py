"""What `lightfer export` and `lightfer quantize` have in common: the network, the faces, their options."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Tuple

from lightfer_ros.cli.extras import require_modules
from lightfer_ros.errors import DataError

if TYPE_CHECKING:
    from lightfer_ros.compression.graph import Network
    from lightfer_ros.evaluation.faces import FaceSet
    from lightfer_ros.model import ModelMetadata

LEAST_UNSEEN = 2
"""Faces that a calibration needs: it is fitted on each half of them and judged on the other."""


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
    add(
        "--no-calibration",
        action="store_true",
        help="leave confidences as trained; those of an .onnx are left in any case, it is calibrated",
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
    from lightfer_ros.evaluation.readers import read_faces, split_name

    check = read_faces(args.data, args.check_split, size)
    training = read_faces(args.data, args.calibration_split, size)
    return training, check, split_name(args.data, args.check_split)


def with_calibration(
    args: argparse.Namespace, network: Network, about: ModelMetadata, training: FaceSet, check: FaceSet
) -> Network:
    """The network with confidences fitted on the faces that check it, unless it is to stay as it is.

    Only on faces that it was not trained on: those it knows better. Raises DataError where there are none.
    """
    from lightfer_ros.compression.graph import calibrated
    from lightfer_ros.compression.prepare import calibration_of
    from lightfer_ros.evaluation.faces import copies_among

    if args.model.suffix != ".keras" or args.no_calibration:
        return network
    unseen = check[~copies_among(check.images, training.images)]
    if len(unseen) < LEAST_UNSEEN:
        raise DataError(
            f"{args.data}: {len(unseen)} faces of {args.check_split} are not in {args.calibration_split} "
            f"too, expected at least {LEAST_UNSEEN} to calibrate on; --no-calibration does without"
        )
    fitted = calibration_of(network, unseen, about)
    print(fitted.summary())
    return calibrated(network, fitted.calibration)
