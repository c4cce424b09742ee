"""A model file that others made: what its input and output mean, said on the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

import numpy as np

from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.evaluation.class_names import expression_named
from lightfer_ros.model import EMOTIONS, ModelMetadata, Normalization
from lightfer_ros.model.metadata import LAYOUTS, metadata_path, sha256_of

FORMATS = {".onnx": ("onnx", "nchw"), ".tflite": ("litert", "nhwc")}
"""By ending: format, and the layout that its converters give."""


@dataclass(frozen=True)
class Foreign:
    """What a file is, and how its answers become probabilities in the order of EMOTIONS.

    order: for each of EMOTIONS, the column of the file's output. logits: whether that is before softmax.
    """

    metadata: ModelMetadata
    order: Tuple[int, ...] = tuple(range(len(EMOTIONS)))
    logits: bool = False

    def probabilities(self, answers: np.ndarray) -> np.ndarray:
        """The file's own output float32 [n, 7] as probabilities float32 [n, 7] over EMOTIONS."""
        ordered = answers[:, list(self.order)]
        if not self.logits:
            return ordered
        e = np.exp(ordered - ordered.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that describe a file without metadata."""
    group = parser.add_argument_group("a model file without metadata", "seven classes, grey or colour input")
    add = group.add_argument
    add(
        "--input-size",
        type=int,
        metavar="PIXELS",
        help="side of its input; says that it is such a file",
    )
    add(
        "--channels", type=int, choices=(1, 3), default=1, help="default %(default)s; 3 repeat the grey value"
    )
    add("--layout", choices=LAYOUTS, help="of its input; default: nchw for .onnx, nhwc for .tflite")
    add("--scale", type=float, default=1 / 255, help="input = scale · pixel + offset; default 1/255")
    add("--offset", type=float, default=0.0, help="default %(default)s")
    add("--classes", metavar="A,B,…", help=f"its classes in its own order; default {','.join(EMOTIONS)}")
    add("--logits", action="store_true", help="its output is before softmax")


def described(arguments: argparse.Namespace, model: Path) -> Optional[Foreign]:
    """The description that the options give, or None where they give none.

    Raises ConfigurationError naming the wrong option, ModelError for a file that is missing, of an unknown
    kind, or has metadata of its own.
    """
    if arguments.input_size is None:
        return None
    if not model.is_file():
        raise ModelError(f"model file {model} does not exist")
    if metadata_path(model).is_file():
        raise ModelError(
            f"model file {model} has metadata, {metadata_path(model).name}: leave --input-size out"
        )
    if model.suffix not in FORMATS:
        raise ModelError(f"model file {model}: unknown kind; expected {', '.join(FORMATS)}")
    kind, layout = FORMATS[model.suffix]
    about = ModelMetadata(
        name=model.stem,
        sha256=sha256_of(model),
        format=kind,
        precision="fp32",
        input_size=arguments.input_size,
        channels=arguments.channels,
        licence="unstated",
        training_data="unstated",
        layout=arguments.layout or layout,
        normalization=Normalization(arguments.scale, arguments.offset),
    )
    return Foreign(about, _order(arguments.classes), arguments.logits)


def _order(classes: Optional[str]) -> Tuple[int, ...]:
    names = EMOTIONS if classes is None else tuple(classes.split(","))
    meant = [expression_named(name) for name in names]
    if sorted(filter(None, meant)) != sorted(EMOTIONS):
        raise ConfigurationError(
            f"--classes is {classes!r}, expected each of {', '.join(EMOTIONS)} once, in the file's own order"
        )
    return tuple(meant.index(name) for name in EMOTIONS)
