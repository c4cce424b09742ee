"""`lightfer benchmark study`: runs beside each other, each figure from the run's own file."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")

from lightfer_ros.cli.main import main
from lightfer_ros.compression.graph import Conv, Dense, GlobalAverage, Network
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.model import EMOTIONS, ModelMetadata, Normalization
from lightfer_ros.model.metadata import write_metadata


def network(filters: int, zeros: float = 0.0) -> Network:
    """zeros: share of the weights that are zero."""
    rng = np.random.default_rng(filters)

    def drawn(*shape: int) -> np.ndarray:
        values = rng.normal(0, 1, shape).astype(np.float32)
        return np.where(rng.uniform(size=shape) < zeros, np.float32(0), values)

    operations = (
        Conv("stem1", ("faces",), drawn(filters, 1, 3, 3), drawn(filters)),
        Conv("stem2", ("stem1",), drawn(filters, filters, 3, 3), drawn(filters)),
        GlobalAverage("pool", ("stem2",)),
        Dense("logits", ("pool",), drawn(filters, 7), drawn(7)),
    )
    return Network(operations, "faces", 48, 1)


@pytest.fixture
def run_of(tmp_path):
    """Makes the folder of a finished run with its export."""

    def make(filters: int, ratio: float = 0.0, zeros: float = 0.0):
        folder = tmp_path / f"run{filters}-{ratio:g}"
        (folder / "export").mkdir(parents=True)
        recipe = {"name": "toy", "network": {"width": 0.5}, "prune": {"ratio": ratio}}
        recipe["prune"]["what"] = "weights" if zeros else "channels"
        (folder / "run.json").write_text(json.dumps({"recipe": recipe, "epochs_done": 20}))
        path = folder / "export" / "toy-fp32.onnx"
        path.write_bytes(to_onnx(network(filters, zeros), "toy").SerializeToString())
        about = ModelMetadata("toy-fp32", "", "onnx", "fp32", 48, 1, "none", "random", layout="nchw")
        write_metadata(path, dataclasses.replace(about, normalization=Normalization(2 / 255, -1.0)))
        return folder

    return make


@pytest.fixture
def data(tmp_path):
    for i, name in enumerate(EMOTIONS):
        folder = tmp_path / "data" / "PublicTest" / name
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), np.full((48, 48), 30 * i, np.uint8))
    return tmp_path / "data"


def test_every_run_has_its_row_and_zeros_shrink_only_the_archive(run_of, data, capsys):
    runs = [run_of(64), run_of(32, ratio=8.0), run_of(64, ratio=9.0, zeros=0.5)]
    assert main(["benchmark", "study", *map(str, runs), "--data", str(data), "--json"]) == 0
    wide, pruned, zeroed = json.loads(capsys.readouterr().out)
    assert pruned["network"] == "toy: pruned from width 0.5 to R = 8" and pruned["epochs"] == 20
    assert zeroed["network"] == "toy: pruned from width 0.5 to R = 9 by zeros"
    for figure in ("parameters", "mmacs", "megabytes", "gzipped"):
        assert pruned[figure] < 0.5 * wide[figure], figure  # removed channels shrink everything
    assert zeroed["parameters"] == pytest.approx(wide["parameters"] / 2, rel=0.05)
    assert zeroed["ratio"] == pytest.approx(2 * wide["ratio"], rel=0.05)
    assert zeroed["megabytes"] == pytest.approx(wide["megabytes"], rel=0.01)
    assert zeroed["mmacs"] == wide["mmacs"] and zeroed["gzipped"] < 0.8 * wide["gzipped"]


def test_a_run_without_its_export_says_the_command(run_of, data, capsys):
    folder = run_of(16)
    (folder / "export" / "toy-fp32.onnx").unlink()
    assert main(["benchmark", "study", str(folder), "--data", str(data)]) == 2
    assert "expected one: lightfer export --model" in capsys.readouterr().err
