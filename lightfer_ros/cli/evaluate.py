"""`lightfer evaluate`: how good a model file is on a data set, as a table, as JSON, as a picture."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from lightfer_ros.cli.extras import require_modules
from lightfer_ros.errors import ModelError
from lightfer_ros.evaluation import foreign
from lightfer_ros.evaluation.confusion_picture import save_confusion
from lightfer_ros.evaluation.evaluate import Report, evaluate
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.model import manifest
from lightfer_ros.runtimes import RuntimeOptions, load

if TYPE_CHECKING:
    from lightfer_ros.cli.face_finder import FaceFinder

INDEX = "fer2013_training_index"
"""The asset that knows FER2013's training faces."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer evaluate`."""
    add = parser.add_argument
    add(
        "--model",
        default="default",
        metavar="NAME_OR_FILE",
        help="a name that `lightfer models` lists, or a model file; default: the model in use",
    )
    add(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="FER2013 as CSV (.csv, .csv.xz, .csv.gz), or a folder or zip with a folder per class; "
        "numbers as class names are FER2013's: 0 angry to 6 neutral",
    )
    add("--split", metavar="NAME", help="a CSV's Usage, or a folder above the classes; default: everything")
    add(
        "--faces",
        choices=("as-is", "detect"),
        default="as-is",
        help="as-is: pictures are faces already, their middle squares are taken; detect: find the face and "
        "cut it out as the node does, and take a picture as it is where none is found; default %(default)s",
    )
    add(
        "--detector",
        choices=("auto", "yunet", "dlib_hog"),
        default="auto",
        help="of --faces detect; default %(default)s",
    )
    add("--json", action="store_true", help="print one JSON object instead of a table")
    add("--confusion", type=Path, metavar="PNG", help="also write the confusion matrix as a picture")
    add(
        "--index",
        type=Path,
        metavar="FILE",
        help="hashes of other training faces, to leave out; default: FER2013's, which ship",
    )
    add("--runtime", default="auto", help="auto, onnxruntime, tensorrt or litert; default %(default)s")
    add("--threads", type=int, default=1, help="of the runtime; default %(default)s")
    foreign.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Score the model and print the report; 0 when every picture was scored."""
    report = _report(args)
    if args.confusion:
        save_confusion(args.confusion, report.scores.confusion, f"{report.model} on {report.data}")
    print(json.dumps(report.to_dict(), indent=2) if args.json else report.to_text())
    return 0


def _report(args: argparse.Namespace) -> Report:
    path = manifest.model_path(args.model)
    stranger = foreign.described(args, path)
    options = RuntimeOptions(runtime=args.runtime, threads=args.threads)
    with load(path, options, stranger.metadata if stranger else None) as session:
        about = session.metadata
        finder: Optional[FaceFinder] = None
        if args.faces == "detect":
            require_modules("--faces detect", "dlib")
            from lightfer_ros.cli.face_finder import FaceFinder

            finder = FaceFinder(args.detector, about.crop_geometry)
        faces = read_faces(args.data, args.split, about.input_size, finder)
        report = evaluate(
            session,
            faces,
            f"{args.data.name} {args.split or ''}".strip(),
            args.index or shipped_index(),
            stranger.probabilities if stranger else None,
        )
    if finder is None:
        return report
    return replace(report, detector=finder.detector, faces_not_found=finder.not_found)


def shipped_index() -> Optional[Path]:
    """The index of FER2013's training faces; None where it is missing, which stderr says."""
    try:
        return manifest.find(INDEX)
    except ModelError as error:
        print(f"lightfer: nothing is said of duplicates: {error}", file=sys.stderr)
        return None
