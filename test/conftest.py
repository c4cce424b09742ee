"""What holds for every test: examples decide, not the clock, and none changes the runtimes of the next."""

import pytest

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    settings.register_profile("lightfer", deadline=None, print_blob=True)
    settings.load_profile("lightfer")


@pytest.fixture(autouse=True)
def runtimes_as_before(monkeypatch):
    """Benchmarks bring the Keras runtime, which no other test is to meet."""
    from lightfer_ros.runtimes import registry

    monkeypatch.setattr(registry, "_RUNTIMES", dict(registry._RUNTIMES))
