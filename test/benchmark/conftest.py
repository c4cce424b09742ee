"""What several tests of measuring power need."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def nothing(monkeypatch):
    """A machine without tegrastats and NVML, whatever this one has."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
