"""TensorRT engines that a benchmark needs, built before anything is timed."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lightfer_ros.benchmark.report import Progress
from lightfer_ros.runtimes import RuntimeOptions
from lightfer_ros.runtimes.engine_build import EngineBuild
from lightfer_ros.runtimes.tensorrt_engine import engine_wanted


def build_engines(
    files: Sequence[Path],
    chosen_runtimes: Sequence[str],
    progress: Progress,
    precision: str = RuntimeOptions.engine_precision,
) -> None:
    """Build the missing engines one after the other, saying how it goes.

    precision: of the arithmetic of float files, before TensorRT 11. A build that fails is told here and again
    in the rows. Interrupted, it ends with us.
    """
    if chosen_runtimes and "tensorrt" not in chosen_runtimes:
        return
    options = RuntimeOptions(runtime="tensorrt", engine_precision=precision)
    for file in files:
        if not engine_wanted(file, options):
            continue
        build = EngineBuild(file, options)
        try:
            while build.poll(wait_s=1.0) is None:
                progress.now(f"engine of {file.name}: {build.progress}")
        finally:
            build.cancel()
        progress.say(f"engine of {file.name}: {build.progress}")
