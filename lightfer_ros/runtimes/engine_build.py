"""Building a TensorRT engine in a process of its own.

By hand `python -m lightfer_ros.runtimes.engine_build net.onnx`, in a program `EngineBuild(model, options)`.
A build takes minutes to an hour inside one call that nothing can interrupt. Ending the process does, at any
moment; the cache then holds the finished engine or nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Optional, Sequence

import lightfer_ros
from lightfer_ros.errors import LightferError
from lightfer_ros.runtimes.options import ENGINE_PRECISIONS, RuntimeOptions
from lightfer_ros.runtimes.tensorrt_engine import build_engine

_NICENESS = 10
"""A node may run meanwhile: its camera goes first."""


class EngineBuild:
    """A build that runs beside its caller. Look at it now and then with `poll`; end it with `cancel`."""

    def __init__(self, model: Path, options: RuntimeOptions, rebuild: bool = False) -> None:
        """Start it. rebuild: also when the engine is there."""
        package = Path(lightfer_ros.__file__).resolve().parent.parent
        paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
        # not a pipe: that would block the build when nobody reads
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the build
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                __name__,
                str(model),
                *_arguments(options),
                *(["--rebuild"] if rebuild else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def poll(self, wait_s: float = 0.0) -> Optional[bool]:
        """None while it runs; then whether the engine is there. The reason, if not, is in `progress`."""
        try:
            return self._process.wait(wait_s) == 0
        except subprocess.TimeoutExpired:
            return None

    @property
    def progress(self) -> str:
        """The newest line that the build said."""
        size = os.fstat(self._output.fileno()).st_size
        tail = os.pread(self._output.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")
        lines = [line for line in tail.splitlines() if line.strip()]
        return lines[-1] if lines else "starting"

    def cancel(self) -> None:
        """End it at once and wait for that. Does nothing when it has ended."""
        self._process.kill()
        self._process.wait()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Build, saying how it goes on standard output; the last line is the engine's path, or the reason."""
    parser = argparse.ArgumentParser(
        prog="engine_build", description="Build the TensorRT engine of an ONNX model for this machine's GPU."
    )
    add_build_arguments(parser)
    given = parser.parse_args(arguments)
    os.nice(_NICENESS)
    try:
        with _Progress() as progress:
            engine = build_engine(given.model, options_from(given), progress.say, given.rebuild)
    except LightferError as error:
        print(error, file=sys.stderr)
        return 1
    print(engine, flush=True)
    return 0


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what decides about an engine."""
    defaults = RuntimeOptions()
    parser.add_argument("model", type=Path, help="the ONNX file; its metadata lies beside it")
    parser.add_argument(
        "--engine-cache", type=Path, default=defaults.engine_cache, help="folder (%(default)s)"
    )
    parser.add_argument(
        "--precision",
        choices=ENGINE_PRECISIONS,
        default=defaults.engine_precision,
        help="of the arithmetic of float models, before TensorRT 11 (%(default)s)",
    )
    parser.add_argument(
        "--max-batch", type=int, default=defaults.max_batch, help="faces at once (%(default)s)"
    )
    parser.add_argument("--device", type=int, default=defaults.device, help="index of the GPU (%(default)s)")
    parser.add_argument("--rebuild", action="store_true", help="also when the engine is there")


def options_from(given: argparse.Namespace) -> RuntimeOptions:
    """The options that these arguments mean. Raises ConfigurationError."""
    return RuntimeOptions(
        engine_cache=given.engine_cache,
        engine_precision=given.precision,
        max_batch=given.max_batch,
        device=given.device,
    )


class _Progress:
    """Prints the newest news once a second, and the time every ten: no line a step, and no silence."""

    def __init__(self) -> None:
        self._text, self._start, self._ended = "", time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._print, name="progress", daemon=True)

    def say(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> _Progress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _print(self) -> None:
        said, when = "", 0.0
        while not self._ended.wait(1.0):
            text, now = self._text, time.monotonic() - self._start
            if text != said or now - when >= 10:
                print(f"{now:6.0f} s  {text}", flush=True)
                said, when = text, now


def _arguments(options: RuntimeOptions) -> Sequence[str]:
    return [
        f"--engine-cache={options.engine_cache}",
        f"--precision={options.engine_precision}",
        f"--max-batch={options.max_batch}",
        f"--device={options.device}",
    ]


if __name__ == "__main__":
    # Python's own handler would wait for TensorRT's call to return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
