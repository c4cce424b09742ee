"""An engine that cannot run one cell is asked for the others, unless it does not open their file at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.benchmark import cells
from lightfer_ros.benchmark.cells import Cell
from lightfer_ros.benchmark.model_files import ModelFile
from lightfer_ros.model.metadata import read_metadata

from ..runtimes.conftest import TinyNetwork

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture
def file(tmp_path) -> ModelFile:
    path = TinyNetwork().save_as("onnx", "fp32", tmp_path)
    return ModelFile(path, read_metadata(path))


@pytest.fixture
def faces(tmp_path) -> tuple[Path, None]:
    """8 crops as a file, without labels."""
    np.save(tmp_path / "faces.npy", TinyNetwork().crops(8))
    return tmp_path / "faces.npy", None


SMALL_MEMORY = """
from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.runtimes.onnxruntime import OnnxRuntimeSession

def register_runtime():
    infer = OnnxRuntimeSession._infer

    def refuse(session, batch):
        if len(batch) > 2:
            raise RuntimeUnavailableError(f"out of memory for {len(batch)}")
        return infer(session, batch)

    OnnxRuntimeSession._infer = refuse
"""


def test_an_engine_that_refuses_a_batch_is_asked_for_the_others(file, faces, monkeypatch):
    (file.path.parent / "small_memory.py").write_text(SMALL_MEMORY)
    monkeypatch.setenv("PYTHONPATH", str(file.path.parent))
    monkeypatch.setattr(cells, "EXTRA_RUNTIMES", ("small_memory",))
    asked = [Cell("onnxruntime", file, batch, 1) for batch in (4, 1, 2, 3)]
    rows = list(cells.measure(asked, *faces, seconds=0.1))
    assert [row.error for row in rows] == ["out of memory for 4", None, None, "out of memory for 3"]


def test_an_engine_that_is_missing_for_a_large_batch_is_asked_for_the_usual_ones(file, faces, monkeypatch):
    missing = {"error": "no engine for this GPU", "unavailable": True}
    asked = []
    monkeypatch.setattr(cells, "_ask", lambda cell: asked.append(cell["batch"]) or missing)
    batches = [Cell("tensorrt", file, batch, 1) for batch in (64, 8, 16, 64)]
    assert len(list(cells.measure(batches, *faces, seconds=0.1))) == 4
    assert asked == [64, 8]
