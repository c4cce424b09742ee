"""Power is read where a machine tells it, as its maker documents, and is never made up."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.benchmark.power import Power, PowerWatch
from lightfer_ros.benchmark.power_sources import (
    Counter,
    Gauge,
    board_power,
    jetson_memory_mb,
    jetson_rails,
    rapl_packages,
    tegrastats_rails,
)

NANO = (
    "RAM 1903/3956MB (lfb 2x1MB) SWAP 0/1978MB (cached 0MB) IRAM 0/252kB(lfb 252kB) CPU [21%@1479,14%@1479,"
    "17%@1479,100%@1479] EMC_FREQ 12%@1600 GR3D_FREQ 45%@921 APE 25 PLL@34C CPU@38C PMIC@100C GPU@35.5C "
    "thermal@36.75C POM_5V_IN 3215/3300 POM_5V_GPU 123/120 POM_5V_CPU 812/790"
)
"""L4T 32 on the original Nano."""
ORIN_NANO = (
    "11-25-2026 09:00:01 RAM 2417/7620MB (lfb 3x4MB) SWAP 0/3810MB (cached 0MB) CPU [5%@729,off,2%@729,"
    "0%@729] EMC_FREQ 1%@2133 GR3D_FREQ 0%@[305] cpu@47.1C soc2@46.3C tj@47.5C VDD_IN 4990mW/4985mW "
    "VDD_CPU_GPU_CV 784mW/780mW VDD_SOC 1333mW/1330mW"
)
"""L4T 36 on an Orin Nano."""
AGX_XAVIER = (
    "RAM 1/15827MB CPU [0%@1190] GPU 0/10 CPU 310/311 SOC 931/930 CV 0/0 VDDRQ 155/150 SYS5V 1372/1370"
)


BUSY = OSError(16, "Device or resource busy")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def nano(root: Path) -> None:
    device = root / "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    for index, (name, power) in enumerate((("POM_5V_IN", 3215), ("POM_5V_GPU", 123), ("POM_5V_CPU", 812))):
        write(device / f"rail_name_{index}", name)
        write(device / f"in_power{index}_input", str(power))


def orin(root: Path) -> None:
    device = root / "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"
    for index, (name, volts, amperes) in enumerate(
        (("VDD_IN", 5000, 998), ("VDD_CPU_GPU_CV", 4900, 160), ("NC", 0, 0)), 1
    ):
        write(device / f"in{index}_label", name)
        write(device / f"in{index}_input", str(volts))
        write(device / f"curr{index}_input", str(amperes))
    write(device / "in7_label", "sum of shunt voltages")


@pytest.mark.parametrize(
    ("line", "milliwatts", "of"),
    [
        (NANO, 3215.0, "the whole board (POM_5V_IN)"),
        (ORIN_NANO, 4990.0, "the whole board (VDD_IN)"),
        (AGX_XAVIER, 2768.0, "the sum of the board's rails (GPU, CPU, SOC, CV, VDDRQ, SYS5V)"),
    ],
    ids=["nano", "orin", "xavier"],
)
def test_a_line_of_tegrastats_gives_the_power_now(line, milliwatts, of):
    assert board_power(tegrastats_rails(line)) == (milliwatts, of)


@given(st.text())
def test_no_line_whatever_breaks_the_reading(line):
    assert all(power >= 0.0 for power in tegrastats_rails(line).values())


def test_a_line_without_power_gives_none():
    assert tegrastats_rails("RAM 1903/3956MB (lfb 2x1MB) CPU [21%@1479,14%@1479] GR3D_FREQ 45%@921") == {}


@pytest.mark.parametrize(("board", "milliwatts"), [(nano, 3215.0), (orin, 4990.0)])
def test_a_jetsons_sensors_are_read_without_root(tmp_path, nothing, board, milliwatts):
    board(tmp_path)
    assert "NC" not in jetson_rails(tmp_path), "a channel that is not connected"
    watch = PowerWatch(tmp_path)
    watch.start()
    power = watch.stop()
    assert power.milliwatts == pytest.approx(milliwatts)
    assert power.of.startswith("the whole board")


def tegrastats(folder: Path, then: str) -> str:
    """A program that says two lines, writes a word into the FIFO `said`, and then does something else."""
    program = folder / "tegrastats"
    later = NANO.replace("POM_5V_IN 3215", "POM_5V_IN 3415")
    os.mkfifo(folder / "said")
    lines = f"[ $1 = --interval ] && echo '{NANO}' && echo '{later}'\necho all > {folder / 'said'}"
    program.write_text(f"#!/bin/sh\n{lines}\n{then}\n")
    program.chmod(0o755)
    return str(program)


def test_where_only_tegrastats_tells_it_its_lines_are_averaged(tmp_path, nothing):
    watch = PowerWatch(tmp_path, tegrastats(tmp_path, then="exec sleep 600"))
    watch.start()
    assert (tmp_path / "said").read_text() == "all\n"
    assert watch.stop().milliwatts == pytest.approx(3315.0)


def test_what_tegrastats_said_before_it_ended_is_not_the_power(tmp_path, nothing):
    watch = PowerWatch(tmp_path, tegrastats(tmp_path, then="exit 3"))
    watch.start()
    assert (tmp_path / "said").read_text() == "all\n"
    watch._process.wait()
    power = watch.stop()
    assert power.milliwatts is None
    assert power.of.startswith("not measured to the end: tegrastats: ended with exit code 3")


def test_a_tegrastats_that_cannot_be_run_is_a_reason(tmp_path, nothing):
    program = tmp_path / "tegrastats"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    watch = PowerWatch(tmp_path, str(program))
    watch.start()
    power = watch.stop()
    assert power.milliwatts is None
    assert "tegrastats: cannot be run" in power.of and "Exec format error" in power.of


def test_a_sensor_that_is_busy_for_a_moment_loses_nothing_but_that_moment(nothing):
    watch, enough, answers = PowerWatch(), threading.Event(), iter([100.0, BUSY, 300.0])

    def read() -> float:
        answer = next(answers, None)
        if answer is None:
            enough.set()
            return 200.0
        if answer is BUSY:
            raise BUSY
        return answer

    watch._gauges, watch._counters = [Gauge("board", read)], []
    watch.start()
    assert enough.wait(60)
    assert watch.stop() == Power(pytest.approx(200.0), "board")


@pytest.mark.parametrize("what", ["a GPU", "a counter"])
def test_a_watch_that_broke_off_tells_no_power_and_why(nothing, what):
    watch, broken, answers = PowerWatch(), threading.Event(), iter([100, 100])

    def read() -> int:
        answer = next(answers, None)
        if answer is None:
            broken.set()
            raise BUSY
        return answer

    steady = Gauge("board", lambda: 100.0)
    watch._gauges = [steady, Gauge("broken", read)] if what == "a GPU" else [steady]
    watch._counters = [] if what == "a GPU" else [Counter("broken", read, 10**6)]
    watch.start()
    if what == "a GPU":
        assert broken.wait(60)
    else:
        next(answers)
    assert watch.stop() == Power(None, f"not measured to the end: broken: {BUSY}")


def test_energy_counters_of_packages_give_the_mean_power(tmp_path, nothing, monkeypatch):
    zones = tmp_path / "sys/class/powercap"
    for zone, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")):
        write(zones / zone / "name", name)
        write(zones / zone / "energy_uj", "9000000")
        write(zones / zone / "max_energy_range_uj", "10000000")
    clock = iter([100.0, 102.0])
    monkeypatch.setattr("lightfer_ros.benchmark.power.time.monotonic", lambda: next(clock))
    watch = PowerWatch(tmp_path)
    watch.start()
    write(zones / "intel-rapl:0/energy_uj", "3000000")  # it went round: 4 J in 2 s
    power = watch.stop()
    assert (power.milliwatts, power.of) == (pytest.approx(2000.0), "processor package-0")


@given(st.integers(0, 10**6 - 1), st.integers(0, 10**6 - 1))
def test_a_counter_that_goes_round_loses_nothing(first, taken):
    counter = Counter("package", lambda: 0, 10**6)
    assert counter.between_uj(first, (first + taken) % 10**6) == taken


def test_a_counter_that_only_root_may_read_is_named(tmp_path, nothing, monkeypatch):
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    write(zone / "name", "package-0")
    real = Path.read_text

    def read_text(path: Path, *rest: object) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(Path, "read_text", read_text)
    counters, reason = rapl_packages(tmp_path)
    assert counters == [] and "RAPL cannot be read (Permission denied)" in reason
    watch = PowerWatch(tmp_path)
    watch.start()
    power = watch.stop()
    assert power.milliwatts is None
    assert power.of.startswith("not measurable here: no Jetson sensors; RAPL cannot be read")


def test_a_jetson_tells_the_gpus_memory_of_a_process_to_root(tmp_path):
    clients = tmp_path / "sys/kernel/debug/nvmap/iovmm/clients"
    write(
        clients,
        "CLIENT                        PROCESS      PID        SIZE\n"
        "user                           python3     4711     476000K\n"
        "user                              Xorg     5001      30124K\n"
        "total                                                506124K",
    )
    assert jetson_memory_mb(4711, tmp_path) == pytest.approx(476000 * 1.024e-3)
    assert jetson_memory_mb(1, tmp_path) is None
    assert jetson_memory_mb(4711, tmp_path / "elsewhere") is None
