"""An export is described, scored and compared with its source, or it is not there at all."""

import json

import numpy as np
import onnx
import pytest

from lightfer_ros.compression import export as exporting
from lightfer_ros.compression.calibrate import METHODS
from lightfer_ros.compression.check import BOUNDS, compare_answers, require
from lightfer_ros.compression.export import KINDS, Exporter, QuantizeOptions
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.running import to_input
from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import read_metadata
from lightfer_ros.runtimes import RuntimeOptions, load

from .tiny import faces, tiny_network


@pytest.fixture
def exporter():
    about = ModelMetadata(
        "tiny", "", "onnx", "fp32", 16, 1, "none", "random",
        layout="nchw", normalization=Normalization(2 / 255, -1.0), compression_ratio=8.0,
    )  # fmt: skip
    check = FaceSet(faces(30, 5), np.arange(30) % 7, tuple(map(str, range(30))), np.arange(30))
    return Exporter(tiny_network(), about, faces(60, 6), check, "toy", QuantizeOptions(faces=40))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_runs_in_our_runtime_and_scores_what_its_metadata_says(exporter, tmp_path, kind, monkeypatch):
    for precision in ("fp16", "int8", "int8_trt"):  # a random net is touchy: 1 of 30 faces is 3 %
        monkeypatch.setitem(BOUNDS, precision, BOUNDS["int4"])
    made = exporter.write(tmp_path, [kind])[0]
    about = read_metadata(made.path)  # checks the hash
    assert about == made.metadata and about.precision == kind and about.compression_ratio == 8.0
    with load(made.path, RuntimeOptions(runtime="onnxruntime")) as session:
        batch = to_input(exporter.check.images, about.normalization).transpose(0, 2, 3, 1)
        answers = session.run(np.ascontiguousarray(batch))
    accuracy = (answers.argmax(1) == exporter.check.labels).mean()
    assert about.accuracy["toy"] == pytest.approx(accuracy, abs=1e-4)


def test_the_calibration_method_is_chosen_by_measurement(exporter):
    exporter.quantizable()
    assert exporter.method in METHODS


def test_the_file_carries_its_metadata(exporter, tmp_path):
    made = exporter.write(tmp_path, ["fp32"])[0]
    inside = {p.key: p.value for p in onnx.load(made.path).metadata_props}
    record = json.loads(inside["lightfer"])
    assert record["name"] == "tiny-fp32" and record["normalization"]["offset"] == -1.0


def test_an_export_that_strays_is_refused_and_leaves_nothing(exporter, tmp_path, monkeypatch):
    wrong = to_onnx(tiny_network(seed=9), "wrong")
    monkeypatch.setitem(exporting.KINDS, "fp32", lambda e, opset: wrong)
    with pytest.raises(ModelError, match=r"tiny-fp32.onnx is not the network it was made from"):
        exporter.write(tmp_path, ["fp32"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_names_the_known_ones(exporter, tmp_path):
    with pytest.raises(ConfigurationError, match="'int2', expected one of fp32"):
        exporter.write(tmp_path, ["int2"])


def test_a_failed_write_keeps_the_file_that_was_there(exporter, tmp_path, monkeypatch):
    first = exporter.write(tmp_path, ["fp32"])[0].path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ModelError, match="No space left"):
        exporter.write(tmp_path, ["fp32"])
    assert (tmp_path / "tiny-fp32.onnx").read_bytes() == first
    assert read_metadata(tmp_path / "tiny-fp32.onnx").name == "tiny-fp32"
    assert not list(tmp_path.glob("*.partial"))


def test_agreement_is_measured_in_labels_and_differences():
    source = np.array([[0.6, 0.4, 0, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0, 0, 0]])
    other = np.array([[0.4, 0.6, 0, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0, 0, 0]])
    found = compare_answers(source, other)
    assert found.agreement == 0.5 and found.largest == pytest.approx(0.2)
    with pytest.raises(ModelError, match=r"50\.00% keep their label"):
        require("x.onnx", "fp16", found)
