"""A .tflite file, written without TensorFlow, computes in LiteRT what the network computes."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="needs the litert extra")

from ai_edge_litert.interpreter import Interpreter

from lightfer_ros.compression.calibrate import calibrate
from lightfer_ros.compression.litert import to_litert
from lightfer_ros.compression.onnx_int8 import CPU, to_onnx_int8
from lightfer_ros.compression.running import litert_probabilities, probabilities, to_input
from lightfer_ros.errors import ModelError
from lightfer_ros.model import Normalization

from .tiny import faces, run_slowly, tiny_network


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def batch():
    return to_input(faces(40), Normalization(2 / 255, -1.0))


@pytest.fixture(scope="module")
def truth(network, batch):
    return run_slowly(network, batch)


def details(content):
    interpreter = Interpreter(model_content=content)
    return {tensor["name"]: tensor for tensor in interpreter.get_tensor_details()}


def test_float_equals_the_slow_executor(network, batch, truth):
    assert np.abs(litert_probabilities(to_litert(network), batch) - truth).max() < 1e-5


def test_half_stores_weights_in_fp16_and_keeps_labels(network, batch, truth):
    content = to_litert(network, half=True)
    assert details(content)["pw1_kernel_half"]["dtype"] == np.float16
    assert np.abs(litert_probabilities(content, batch) - truth).max() < 0.01


def test_int8_answers_as_an_onnx_file_does_whose_convolutions_and_sums_are_all_integer(network, batch):
    ranges = calibrate(network, batch)
    ours = litert_probabilities(to_litert(network, ranges=ranges), batch)
    whole = dataclasses.replace(CPU, float_first=False, sum_again=False)
    theirs = probabilities(to_onnx_int8(network, ranges, "tiny", whole), batch)
    assert np.abs(ours - theirs).max() < 0.02  # one rounding of a tie, in two engines


def test_int8_has_integer_maps_and_weights_per_channel(network, batch):
    tensors = details(to_litert(network, ranges=calibrate(network, batch)))
    assert tensors["add"]["dtype"] == np.int8 and tensors["pw1_bias"]["dtype"] == np.int32
    for name, axis, channels in (("pw2_kernel", 0, 12), ("dw1_kernel", 3, 8)):
        grid = tensors[name]["quantization_parameters"]
        assert len(grid["scales"]) == channels and grid["quantized_dimension"] == axis
        assert not grid["zero_points"].any()
    assert "pw1" not in tensors and "pw1_relu" in tensors  # the ReLU is the convolution's own clipping


def test_the_batch_size_is_free(network, batch):
    content = to_litert(network)
    assert details(content)["faces"]["shape_signature"].tolist() == [-1, 16, 16, 1]
    one_by_one = np.concatenate([litert_probabilities(content, batch[i : i + 1]) for i in range(3)])
    assert np.allclose(litert_probabilities(content, batch)[:3], one_by_one, atol=1e-6)


def test_padding_that_the_format_lacks_is_refused(network):
    odd = dataclasses.replace(network.operations[0], pads=(2, 0, 0, 0))
    with pytest.raises(ModelError, match=r"stem is padded by .*, expected none or \(0, 0, 1, 1\)"):
        to_litert(network.with_operations({"stem": odd}))
