"""What a measurement was made on: the machine in words, and what a process takes of it."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.errors import LightferError


def machine() -> dict[str, str | int]:
    """Processor, cores, memory in MB, system and Python: what a number needs beside it to mean something."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": round(memory / 1e6),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


@dataclass(frozen=True)
class ProcessLoad:
    """What one process has taken until a moment."""

    at_s: float
    """The moment, seconds of a clock that only goes forward."""
    cpu_s: float
    """Seconds of processor time, in user and system, of all threads."""
    memory_mb: float
    """Resident memory, MB (10^6 bytes)."""
    peak_memory_mb: float

    @classmethod
    def of(cls, pid: int) -> ProcessLoad:
        """The load of a process of this machine, from /proc. Raises LightferError where it does not run."""
        folder = Path(f"/proc/{pid}")
        try:
            # The name, in parentheses, may hold anything: fields are counted from behind it.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            resident, peak = (_field(folder / "status", name) for name in ("VmRSS", "VmHWM"))
        except OSError as error:
            raise LightferError(f"process {pid} cannot be measured: {error}") from None
        ticks = int(fields[11]) + int(fields[12])
        return cls(
            at_s=time.monotonic(),
            cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
            memory_mb=_kilobytes(resident) * 1.024e-3,
            peak_memory_mb=_kilobytes(peak) * 1.024e-3,
        )

    def cpu_percent_since(self, earlier: ProcessLoad) -> float:
        """Processor time taken since an earlier moment, percent of one core."""
        return 100.0 * (self.cpu_s - earlier.cpu_s) / (self.at_s - earlier.at_s)


def _field(path: Path, name: str) -> str:
    """The value of the first line `name: value`, empty where there is none."""
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _kilobytes(value: str) -> int:
    return int(value.split()[0]) if value else 0
