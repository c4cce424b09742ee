"""Benchmarks bring the Keras runtime, which nobody else is to meet."""

import pytest

from lightfer_ros.runtimes import registry


@pytest.fixture(autouse=True)
def runtimes_as_before(monkeypatch):
    monkeypatch.setattr(registry, "_RUNTIMES", dict(registry._RUNTIMES))
