"""Of an INT8 file and its float sibling the one that runs faster here; INT8 is not faster everywhere."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata, metadata_path, read_metadata
from lightfer_ros.runtimes.agreement import fixed_input
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.registry import load
from lightfer_ros.runtimes.session import Session
from lightfer_ros.runtimes.tensorrt_engine import engine_wanted

_log = logging.getLogger(__name__)

WARM_UPS, RUNS = 3, 15
WORTH_A_CHANGE = 0.9
"""The float file must take less than this share of INT8's time: files are not exchanged for noise."""


def load_fastest(path: Path, options: RuntimeOptions) -> Session:
    """Open a model file as `load` does, or its float sibling where INT8 is the slower one on this machine.

    A file that is not INT8, or has no sibling, is opened as it is. Otherwise both are opened and timed on one
    face, 36 inferences in all; an engine that was named and runs only one of them decides without. What was
    left is in the session's `passed_over`, with the reason.
    Raises what `load` raises for the file that was asked for, where neither can be opened.
    """
    given, refusal = _try(path, options)
    metadata = read_metadata(path) if given is None else given.metadata
    sibling = float_sibling(path, metadata)
    other = None if sibling is None else _try_sibling(sibling, options)
    if other is None:
        if given is None:
            assert refusal is not None
            raise refusal
        return given
    reason = str(refusal) if given is None else _why_rather(other, given)
    if not reason:
        assert given is not None
        other.close()
        return given
    if given is not None:
        given.close()
    other.passed_over = (*other.passed_over, (metadata.name, reason))
    _log.info("%s passed over: %s", metadata.name, reason)
    return other


def _try(path: Path, options: RuntimeOptions) -> Tuple[Optional[Session], Optional[RuntimeUnavailableError]]:
    try:
        return load(path, options), None
    except RuntimeUnavailableError as error:
        return None, error


def _try_sibling(path: Path, options: RuntimeOptions) -> Optional[Session]:
    """The sibling's session; None where it cannot be opened: nobody asked for it."""
    try:
        return load(path, options)
    except (ModelError, RuntimeUnavailableError) as error:
        _log.info("%s is not compared: %s", path.name, error)
        return None


def _why_rather(other: Session, given: Session) -> str:
    """Why the float file is to be used instead of the INT8 one; empty where it is not."""
    name = given.options.runtime
    if (given.runtime == name) != (other.runtime == name):
        return f"{name} runs only {other.metadata.name}" if other.runtime == name else ""
    seconds, others = seconds_a_face([given, other])
    if others > WORTH_A_CHANGE * seconds:
        return ""
    return f"{1e3 * seconds:.2f} ms a face in {given.runtime}, {other.metadata.name} takes {1e3 * others:.2f}"


def float_sibling(path: Path, metadata: ModelMetadata) -> Optional[Path]:
    """The float file that the export writes beside an INT8 one: `net-fp16.onnx` beside `net-int8.onnx`.

    None for files that are not INT8, without one, or with one that takes another input.
    """
    if metadata.precision != "int8" or not path.stem.endswith("int8"):
        return None
    for precision in ("fp16", "fp32"):
        sibling = path.with_name(path.stem[: -len("int8")] + precision + path.suffix)
        if metadata_path(sibling).is_file():
            try:
                about = read_metadata(sibling)
            except ModelError as error:
                _log.warning("%s is no stand-in for %s: %s", sibling.name, path.name, error)
                continue
            if about.takes_crops_of(metadata):
                return sibling
    return None


def engine_source(path: Path) -> Path:
    """The file that TensorRT engines of a model are built of: its float sibling where it is INT8 for CPUs.

    Raises ModelError where the file or its metadata is missing or wrong.
    """
    return float_sibling(path, read_metadata(path)) or path


def engine_file(path: Path, options: RuntimeOptions) -> Optional[Path]:
    """The file whose TensorRT engine is missing: this one, or the float sibling of an INT8 one."""
    for file in (path, float_sibling(path, read_metadata(path))):
        if file is not None and engine_wanted(file, options):
            return file
    return None


def seconds_a_face(sessions: Sequence[Session]) -> List[float]:
    """The shortest time that each session takes for one face, in turns: a busy machine hits all alike.

    The sessions take the same input.
    """
    face = fixed_input(sessions[0].metadata, 1)
    shortest = [float("inf")] * len(sessions)
    for run in range(-WARM_UPS, RUNS):
        for index, session in enumerate(sessions):
            start = time.perf_counter()
            session.run(face)
            if run >= 0:
                shortest[index] = min(shortest[index], time.perf_counter() - start)
    return shortest
