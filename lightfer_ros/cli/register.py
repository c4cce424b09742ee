"""`lightfer register`: a model file among those that ship, with its card and its entry in the manifest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Mapping

from lightfer_ros.cli.evaluate import shipped_index
from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.card import card_path, how_made, last_data, model_card
from lightfer_ros.evaluation.evaluate import evaluate
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.files import write_whole
from lightfer_ros.model.manifest import Asset, add_asset, read_manifest
from lightfer_ros.runtimes import RuntimeOptions, load

RECORDED = ("recipe", "epochs_done", "duration_s", "data", "versions", "machine")
"""What a card tells of a run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer register`."""
    add = parser.add_argument
    add(
        "model",
        type=Path,
        metavar="FILE",
        help="as `lightfer export` wrote it, beside manifest.json",
    )
    add(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="scored for the card, see `lightfer evaluate`",
    )
    add("--split", default="PublicTest", metavar="NAME", help="default %(default)s")
    add("--run", type=Path, metavar="FILE", help="run.json of `lightfer train`: how the network was made")
    add(
        "--alias",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that is to mean this file from now on, such as default; may be given again",
    )


def run(args: argparse.Namespace) -> int:
    """Score the file, write its card and its entry; 0 when both are there."""
    from lightfer_ros.benchmark.machine import machine

    manifest = args.model.parent / "manifest.json"
    read_manifest(manifest)  # refuses before anything is written
    record = _record(args.run) if args.run else None
    made = how_made(record) if record is not None else ""
    with load(args.model, RuntimeOptions()) as session:
        faces = read_faces(args.data, args.split, session.metadata.input_size)
        report = evaluate(session, faces, f"{args.data.name} {args.split}", shipped_index())
        about, engine = session.metadata, f"{session.runtime} on {session.provider}, one thread"
    if record is not None and last_data(record)["sha256"][:16] not in about.source:
        raise DataError(f"{args.run}: of another run; {args.model.name} was made by {about.source}")
    here = machine()
    command = f"lightfer evaluate --model {about.name} --data {args.data.name} --split {args.split}"
    where = f"{engine}, {here['processor']}, {here['cores']} cores"
    card = card_path(args.model)
    write_whole(card, model_card(about, report, command, where, made).encode("utf-8"))
    asset = Asset(
        name=about.name,
        kind="classifier",
        file=args.model.name,
        description=about.description,
        licence=about.licence,
        sha256=about.sha256,
        size=args.model.stat().st_size,
    )
    add_asset(manifest, asset, args.alias)
    meant = "".join(f", {alias} means it" for alias in args.alias)
    print(f"{card} written; {about.name} stands in {manifest}{meant}")
    print(report.to_text())
    return 0


def _record(path: Path) -> Mapping[str, Any]:
    try:
        record: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected run.json of `lightfer train`") from None
    missing = [name for name in RECORDED if not isinstance(record, dict) or not record.get(name)]
    if missing:
        raise DataError(f"{path}: has no {', '.join(missing)}; expected run.json of `lightfer train`")
    return record
