"""An export is described, scored and compared with its source, or it is not there at all."""

import dataclasses
import importlib.util
import zipfile

import numpy as np
import onnx
import pytest

from lightfer_ros.compression.calibrate import METHODS
from lightfer_ros.compression.check import BOUNDS, compare_answers, require
from lightfer_ros.compression.export import Exporter, QuantizeOptions
from lightfer_ros.compression.kinds import KINDS, Kind, OnnxDraft
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.prepare import read_float
from lightfer_ros.compression.running import to_input
from lightfer_ros.errors import ConfigurationError, LightferError, ModelError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import read_metadata
from lightfer_ros.runtimes import RuntimeOptions, load

from .tiny import faces, tiny_network

NEEDS = {"litert": "ai_edge_litert", "keras": "keras"}
"""What a format's kinds cannot do without; onnx is needed by all."""


def skip_without_library(kind):
    library = NEEDS.get(KINDS[kind].format)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{kind} needs {library}")


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
    skip_without_library(kind)
    if kind == "keras":
        pytest.skip("no runtime of ours reads it: see test_keras_file.py")
    for precision in ("fp16", "int8", "int8_trt"):  # a random net is touchy: 1 of 30 faces is 3 %
        monkeypatch.setitem(BOUNDS, precision, BOUNDS["int4"])
    made = exporter.write(tmp_path, [kind])[0]
    about = read_metadata(made.path)  # checks the hash
    assert about == made.metadata and about.compression_ratio == 8.0
    assert (about.format, about.precision, about.name) == (
        KINDS[kind].format, KINDS[kind].precision, f"tiny-{kind}",
    )  # fmt: skip
    with load(made.path, RuntimeOptions()) as session:
        batch = to_input(exporter.check.images, about.normalization).transpose(0, 2, 3, 1)
        answers = session.run(np.ascontiguousarray(batch))
    accuracy = (answers.argmax(1) == exporter.check.labels).mean()
    assert about.accuracy == {"toy": pytest.approx(accuracy, abs=1e-4)}  # and nothing the source had


def test_a_file_that_looks_twice_scores_so_and_says_so(exporter, tmp_path):
    once = exporter.source.argmax(1)
    exporter.check = dataclasses.replace(exporter.check, labels=once)  # so one look is always right
    exporter.about = dataclasses.replace(exporter.about, mirrored=True)
    made = exporter.write(tmp_path, ["fp32"])[0]
    assert read_metadata(made.path).mirrored
    with load(made.path, RuntimeOptions()) as session:
        batch = to_input(exporter.check.images, exporter.about.normalization).transpose(0, 2, 3, 1)
        right = session.run(np.ascontiguousarray(batch)).argmax(1) == once
    assert right.mean() < 1
    assert made.metadata.accuracy == {"toy": pytest.approx(right.mean(), abs=1e-4)}


def test_a_float_file_is_a_source_again_for_all_other_kinds(exporter, tmp_path):
    first = exporter.write(tmp_path, ["fp32"], opset=13)[0]
    network, about = read_float(first.path)
    assert about.name == "tiny" and network.input_size == 16
    again = Exporter(network, about, exporter.calibration[:0], exporter.check, "toy")
    assert np.array_equal(again.source, exporter.source)
    assert [type(op) for op in network.operations] == [type(op) for op in exporter.network.operations]


def test_a_quantized_file_is_no_source(exporter, tmp_path, monkeypatch):
    monkeypatch.setitem(BOUNDS, "int4", BOUNDS["int4"])
    made = exporter.write(tmp_path, ["int4"])[0]
    with pytest.raises(ModelError, match="onnx in int4, expected keras in fp32 or onnx in fp32 or fp16"):
        read_float(made.path)


def test_the_calibration_method_is_chosen_by_measurement(exporter):
    exporter.quantizable()
    assert exporter.method in METHODS


def carried(path):
    """The metadata inside a file."""
    if path.suffix == ".onnx":
        return {p.key: p.value for p in onnx.load(path).metadata_props}["lightfer"]
    if path.suffix == ".keras":
        return zipfile.ZipFile(path).read("lightfer.json")
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    entry = next(entry for entry in model.metadata if entry.name == b"lightfer")
    return bytes(model.buffers[entry.buffer].data)


@pytest.mark.parametrize("kind", ["fp32", "litert_fp32", "keras"])
def test_the_file_carries_its_metadata(exporter, tmp_path, kind):
    skip_without_library(kind)
    made = exporter.write(tmp_path, [kind])[0]
    about = ModelMetadata.from_json(carried(made.path))
    assert about == dataclasses.replace(made.metadata, sha256="")


def test_an_export_that_strays_is_refused_and_leaves_nothing(exporter, tmp_path, monkeypatch):
    wrong = to_onnx(tiny_network(seed=9), "wrong")
    monkeypatch.setitem(KINDS, "fp32", Kind("onnx", "fp32", lambda material: OnnxDraft(wrong)))
    with pytest.raises(ModelError, match=r"tiny-fp32.onnx is not the network it was made from"):
        exporter.write(tmp_path, ["fp32"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_names_the_known_ones(exporter, tmp_path):
    with pytest.raises(ConfigurationError, match="'int2', expected one of fp32"):
        exporter.write(tmp_path, ["fp32", "int2"])
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_file_that_was_there(exporter, tmp_path, monkeypatch):
    first = exporter.write(tmp_path, ["fp32"])[0].path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(LightferError, match=r"cannot write .*tiny-fp32\.onnx: No space left"):
        exporter.write(tmp_path, ["fp32"])
    assert (tmp_path / "tiny-fp32.onnx").read_bytes() == first
    assert read_metadata(tmp_path / "tiny-fp32.onnx").name == "tiny-fp32"
    assert {path.name for path in tmp_path.iterdir()} == {"tiny-fp32.onnx", "tiny-fp32.onnx.json"}


def test_agreement_is_measured_in_labels_and_differences():
    source = np.array([[0.6, 0.4, 0, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0, 0, 0]])
    other = np.array([[0.4, 0.6, 0, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0, 0, 0]])
    found = compare_answers(source, other)
    assert found.agreement == 0.5 and found.largest == pytest.approx(0.2)
    with pytest.raises(ModelError, match=r"50\.00% keep their label"):
        require("x.onnx", "fp16", found)
