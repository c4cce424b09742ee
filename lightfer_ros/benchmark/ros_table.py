"""How the node fared with a scene, and the table that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from lightfer_ros.benchmark.scenes import HEIGHT, RATE, WIDTH, Scene

AIM_LOSS, AIM_P99_MS, AIM_MEMORY_MB = 0.01, 60.0, 300.0
"""30 Hz are kept where no more than this share of the images goes unanswered."""

STAGES = (
    *("decode", "follow", "detect", "landmarks", "pose", "align", "classify", "reliability"),
    *("publish", "total"),
)


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
    cpu_percent: float
    """Of one core."""
    memory_mb: float
    peak_memory_mb: float
    stages_ms: dict[str, dict[str, float]]
    model: str
    runtime: str
    detector: str

    @property
    def missed(self) -> list[str]:
        """The aims it missed, in words."""
        aims = (
            (self.dropped <= AIM_LOSS * self.images, f"{self.dropped} of {self.images} images dropped"),
            (self.latency_p99_ms < AIM_P99_MS, f"p99 is {self.latency_p99_ms:.0f} ms"),
            (self.peak_memory_mb < AIM_MEMORY_MB, f"the node takes {self.peak_memory_mb:.0f} MB"),
        )
        return [text for met, text in aims if not met]


COLUMNS = {
    "scene": -12, "found": 7, "images": 8, "answered": 10, "dropped": 9, "Hz": 7, "p50 ms": 9,
    "p99 ms": 9, "max ms": 9, "CPU %": 8, "MB": 6, "peak MB": 9,
}  # fmt: skip
"""Width of each column, negative where it begins at the left."""


class Table:
    """Results as they come; on a terminal, the scene at work shows how it fares so far."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def begin(self, where: dict[str, Any], seconds: float, profile: str) -> None:
        """Say what is measured, and on what."""
        self._print(
            f"{where['processor']}, {where['cores']} cores, Python {where['python']}; "
            f"Fast DDS profile: {profile or 'none'}"
        )
        self._print(
            f"{WIDTH}x{HEIGHT} at {RATE} Hz, {seconds:g} s a scene; camera, node and listener are processes\n"
            "of their own; latency from the image's stamp to /emotions received; CPU in percent of one core\n"
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
        self._print(
            f"\n{last.model} in {last.runtime}, detector {last.detector}; aims: no more than {AIM_LOSS:.0%} "
            f"dropped, p99 under {AIM_P99_MS:.0f} ms, peak under {AIM_MEMORY_MB:.0f} MB"
        )
        for result in results:
            self._print(f"{result.scene}: {'; '.join(result.missed) or 'all aims met'}")

    def _line(self, cells: dict[str, Any], end: str = "\n") -> None:
        words = ((str(cells.get(name, "")), width) for name, width in COLUMNS.items())
        self._print("".join(w.ljust(-width) if width < 0 else w.rjust(width) for w, width in words), end)

    def _print(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self._out, flush=True)


def _pair(times: dict[str, float] | None) -> str:
    return f"{times['p50']:.1f} / {times['p99']:.1f}" if times else ""
