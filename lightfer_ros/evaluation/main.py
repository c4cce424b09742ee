"""The command-line face of evaluation: a model file and a data set in, a table or one JSON object out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Callable, List, Optional

from lightfer_ros.errors import LightferError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.model import ModelMetadata

Reader = Callable[[Path, Optional[str], ModelMetadata], FaceSet]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="FER2013 CSV (.csv, .csv.xz, .csv.gz), or a folder or zip with a folder per class",
    )
    add("--split", metavar="NAME", help="a CSV's Usage, or a folder above the classes; default: everything")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    add("--confusion", type=Path, metavar="PNG", help="also write the confusion matrix as a picture")
    add("--threads", type=int, default=1, help="threads of the runtime; default %(default)s")
    add("--runtime", default="auto", help="a runtime's name; default %(default)s")


def evaluate_file(
    arguments: argparse.Namespace, model: Path, index: Optional[Path], reader: Optional[Reader] = None
) -> int:
    """Score one model file as the arguments say and print the result; return 0.

    index: hashes of the training faces, None to leave de-duplication out. reader: gives the faces to
    score, as they are when None; a caller with a detector passes its own.
    """
    from lightfer_ros.evaluation.confusion_picture import save_confusion
    from lightfer_ros.evaluation.evaluate import evaluate
    from lightfer_ros.runtimes import RuntimeOptions, load

    options = RuntimeOptions(runtime=arguments.runtime, threads=arguments.threads)
    with load(model, options) as session:
        read = reader or _as_is
        faces = read(arguments.data, arguments.split, session.metadata)
        name = f"{arguments.data.name} {arguments.split or ''}".strip()
        report = evaluate(session, faces, name, index)
    if arguments.confusion:
        save_confusion(arguments.confusion, report.scores.confusion, f"{report.model} on {name}")
    print(json.dumps(report.to_dict(), indent=2) if arguments.json else report.to_text())
    return 0


def main(argv: Optional[List[str]] = None) -> int:
    """`python -m lightfer_ros.evaluation`: 0 on success, 2 with one line on a known error."""
    parser = argparse.ArgumentParser(prog="lightfer evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a model file with its metadata beside it")
    parser.add_argument("--index", type=Path, help="hashes of the training faces, to leave out duplicates")
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    try:
        return evaluate_file(arguments, arguments.model, arguments.index)
    except LightferError as error:
        print(f"lightfer evaluate: {error}", file=sys.stderr)
        return 2


def _as_is(path: Path, split: Optional[str], about: ModelMetadata) -> FaceSet:
    return read_faces(path, split, about.input_size)
