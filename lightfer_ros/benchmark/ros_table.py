"""How the node fared with a scene, and the table that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from lightfer_ros.benchmark.scenes import RATE, Scene
from lightfer_ros.nodes.statistics import STAGES

AIM_LOSS, AIM_P50_MS, AIM_P99_MS, AIM_MEMORY_MB = 0.0, 12.0, 33.0, 300.0
"""30 Hz are kept where no larger share of the images goes unanswered."""

AIM_CPU_PERCENT = {1: 25.0, 6: 60.0}
"""Of one core, by the number of people."""

AIM_OLDEST_MS = 250.0
"""On a busy machine images may be dropped, but the newest answer is never older."""


@dataclass(frozen=True)
class SceneResult:
    """How the node fared with one scene; times in milliseconds, memory in MB (10^6 bytes)."""

    scene: str
    people: int
    faces_found: dict[int, int]
    """Answers by the number of faces they tell of."""
    seconds: float
    images: int
    answers: int
    dropped: int
    rate_hz: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    oldest_ms: float
    """How old the newest answer ever was."""
    cpu_percent: float
    """Of one core."""
    memory_mb: float
    peak_memory_mb: float
    stages_ms: dict[str, dict[str, float]]
    model: str
    runtime: str
    detector: str

    def missed(self, busy: bool) -> list[str]:
        """The aims it missed, in words; busy: whether the machine had other work."""
        if busy:
            return [] if self.oldest_ms < AIM_OLDEST_MS else [f"an answer was {self.oldest_ms:.0f} ms old"]
        most_cpu = AIM_CPU_PERCENT[self.people]
        aims = (
            (self.dropped <= AIM_LOSS * self.images, f"{self.dropped} of {self.images} images dropped"),
            (self.latency_p50_ms < AIM_P50_MS, f"p50 is {self.latency_p50_ms:.1f} ms"),
            (self.latency_p99_ms < AIM_P99_MS, f"p99 is {self.latency_p99_ms:.0f} ms"),
            (self.cpu_percent < most_cpu, f"{self.cpu_percent:.0f} % of a core, not {most_cpu:.0f}"),
            (self.peak_memory_mb < AIM_MEMORY_MB, f"the node takes {self.peak_memory_mb:.0f} MB"),
        )
        return [text for met, text in aims if not met]


@dataclass(frozen=True)
class Played:
    """What the camera shows: size of its pictures, how they travel, for how long a scene is measured, and
    the node's parameter `threads`."""

    width: int
    height: int
    transport: str
    seconds: float
    threads: int


COLUMNS = {
    "scene": -12, "found": 7, "images": 8, "answered": 10, "dropped": 9, "Hz": 7, "p50 ms": 9,
    "p99 ms": 9, "max ms": 9, "oldest": 9, "CPU %": 8, "MB": 6, "peak MB": 9,
}  # fmt: skip
"""Width of each column, negative where it begins at the left."""


class Table:
    """Results as they come; on a terminal, the scene at work shows how it fares so far."""

    def __init__(self, out: TextIO, busy: int = 0) -> None:
        """busy: how many other processes keep the machine busy, which is told, and changes the aims."""
        self._out = out
        self._busy = busy

    def begin(self, where: dict[str, Any], played: Played, profile: str) -> None:
        """Say what is measured, and on what."""
        self._print(
            f"{where['processor']}, {where['cores']} cores, Python {where['python']}; "
            f"Fast DDS profile: {profile or 'none'}"
        )
        self._print(
            f"{played.width}x{played.height} {played.transport} at {RATE} Hz, {played.seconds:g} s a scene, "
            f"beside {self._busy} busy processes; the node\nhas threads={played.threads}; camera, node and "
            "listener are processes of their own; latency from the image's\nstamp to /emotions received; "
            "oldest: how old the newest answer ever was (ms); CPU in percent of one core\n"
        )
        self._line({name: name for name in COLUMNS})

    def progress(self, scene: Scene, heard: Any) -> None:
        """Show how a scene fares so far (a `measuring.Measurement`), on one line that is written over."""
        if not self._out.isatty() or not heard.latency_s:
            return
        p50, p99 = np.percentile(1000.0 * np.array(list(heard.latency_s.values())), (50, 99))
        cells = {
            "scene": scene.name,
            "images": len(heard.published),
            "answered": len(heard.latency_s),
            "p50 ms": f"{p50:.1f}",
            "p99 ms": f"{p99:.1f}",
        }
        self._out.write("\r")
        self._line(cells, end="")

    def row(self, result: SceneResult) -> None:
        """Show one scene's result."""
        found = sum(faces * count for faces, count in result.faces_found.items()) / result.answers
        if self._out.isatty():
            self._out.write("\r\033[K")
        self._line(
            {
                "scene": result.scene,
                "found": f"{found:.2f}",
                "images": result.images,
                "answered": result.answers,
                "dropped": result.dropped,
                "Hz": f"{result.rate_hz:.1f}",
                "p50 ms": f"{result.latency_p50_ms:.1f}",
                "p99 ms": f"{result.latency_p99_ms:.1f}",
                "max ms": f"{result.latency_max_ms:.1f}",
                "oldest": f"{result.oldest_ms:.0f}",
                "CPU %": f"{result.cpu_percent:.0f}",
                "MB": f"{result.memory_mb:.0f}",
                "peak MB": f"{result.peak_memory_mb:.0f}",
            }
        )

    def end(self, results: list[SceneResult]) -> None:
        """Show where the node's time goes, and which aims were missed."""
        names = [stage for stage in STAGES if any(stage in result.stages_ms for result in results)]
        self._print("\np50 / p99 ms" + "".join(f"{name:>14}" for name in names))
        for result in results:
            cells = [_pair(result.stages_ms.get(name)) for name in names]
            self._print(f"{result.scene:12}" + "".join(f"{cell:>14}" for cell in cells))
        last = results[-1]
        self._print(f"\n{last.model} in {last.runtime}, detector {last.detector}; aims: {self._aims()}")
        for result in results:
            self._print(f"{result.scene}: {'; '.join(result.missed(self._busy > 0)) or 'all aims met'}")

    def _aims(self) -> str:
        if self._busy:
            return f"the newest answer never older than {AIM_OLDEST_MS:.0f} ms"
        cpu = ", ".join(f"{most:.0f} % of a core with {n}" for n, most in AIM_CPU_PERCENT.items())
        return (
            f"every image answered, p50 under {AIM_P50_MS:.0f} ms and p99 under {AIM_P99_MS:.0f}, "
            f"under {cpu}, peak under {AIM_MEMORY_MB:.0f} MB"
        )

    def _line(self, cells: dict[str, Any], end: str = "\n") -> None:
        words = ((str(cells.get(name, "")), width) for name, width in COLUMNS.items())
        self._print("".join(w.ljust(-width) if width < 0 else w.rjust(width) for w, width in words), end)

    def _print(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self._out, flush=True)


def _pair(times: dict[str, float] | None) -> str:
    return f"{times['p50']:.1f} / {times['p99']:.1f}" if times else ""
