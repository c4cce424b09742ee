"""`lightfer benchmark study`: runs beside each other, each figure from the run's own file."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")

from lightfer_ros.cli.main import main
from lightfer_ros.compression.graph import Conv, Dense, GlobalAverage, Network
from lightfer_ros.compression.magnitude import without_smallest
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.ratio import count_layers
from lightfer_ros.compression.reference import published_layers
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import EMOTIONS, ModelMetadata, Normalization
from lightfer_ros.model.metadata import write_metadata


def network(filters: int) -> Network:
    rng = np.random.default_rng(filters)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 1, shape).astype(np.float32)

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

    def make(filters: int, ratio: float = 0.0):
        folder = tmp_path / f"run{filters}"
        (folder / "export").mkdir(parents=True)
        recipe = {"name": "toy", "network": {"width": 0.5}, "prune": {"ratio": ratio}}
        (folder / "run.json").write_text(json.dumps({"recipe": recipe, "epochs_done": 20}))
        path = folder / "export" / "toy-fp32.onnx"
        path.write_bytes(to_onnx(network(filters), "toy").SerializeToString())
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
    wide, pruned = run_of(64), run_of(32, ratio=8.0)
    options = ["--magnitude", str(wide), "--ratios", "1000", "--json"]
    assert main(["benchmark", "study", str(wide), str(pruned), "--data", str(data), *options]) == 0
    first, second, zeroed = json.loads(capsys.readouterr().out)
    assert second["network"] == "toy: pruned from width 0.5 to R = 8" and second["epochs"] == 20
    for figure in ("parameters", "mmacs", "megabytes", "gzipped"):
        assert second[figure] < 0.5 * first[figure], figure  # removed channels shrink everything
    assert zeroed["ratio"] == pytest.approx(1000, rel=0.01)
    assert zeroed["megabytes"] == pytest.approx(first["megabytes"], rel=0.01)
    assert zeroed["mmacs"] == first["mmacs"] and zeroed["gzipped"] < 0.8 * first["gzipped"]


def test_the_smallest_weights_of_all_layers_go_first():
    net = network(16)
    published = published_layers(net)
    ratio = 1.2 * sum(c.total for c in published.values()) / sum(c.total for c in count_layers(net).values())
    zeroed = without_smallest(net, published, ratio)
    before = np.concatenate([op.kernel.ravel() for op in net.operations[:2]])
    after = np.concatenate([op.kernel.ravel() for op in zeroed.operations[:2]])
    assert np.abs(before[after == 0]).max() < np.abs(after[after != 0]).min()
    with pytest.raises(ConfigurationError, match="R = 1e"):
        without_smallest(net, published, 1e9)


def test_a_run_without_its_export_says_the_command(run_of, data, capsys):
    folder = run_of(16)
    (folder / "export" / "toy-fp32.onnx").unlink()
    assert main(["benchmark", "study", str(folder), "--data", str(data)]) == 2
    assert "expected one: lightfer export --model" in capsys.readouterr().err
