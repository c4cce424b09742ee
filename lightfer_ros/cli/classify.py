"""`lightfer classify`: the faces in pictures and their expressions, as a table, as JSON, or drawn."""

from __future__ import annotations

import argparse
import glob
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import cv2
import numpy as np

from lightfer_ros.errors import ConfigurationError, ImageError
from lightfer_ros.model.labels import EMOTIONS, valence_arousal
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.overlay import draw
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.settings import settings_of
from lightfer_ros.perception.video import PICTURE_SUFFIXES, find_pictures, read_picture

SETTINGS = ("model", "runtime", "threads", "detector", "detection_scale", "detection_upsampling",
            "detection_threshold", "landmarks", "max_faces")  # fmt: skip
"""The settings of the pipeline that have a meaning for single pictures."""

JPEG_QUALITY = 95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer classify`."""
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help=f"a file ({', '.join(PICTURE_SUFFIXES)}), a folder or a pattern such as 'photos/*.jpg'",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a picture, one a line")
    parser.add_argument("--save", metavar="DIR", type=Path, help="write each picture with its overlay there")
    declared = settings_of(PipelineConfig)
    for name in SETTINGS:
        setting = declared[name]
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=setting.kind,
            default=setting.default,
            metavar="VALUE",
            help=f"{setting.description} {setting.allowed}; default {setting.default}".replace("%", "%%"),
        )


def run(args: argparse.Namespace) -> int:
    """Classify every picture; 0 when all could be read, 1 when some could not, which stderr names."""
    config = PipelineConfig(**{name: getattr(args, name) for name in SETTINGS})
    if args.save is not None:
        _make_folder(args.save)
    failures = 0
    stems: Counter[str] = Counter()
    with Pipeline(config) as pipeline:
        for path in _expand(args.pictures):
            try:
                frame = read_picture(path)
            except ImageError as error:
                failures += 1
                print(f"lightfer: {error}", file=sys.stderr, flush=True)
                if args.json:
                    print(json.dumps({"picture": str(path), "error": str(error)}), flush=True)
                continue
            faces = _classify(pipeline, frame)
            if args.json:
                print(json.dumps(_record(path, frame, faces, pipeline)), flush=True)
            else:
                print(_table(path, frame, faces), flush=True)
            if args.save is not None:
                stems[path.stem] += 1
                again = f"-{stems[path.stem]}" if stems[path.stem] > 1 else ""
                _save(draw(frame.bgr, faces), args.save / f"{path.stem}{again}.emotions.jpg")
    return 1 if failures else 0


def _expand(arguments: Sequence[str]) -> Iterator[Path]:
    """The files that the arguments mean; one that means none is given as it is and will be reported."""
    for argument in arguments:
        path = Path(argument).expanduser()
        found: List[Path] = [path]
        if path.is_dir():
            found = find_pictures(path) or found
        elif not path.exists() and glob.has_magic(argument):
            found = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))] or found
        yield from found


def _classify(pipeline: Pipeline, frame: Frame) -> Faces:
    """Faces of this picture alone, numbered from 1."""
    pipeline.reset()
    faces = pipeline.process(frame, stamp=0.0)
    return faces.replace(track_id=np.arange(1, len(faces) + 1))


def _record(path: Path, frame: Frame, faces: Faces, pipeline: Pipeline) -> Dict[str, Any]:
    valence, arousal = valence_arousal(faces.probabilities)
    return {
        "picture": str(path),
        "width": frame.width,
        "height": frame.height,
        "model": pipeline.metadata.name,
        "runtime": pipeline.session.runtime,
        "provider": pipeline.session.provider,
        "faces": [
            {
                "face": int(faces.track_id[i]),
                "box": [_number(side, 1) for side in faces.boxes[i]],
                "detection_confidence": _number(faces.confidence[i]),
                "label": EMOTIONS[label] if label >= 0 else None,
                "confidence": _number(faces.probabilities[i, label]),
                "probabilities": dict(zip(EMOTIONS, map(_number, faces.probabilities[i]))),
                "valence": _number(valence[i]),
                "arousal": _number(arousal[i]),
                "landmarks": [[_number(x, 1), _number(y, 1)] for x, y in faces.landmarks[i]],
            }
            for i, label in enumerate(faces.label)
        ],
    }


def _number(value: float, digits: int = 4) -> Optional[float]:
    """Rounded, and null in JSON where it is unset, since JSON knows no NaN."""
    return round(float(value), digits) if np.isfinite(value) else None


def _table(path: Path, frame: Frame, faces: Faces) -> str:
    count = "1 face" if len(faces) == 1 else f"{len(faces) or 'no'} faces"
    lines = [f"{path}  {frame.width}x{frame.height}  {count}"]
    if len(faces):
        shares = " ".join(f"{name:>8}" for name in EMOTIONS)
        lines.append(f"  face  {'box x1,y1 x2,y2':19}  expression       {shares}  valence  arousal")
    for i, (valence, arousal) in enumerate(zip(*valence_arousal(faces.probabilities))):
        x1, y1, x2, y2 = faces.boxes[i]
        label = faces.label[i]
        name = EMOTIONS[label] if label >= 0 else "unknown"
        shares = " ".join(f"{share:8.0%}" for share in faces.probabilities[i])
        lines.append(
            f"  {faces.track_id[i]:4}  {f'{x1:.0f},{y1:.0f} {x2:.0f},{y2:.0f}':19}  "
            f"{name:10} {faces.probabilities[i, label]:4.0%}  {shares}  {valence:+7.2f}  {arousal:+7.2f}"
        )
    return "\n".join(lines)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--save is {folder}, which cannot be a folder: {error.strerror}") from None


def _save(bgr: np.ndarray, path: Path) -> None:
    """Write a JPEG, whole or not at all."""
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(encoded.tobytes())
    os.replace(partial, path)
