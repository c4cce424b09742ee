"""For every test: examples decide, not the clock; none changes the next one's runtimes; a shared pipeline."""

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


@pytest.fixture(scope="module")
def loaded():
    """A pipeline that lets nobody wait, shared by the tests of a module: loading takes a second."""
    from lightfer_ros.errors import ModelError
    from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig

    try:
        pipeline = Pipeline(PipelineConfig(budget_ms=0.0))
    except ModelError as error:
        pytest.skip(str(error))
    with pipeline:
        yield pipeline


@pytest.fixture
def pipeline(loaded):
    """The module's pipeline, as if new."""
    loaded.reset()
    return loaded
