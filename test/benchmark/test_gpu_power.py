"""A GPU's power and a process's memory on it, as NVML tells them, or why not."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest

from lightfer_ros.benchmark import power_sources
from lightfer_ros.benchmark.power import Power, PowerWatch, gpu_memory_mb


def fake_nvml() -> ModuleType:
    """Two GPUs, one of which does not tell its power; only the calls that NVML has."""
    module = ModuleType("pynvml")
    module.NVMLError = type("NVMLError", (Exception,), {})
    ready = []

    def power(handle: str) -> int:
        assert ready, "nvmlInit comes first"
        if handle == "handle 1":
            raise module.NVMLError("Not Supported")
        return 61500

    module.nvmlInit = lambda: ready.append(True)
    module.nvmlDeviceGetCount = lambda: 2
    module.nvmlDeviceGetHandleByIndex = lambda index: f"handle {index}"
    module.nvmlDeviceGetPowerUsage = power
    module.nvmlDeviceGetComputeRunningProcesses = lambda handle: [
        SimpleNamespace(pid=42, usedGpuMemory=300_000_000),
        SimpleNamespace(pid=43, usedGpuMemory=None),
    ]
    return module


def test_a_gpus_power_and_a_processs_memory_on_it_come_from_nvml(tmp_path, nothing, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    watch = PowerWatch(tmp_path)
    watch.start()
    power = watch.stop()
    assert (power.milliwatts, power.of) == (pytest.approx(61500.0), "GPU 0")
    assert gpu_memory_mb(42) == pytest.approx(600.0)
    assert gpu_memory_mb(43) is None and gpu_memory_mb(44) is None


def test_a_gpu_that_is_lost_while_it_is_watched_tells_no_power_and_why(tmp_path, nothing, monkeypatch):
    module, lost = fake_nvml(), threading.Event()
    monkeypatch.setitem(sys.modules, "pynvml", module)
    watch = PowerWatch(tmp_path)

    def fail(handle: str) -> int:
        lost.set()
        raise module.NVMLError("GPU is lost")

    watch.start()
    module.nvmlDeviceGetPowerUsage = fail
    assert lost.wait(60)
    assert watch.stop() == Power(None, "not measured to the end: GPU 0: NVML: GPU is lost")


@pytest.mark.parametrize(
    "call", ["nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetComputeRunningProcesses"]
)
def test_what_nvml_does_not_support_is_not_told(nothing, monkeypatch, call):
    module = fake_nvml()

    def fail(*_: object) -> None:
        raise module.NVMLError("Not Supported")

    setattr(module, call, fail)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    assert gpu_memory_mb(42) is None
    assert [gauge.of for gauge in power_sources.nvml_gauges(power_sources.nvml()[0])] == (
        ["GPU 0"] if call == "nvmlDeviceGetComputeRunningProcesses" else []
    )


def test_a_driver_that_is_not_there_is_a_reason(monkeypatch):
    module = fake_nvml()

    def fail() -> None:
        raise module.NVMLError("Driver Not Loaded")

    module.nvmlInit = fail
    monkeypatch.setitem(sys.modules, "pynvml", module)
    assert power_sources.nvml() == (None, "NVML finds no driver (Driver Not Loaded)")
