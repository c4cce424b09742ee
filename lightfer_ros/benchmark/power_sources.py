"""What tells a machine's power: Jetson's INA sensors and tegrastats, NVIDIA's NVML, the kernel's RAPL.

Paths and units are those of NVIDIA's Jetson Linux Developer Guide (power management, "Software-Based Power
Consumption Modeling"; kernel documentation hwmon/ina3221), of Linux's power/powercap/powercap and of NVML's
nvmlDeviceGetPowerUsage. Not run on a Jetson: tested on trees and lines made as documented there.
"""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOTAL_RAILS = ("POM_5V_IN", "VDD_IN")
"""Rails through which all of a board's power comes: Nano's, and that of TX2, Xavier NX, Orin Nano and NX."""

_TEGRASTATS_RAIL = re.compile(
    r"\b((?:POM|VDD|VIN|VDDQ|CPU|GPU|SOC|CV|SYS)\w*) (\d+)(?:mW)?/(\d+)(?:mW)?(?=\s|$)"
)


@dataclass(frozen=True)
class Gauge:
    """Power at a moment. of: what it is the power of. read_mw: milliwatts; may raise OSError."""

    of: str
    read_mw: Callable[[], float]


@dataclass(frozen=True)
class Counter:
    """Energy since some moment. read_uj: microjoules; may raise OSError. wraps_uj: where it begins anew."""

    of: str
    read_uj: Callable[[], int]
    wraps_uj: int

    def between_uj(self, first: int, last: int) -> int:
        """Energy between two readings that are less than one turn apart."""
        return last - first if last >= first else last - first + self.wraps_uj


def jetson_rails(root: Path = Path("/")) -> dict[str, Gauge]:
    """Every rail of a Jetson's INA3221 sensors by its name; empty elsewhere.

    L4T 32 (the original Nano) has them as iio devices in milliwatts, later ones as hwmon in millivolts and
    milliamperes.
    """
    rails = {}
    for label in sorted(root.glob("sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_[0-2]")):
        power = label.with_name(f"in_power{label.name[-1]}_input")
        rails[_word(label)] = Gauge(_word(label), lambda power=power: float(_word(power)))  # type: ignore[misc]
    for label in sorted(root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*/in[1-3]_label")):
        volts, amperes = (
            label.with_name(f"in{label.name[2]}_input"),
            label.with_name(f"curr{label.name[2]}_input"),
        )
        rails[_word(label)] = Gauge(
            _word(label),
            lambda volts=volts, amperes=amperes: int(_word(volts)) * int(_word(amperes)) / 1000.0,  # type: ignore[misc]
        )
    return {name: gauge for name, gauge in rails.items() if name != "NC"}


def tegrastats_rails(line: str) -> dict[str, float]:
    """The rails in a line of tegrastats and their power now, mW.

    They read `POM_5V_IN 3215/3300` or `VDD_IN 4990mW/4990mW`, by the version; the second figure,
    the average since tegrastats began, is left out.
    """
    return {name: float(now) for name, now, _ in _TEGRASTATS_RAIL.findall(line)}


def board_power(rails: Mapping[str, float]) -> tuple[float, str]:
    """The board's power in mW from that of its rails, and what it is the power of.

    Where no rail carries everything (AGX Xavier, AGX Orin) it is the sum of all.
    """
    for name in TOTAL_RAILS:
        if name in rails:
            return rails[name], f"the whole board ({name})"
    return sum(rails.values()), f"the sum of the board's rails ({', '.join(rails)})"


def rapl_packages(root: Path = Path("/")) -> tuple[list[Counter], str]:
    """The energy counters of the processor's packages, and why there are none.

    Their parts (core, uncore) are left out, they are in the package's; so is psys, which not all boards wire.
    """
    counters, reason = [], "no RAPL in /sys/class/powercap"
    for zone in sorted(root.glob("sys/class/powercap/intel-rapl:[0-9]*")):
        if zone.name.count(":") > 1 or not _word(zone / "name").startswith("package"):
            continue
        energy = zone / "energy_uj"
        try:
            int(_word(energy))
            wraps = int(_word(zone / "max_energy_range_uj"))
        except OSError as error:
            reason = f"RAPL cannot be read ({error.strerror}): {energy} is root's"
            continue
        counters.append(
            Counter(f"processor {_word(zone / 'name')}", lambda energy=energy: int(_word(energy)), wraps)  # type: ignore[misc]
        )
    return counters, "" if counters else reason


def nvml() -> tuple[Any, str]:
    """NVIDIA's management library, ready, or None and why not."""
    try:
        import pynvml
    except ImportError:
        return None, "NVML is not here (pip install nvidia-ml-py, beside an NVIDIA driver)"
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return None, f"NVML finds no driver ({error})"
    return pynvml, ""


def nvml_gauges(library: Any) -> list[Gauge]:
    """The power of every GPU that tells it."""
    gauges = []
    try:
        count = library.nvmlDeviceGetCount()
    except library.NVMLError:
        count = 0
    for index in range(count):
        gauge = Gauge(f"GPU {index}", lambda index=index: _nvml_power_mw(library, index))  # type: ignore[misc]
        try:
            gauge.read_mw()
        except OSError:
            continue  # not supported on this one
        gauges.append(gauge)
    return gauges


def nvml_memory_mb(library: Any, pid: int) -> float | None:
    """Memory that a process holds on all GPUs, MB; None where it holds none, or one of them does not tell."""
    try:
        held = [
            process.usedGpuMemory
            for handle in map(library.nvmlDeviceGetHandleByIndex, range(library.nvmlDeviceGetCount()))
            for process in library.nvmlDeviceGetComputeRunningProcesses(handle)
            if process.pid == pid and process.usedGpuMemory is not None
        ]
    except library.NVMLError:
        return None
    return sum(held) / 1e6 if held else None


def jetson_memory_mb(pid: int, root: Path = Path("/")) -> float | None:
    """Memory that a process holds for a Jetson's GPU, MB (10^6 bytes), from nvmap; only root may read that.

    None where it is not there, not readable, or knows nothing of the process.
    """
    clients = root / "sys/kernel/debug/nvmap/iovmm/clients"
    try:
        lines = [line.split() for line in clients.read_text().splitlines()]
    except OSError:
        return None
    held = [line[-1] for line in lines if len(line) >= 4 and line[-2] == str(pid)]
    units = {"K": 1.024e-3, "M": 1.048576}
    return sum(float(size[:-1]) * units[size[-1]] for size in held if size[-1] in units) if held else None


def _nvml_power_mw(library: Any, index: int) -> float:
    try:
        return float(library.nvmlDeviceGetPowerUsage(library.nvmlDeviceGetHandleByIndex(index)))
    except library.NVMLError as error:
        raise OSError(f"NVML: {error}") from error


def _word(path: Path) -> str:
    return path.read_text().strip()
