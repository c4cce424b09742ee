"""The model card of a file: what it is, how good, how made, where it must not be used. Markdown."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, List, Mapping, Optional

from lightfer_ros.evaluation.evaluate import Report
from lightfer_ros.evaluation.metrics import Interval
from lightfer_ros.model import ModelMetadata

WIDTH = 118
HOW_EXPORTED = "How the weights came to be this file (folding, calibration, checks): docs/training.md."
LIMITS = """\
## Limits and law

- It sees facial *expressions*. It does not know what a person feels.
- FER2013's labels are noisy, and its faces are web photographs, often posed and frontal. Expect less on
  other people, poses and light. Angry, fear, sad and neutral are confused most.
- FER2013 is for research: so are these weights.
- The EU AI Act (Regulation 2024/1689, Article 5) forbids inferring emotions of people at work and in schools.
- No identity is computed or stored.
"""


def card_path(model: Path) -> Path:
    """Where the card of a model file lies: `net-int8.onnx` has `net-int8.md` beside it."""
    return model.with_suffix(".md")


def how_made(run: Mapping[str, Any]) -> str:
    """A paragraph from the record that a training run leaves (`run.json`)."""
    recipe, versions = run["recipe"], run["versions"]
    prune = recipe["prune"]
    votes = ", with FER+ votes in the targets" if recipe["data"].get("votes") else ""
    how = "zeroed" if prune.get("what") == "weights" else "pruned"
    pruned = f", {how} to R = {prune['ratio']:g} while it trained" if prune["ratio"] else ""
    finale = recipe.get("finale") or {"seeds": []}
    mean = (
        f", the last {finale['schedule']['epochs']} of them once for each of the seeds "
        f"{', '.join(map(str, finale['seeds']))}, whose mean it is"
        if finale["seeds"]
        else ""
    )
    changed = "".join(f"; {each}" for each in run.get("changes") or [])
    finale_data = run.get("finale_data")
    later = f" Then {_faces(finale_data)}" if finale_data else ""
    last = last_data(run)
    return (
        f"`lightfer train` with the recipe `{recipe['name']}`, seed {recipe['seed']}: "
        f"a run of {run['epochs_done']} epochs{mean}, {run['duration_s'] / 3600:.1f} h on "
        f"{run['machine']['processor']} ({recipe['precision']}){pruned}{changed}. "
        f"{_faces(run['data'], votes)}{later} "
        f"{last['validation_faces']:,} validation faces chose the weights and fitted the calibration, so "
        "figures on them are a little kind. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + "."
    )


def last_data(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a run's record says of the data that it trained on in the end."""
    data: Mapping[str, Any] = run.get("finale_data") or run["data"]
    return data


def _faces(data: Mapping[str, Any], votes: str = "") -> str:
    """What was trained on, in a sentence or two; data: a run's own record of it."""
    unscored = data.get("validation_left_out_equal_to_training", 0)
    left_out = (
        f"{unscored} validation faces stand in the training rows too: they were trained on, left out of "
        "validation"
        if unscored
        else f"{data['left_out_equal_to_validation']} rows equal to a validation face were left out"
    )
    return (
        f"{data['training_faces']:,} training faces{votes}; {left_out}; {data['merged_copies']:,} copies "
        f"merged; sha256 of the data `{data['sha256']}`."
    )


def model_card(about: ModelMetadata, report: Report, command: str, machine: str, made: str = "") -> str:
    """The card of one model file, as Markdown text.

    report: of this very file. command: what printed the report. machine: where it ran, for the times. made:
    how the network was trained, a paragraph.
    """
    s, d = report.scores, report.deduplicated
    lines = [
        f"# {about.name}",
        "",
        about.description + ".",
        "",
        f"- file format: {about.format}, {about.precision}"
        + (f", opset {about.opset}" if about.opset else ""),
        f"- input: {about.input_size} x {about.input_size}, {_colour(about.channels)}, {about.layout}, "
        f"pixel · {about.normalization.scale:.6g} + {about.normalization.offset:g}",
        *(
            ["- looks: at each face and at its mirror image; the answer is the mean"]
            if about.mirrored
            else []
        ),
        f"- classes: {', '.join(about.classes)}",
        f"- framing: eyes level, {about.crop_geometry.eye_distance:g} of the side apart, at "
        f"{about.crop_geometry.eye_y:g} from the top, mouth at {about.crop_geometry.mouth_y:g}",
        *_optional("parameters", about.parameters),
        *_optional("compression ratio R (Eq. 1)", about.compression_ratio),
        f"- training data: {about.training_data}",
        f"- licence: {about.licence}",
        f"- made by: {about.source}",
        f"- sha256: `{about.sha256}`",
        "",
        "## How good",
        "",
        textwrap.fill(f"`{command}`, {machine}. Rates in per cent, with their 95 % intervals.", WIDTH),
        "",
        "| | |",
        "|---|---|",
        f"| faces | {s.images} |",
        f"| accuracy | {_rate(s.accuracy, s.accuracy_interval)} |",
    ]
    if d is not None:
        what = f"accuracy without the {report.duplicates} that stand in FER2013's training rows too"
        lines.append(f"| {what} | {_rate(d.accuracy, d.accuracy_interval)} |")
    lines += [
        f"| macro F1 | {_rate(s.macro_f1, s.macro_f1_interval)} |",
        f"| calibration error (15 bins) | {_rate(s.ece, s.ece_interval)} |",
        f"| time, one face | {report.ms_per_image:.2f} ms |",
        "",
        "| class | recall | precision | faces |",
        "|---|---|---|---|",
    ]
    for name, c in s.per_class.items():
        recall, precision = _rate(c.recall, c.recall_interval), _rate(c.precision, c.precision_interval)
        lines.append(f"| {name} | {recall} | {precision} | {c.images} |")
    if made:
        lines += ["", "## How made", "", textwrap.fill(made, WIDTH), "", HOW_EXPORTED]
    return "\n".join(lines) + "\n\n" + LIMITS


def _colour(channels: int) -> str:
    return "grey" if channels == 1 else "colour"


def _optional(name: str, value: Optional[float]) -> List[str]:
    return [] if value is None else [f"- {name}: {value:,}"]


def _rate(value: float, interval: Interval) -> str:
    if value != value:  # NaN: a class without faces
        return "–"
    return f"{100 * value:.1f} ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})"
