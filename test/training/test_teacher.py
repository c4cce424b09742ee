"""A teacher's answers, of a face and its mirror image, become part of the target."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lightfer_ros.errors import ConfigurationError, DataError
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import read_metadata, write_metadata
from lightfer_ros.training.data import DataOptions, load
from lightfer_ros.training.run import train
from lightfer_ros.training.teacher import taught

from .conftest import write_csv

SIDE = 16


@pytest.fixture
def teacher(tmp_path):
    return write_teacher(tmp_path / "halves.onnx", SIDE)


def write_teacher(path, side):
    """One that sees happy where the left half is bright, sad where the right half is."""
    weights = np.zeros((side, side, 7), np.float32)
    weights[:, : side // 2, 3] = weights[:, side // 2 :, 4] = 8.0 / side**2
    shape = ["n", side, side, 1]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["faces"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "halves",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(weights.reshape(-1, 7), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    about = ModelMetadata(
        name="halves", sha256="", format="onnx", precision="fp32", input_size=side, channels=1,
        licence="MIT", training_data="none", normalization=Normalization(1 / 255, 0.0),
    )  # fmt: skip
    write_metadata(path, about)
    return path


@pytest.fixture
def left_bright():
    images = np.zeros((3, SIDE, SIDE), np.uint8)
    images[:, :, : SIDE // 2] = 255
    return images


def test_the_target_moves_by_its_share_towards_both_looks(teacher, left_bright):
    targets = np.eye(7, dtype=np.float32)[[3, 3, 0]]
    soft = taught(targets, left_bright, [teacher], 0.5)
    bright = np.exp(4.0) / (np.exp(4.0) + 6)
    both = np.full(7, 1 / (np.exp(4.0) + 6))
    both[[3, 4]] = (bright + both[0]) / 2  # happy as it is, sad in the mirror
    assert np.allclose(soft, 0.5 * targets + 0.5 * both, atol=1e-5)


def test_several_teachers_say_their_mean(teacher, left_bright, tmp_path):
    other = tmp_path / "mirrored.onnx"
    other.write_bytes(teacher.read_bytes())
    write_metadata(other, replace(read_metadata(teacher), normalization=Normalization(0.5 / 255, 0.0)))
    targets = np.eye(7, dtype=np.float32)[[3, 3, 0]]
    one, two = (taught(targets, left_bright, [file], 0.5) for file in (teacher, other))
    assert not np.allclose(one, two, atol=0.01)
    assert np.allclose(taught(targets, left_bright, [teacher, other], 0.5), (one + two) / 2, atol=1e-6)


def test_another_teacher_is_other_data(teacher, left_bright, tmp_path):
    usages = ["Training", "Training", "PublicTest"]
    pictures = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    csv = write_csv(tmp_path / "a.csv", pictures, [0, 1, 2], usages)
    plain = DataOptions(path=str(csv), input_size=SIDE)
    half = load(replace(plain, teachers=(str(teacher),)))
    whole = load(replace(plain, teachers=(str(teacher),), teacher_share=1.0))
    assert len({load(plain).sha256, half.sha256, whole.sha256}) == 3
    assert np.allclose(half.taught, (half.targets + whole.taught) / 2, atol=1e-6)
    assert np.array_equal(half.targets, load(plain).targets)
    assert np.array_equal(load(plain).taught, load(plain).targets)
    assert np.array_equal(half.validation.labels, [2]), "the teacher never touches what is scored"


def test_it_teaches_from_its_first_epoch_on(toy_recipe, tmp_path):
    teacher = write_teacher(tmp_path / "halves.onnx", 48)
    data = replace(toy_recipe.data, teachers=(str(teacher),), teacher_share=0.9, teacher_first_epoch=3)
    alone = train(toy_recipe, tmp_path / "alone").history
    taught_later = train(replace(toy_recipe, data=data), tmp_path / "taught").history
    losses = [[row["loss"] for row in history] for history in (alone, taught_later)]
    assert losses[0][:2] == losses[1][:2]
    assert losses[0][2] != losses[1][2]


def test_a_share_or_size_that_cannot_be_is_refused_by_name(teacher, left_bright):
    with pytest.raises(ConfigurationError, match=r"teacher_share is 1\.5, expected 0 to 1"):
        taught(np.eye(7, dtype=np.float32)[:3], left_bright, [teacher], 1.5)
    with pytest.raises(DataError, match="expected at least one, of 16, for halves"):
        taught(np.eye(7, dtype=np.float32)[:1], np.zeros((1, 48, 48), np.uint8), [teacher], 0.5)
