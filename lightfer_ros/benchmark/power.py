"""The power of a machine while something runs on it, from whatever tells it here; never a guess."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from lightfer_ros.benchmark import power_sources
from lightfer_ros.benchmark.power_sources import Counter, Gauge, board_power, tegrastats_rails

PERIOD_S = 0.1
"""Between two looks at a gauge; the INA3221 of a Jetson averages over less."""


@dataclass(frozen=True)
class Power:
    """milliwatts: mean over a stretch of time, None where nothing told it to the end; then `of` says why."""

    milliwatts: float | None
    of: str


class PowerWatch:
    """Watches the machine's power between `start` and `stop`, idle share included.

    A Jetson's sensors tell the board's and are taken alone; elsewhere it is the sum of processor packages
    (RAPL) and GPUs (NVML), and `of` names what is in it. Where one of them breaks off there is no power: the
    mean of what was read before is that of another stretch.
    """

    def __init__(self, root: Path = Path("/"), tegrastats: str | None = None) -> None:
        """root: where `sys` lies. tegrastats: its program; by default the one on the path."""
        self._gauges: list[Gauge] = []
        self._counters: list[Counter] = []
        self._tegrastats = tegrastats or shutil.which("tegrastats")
        rails = power_sources.jetson_rails(root)
        self._why_not = ""
        if rails:
            self._tegrastats = None
            self._gauges = [_board_gauge(rails)]
        elif not self._tegrastats:
            self._counters, no_rapl = power_sources.rapl_packages(root)
            library, no_nvml = power_sources.nvml()
            self._gauges = power_sources.nvml_gauges(library) if library else []
            self._why_not = (
                f"not measurable here: no Jetson sensors; {no_rapl}; {no_nvml or 'no GPU tells it'}"
            )
        self._samples: dict[str, list[float]] = {}
        self._broken: dict[str, str] = {}
        self._first: list[int] = []
        self._began = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin a stretch."""
        self._samples, self._broken, self._ended = {}, {}, threading.Event()
        self._process = self._thread = None
        self._began = time.monotonic()
        self._first = self._count()
        work: Callable[[], None] | None = self._look if self._gauges else None
        if self._tegrastats:
            command = [self._tegrastats, "--interval", str(round(1000 * PERIOD_S))]
            try:
                self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            except OSError as error:
                self._broken["tegrastats"] = f"cannot be run ({error})"
                return
            work = self._listen
        if work is not None:
            self._thread = threading.Thread(target=work, name="power", daemon=True)
            self._thread.start()

    def stop(self) -> Power:
        """End the stretch; its mean."""
        seconds = time.monotonic() - self._began
        last = self._count()
        self._ended.set()
        if self._process is not None:
            code = self._process.poll()
            if code is not None:
                self._broken["tegrastats"] = f"ended with exit code {code} (it may want root)"
            self._process.terminate()
            self._process.wait()
        if self._thread is not None:
            self._thread.join()
        if self._broken:
            reasons = "; ".join(f"{of}: {reason}" for of, reason in self._broken.items())
            return Power(None, f"not measured to the end: {reasons}")
        parts = {of: mean(samples) for of, samples in self._samples.items()}
        for index, counter in enumerate(self._counters):
            parts[counter.of] = counter.between_uj(self._first[index], last[index]) / seconds / 1000.0
        if not parts:
            return Power(
                None, self._why_not or "not measurable here: tegrastats tells no power (it may want root)"
            )
        return Power(sum(parts.values()), " and ".join(parts))

    def _count(self) -> list[int]:
        """Microjoules of every counter; 0 for one that breaks off."""
        counts = []
        for counter in self._counters:
            try:
                counts.append(counter.read_uj())
            except (OSError, ValueError) as error:
                self._broken[counter.of] = str(error)
                counts.append(0)
        return counts

    def _look(self) -> None:
        while True:
            for gauge in self._gauges:
                try:
                    self._samples.setdefault(gauge.of, []).append(gauge.read_mw())
                    self._broken.pop(gauge.of, None)
                except (OSError, ValueError) as error:
                    # a sensor that is busy answers at a later look; this stays said of one that does not
                    self._broken[gauge.of] = str(error)
            if self._ended.wait(PERIOD_S):
                return

    def _listen(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            rails = tegrastats_rails(line)
            if rails:
                milliwatts, of = board_power(rails)
                self._samples.setdefault(of, []).append(milliwatts)


def _board_gauge(rails: dict[str, Gauge]) -> Gauge:
    def read() -> float:
        return board_power({name: gauge.read_mw() for name, gauge in rails.items()})[0]

    return Gauge(board_power(dict.fromkeys(rails, 0.0))[1], read)


def gpu_memory_mb(pid: int) -> float | None:
    """Memory that a process holds for a GPU, MB; None where nothing tells it, or it holds none."""
    library: Any = power_sources.nvml()[0]
    told = power_sources.nvml_memory_mb(library, pid) if library else None
    return power_sources.jetson_memory_mb(pid) if told is None else told
