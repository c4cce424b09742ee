"""A pipeline with another network than ours, and with files that are damaged."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lightfer_ros.errors import LightferError, ModelError
from lightfer_ros.model import ModelMetadata, manifest
from lightfer_ros.model.metadata import metadata_path, write_metadata
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig

START = 1_800_000_000.0
needs_landmarks = pytest.mark.skipif(
    manifest.locate("shape_predictor_68") is None, reason="the landmark file is not here: `lightfer fetch`"
)


def coloured(path, **metadata):
    """Write a network that answers with the shares of its first, second and third colour, and its record."""
    size = 48
    dense = np.zeros((3, 7), np.float32)
    dense[range(3), range(3)] = 20.0
    nodes = [
        helper.make_node("ReduceMean", ["crops"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "dense"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    ends = [("crops", ["n", size, size, 3]), ("probabilities", ["n", 7])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
    constants = [numpy_helper.from_array(dense, "dense")]
    graph = helper.make_graph(nodes, "coloured", values[:1], values[1:], constants)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    record = ModelMetadata(
        name="coloured",
        sha256="",
        format="onnx",
        precision="fp32",
        input_size=size,
        channels=3,
        licence="none",
        training_data="none",
    )
    write_metadata(path, dataclasses.replace(record, **metadata))
    return path


@needs_landmarks
def test_a_colour_network_sees_red_first_and_blue_last(tmp_path, person):
    with Pipeline(
        PipelineConfig(model=str(coloured(tmp_path / "coloured.onnx")), detector="yunet")
    ) as pipeline:
        red, green, blue = pipeline.process(person, START).probabilities[0, :3]
        pipeline.reset()
        swapped = np.ascontiguousarray(person[:, :, ::-1])
        (other,) = pipeline.process(swapped, START + 1.0).probabilities
        grey = pipeline.process(Frame.from_array(person).grey, START + 10.0).probabilities[0, :3]
    assert red > green > blue  # skin is red; the picture came as blue, green, red
    assert other[0] < other[2]
    np.testing.assert_allclose(grey, 1 / 3, atol=1e-3)


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: metadata_path(path).unlink(), "has no metadata"),
        (lambda path: path.write_bytes(path.read_bytes()[:-50]), "sha256 expected"),
        (lambda path: metadata_path(path).write_text("{"), "not valid JSON"),
    ],
)
def test_a_damaged_model_is_refused_with_its_path_and_the_reason(tmp_path, damage, said):
    path = coloured(tmp_path / "coloured.onnx")
    damage(path)
    with pytest.raises(ModelError, match=said) as refusal:
        Pipeline(PipelineConfig(model=str(path)))
    assert str(path) in str(refusal.value)


def test_a_file_that_is_no_network_is_refused_even_under_its_own_hash(tmp_path):
    path = coloured(tmp_path / "coloured.onnx")
    record = ModelMetadata.from_json(metadata_path(path).read_text())
    path.write_bytes(b"not a network")
    write_metadata(path, record)
    with pytest.raises(LightferError, match=r"coloured\.onnx"):
        Pipeline(PipelineConfig(model=str(path)))


@needs_landmarks
def test_a_damaged_landmark_file_is_refused_with_both_hashes(tmp_path, monkeypatch):
    with open(shutil.copy(manifest.find("shape_predictor_68"), tmp_path), "r+b") as landmarks:
        landmarks.seek(5_000_000)
        landmarks.write(b"damaged")
    monkeypatch.setenv("LIGHTFER_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=r"sha256 .*, expected"):
        Pipeline()
