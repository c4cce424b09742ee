"""Options that several benchmarks share, and what they may be: refused before anything is measured."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.settings import settings_of
from lightfer_ros.runtimes import runtimes

MOST_THREADS = 64


def add_video_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the video that pipelines run over, as `video_file` takes it."""
    parser.add_argument("--video", type=Path, help="a video file (default: the sample video)")
    parser.add_argument(
        "--frames", type=int, default=0, metavar="N", help="of it only the first so many (default: all)"
    )


def video_file(args: argparse.Namespace) -> Path:
    """The video that is meant. Raises ConfigurationError naming the option that cannot be."""
    if args.frames < 0:
        raise ConfigurationError(f"--frames is {args.frames}, expected 0 for all, or a number of frames")
    video: Path = args.video or manifest.find("sample")
    if not video.is_file():
        raise ConfigurationError(f"--video is {video}, expected a file that exists")
    return video


def check_page(args: argparse.Namespace) -> None:
    """Raise ConfigurationError where the page could not be written in the end."""
    if not args.no_html and not os.access(args.html.parent, os.W_OK):
        raise ConfigurationError(
            f"--html is {args.html}, expected a path in a folder that can be written (or --no-html)"
        )


def check_threads(threads: int, most: int = MOST_THREADS) -> None:
    """Raise ConfigurationError for a number of threads that no engine takes."""
    if not 1 <= threads <= most:
        raise ConfigurationError(f"--threads is {threads}, expected 1 to {most}")


def check_pipeline_threads(threads: int) -> None:
    """Raise ConfigurationError for a number of threads that no pipeline takes."""
    most = settings_of(PipelineConfig)["threads"].maximum
    assert most is not None
    check_threads(threads, int(most))


def check_seconds(seconds: float) -> None:
    """Raise ConfigurationError for a time in which nothing can be measured."""
    if not seconds > 0.0:
        raise ConfigurationError(f"--seconds is {seconds:g}, expected more than 0")


def check_runtimes(names: Sequence[str], or_auto: bool = False) -> None:
    """Raise ConfigurationError for an engine that nobody registered."""
    known = [*(["auto"] if or_auto else []), *(runtime.name for runtime in runtimes())]
    for name in names:
        if name not in known:
            raise ConfigurationError(f"--runtime is {name!r}, expected one of {', '.join(known)}")
