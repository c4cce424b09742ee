"""Every ONNX dialect computes the network it was made from, and says what it promises in its file."""

import dataclasses

import numpy as np
import onnx
import pytest

from lightfer_ros.compression.calibrate import METHODS, Range, calibrate, channel_extremes
from lightfer_ros.compression.equalize import equalize
from lightfer_ros.compression.from_onnx import from_onnx
from lightfer_ros.compression.graph import Add, Conv, Dense, GlobalAverage, Relu, calibrated
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.onnx_int4 import to_onnx_int4
from lightfer_ros.compression.onnx_int8 import CPU, TENSORRT, to_onnx_int8
from lightfer_ros.compression.running import every_tensor, probabilities, to_input
from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.evaluation.calibration import Calibration
from lightfer_ros.model import Normalization

from .tiny import faces, run_slowly, tiny_network

NORM = Normalization(2 / 255, -1.0)


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def batch():
    return to_input(faces(40), NORM)


@pytest.fixture(scope="module")
def truth(network, batch):
    return run_slowly(network, batch)


@pytest.mark.parametrize("opset", [13, 18])
def test_float_equals_the_slow_executor(network, batch, truth, opset):
    model = to_onnx(network, "tiny", opset)
    assert model.opset_import[0].version == opset
    assert np.abs(probabilities(model, batch) - truth).max() < 1e-5


def test_half_stores_half_the_bytes_and_keeps_labels(network, batch, truth):
    model = to_onnx(network, "tiny", half=True)
    kernels = [i for i in model.graph.initializer if i.name == "pw1_kernel"]
    assert kernels[0].data_type == onnx.TensorProto.FLOAT16
    out = probabilities(model, batch)
    assert out.dtype == np.float32 and np.abs(out - truth).max() < 0.01


def test_a_half_file_is_read_back_as_the_network_with_rounded_weights(network, batch, tmp_path):
    path = tmp_path / "half.onnx"
    onnx.save(to_onnx(network, "tiny", half=True), path)
    again = from_onnx(path)
    assert all(op.kernel.dtype == np.float32 for op in again.operations if isinstance(op, (Conv, Dense)))
    rounded = probabilities(to_onnx(again, "again"), batch)
    assert np.abs(rounded - probabilities(to_onnx(network, "tiny"), batch)).max() < 0.01


def test_an_opset_nobody_asked_for_is_refused(network):
    with pytest.raises(ConfigurationError, match="opset is 12"):
        to_onnx(network, "tiny", 12)


def test_the_batch_size_is_free(network, batch):
    model = to_onnx(network, "tiny")
    together = probabilities(model, batch)
    one_by_one = np.concatenate([probabilities(model, batch[i : i + 1]) for i in range(3)])
    assert np.allclose(together[:3], one_by_one, atol=1e-6)


def test_shapes_are_those_onnxruntime_finds(network, batch):
    shapes = network.shapes()
    for name, values in next(iter(every_tensor(network, batch))).items():
        assert values.shape[1:] == shapes[name], name


@pytest.mark.parametrize("method", METHODS)
def test_int8_keeps_nearly_all_labels(network, batch, truth, method):
    even = equalize(network, channel_extremes(network, batch))
    ranges = calibrate(even, batch, method, percentile=99.9)
    out = probabilities(to_onnx_int8(even, ranges, "tiny"), batch)
    assert (out.argmax(1) == truth.argmax(1)).mean() >= 0.9
    assert np.abs(out - truth).mean() < 0.02


def test_int8_for_cpus_has_integer_weights_per_channel_and_biases_behind_the_first_convolution(
    network, batch
):
    model = to_onnx_int8(network, calibrate(network, batch), "tiny")
    tensors = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    first, *others = (op for op in network.operations if isinstance(op, Conv))
    assert (tensors[f"{first.name}_kernel"] == first.kernel).all()
    for op in others:
        assert tensors[f"{op.name}_kernel_int"].dtype == np.int8
        assert tensors[f"{op.name}_kernel_scale"].shape == (op.kernel.shape[0],)
        assert tensors[f"{op.name}_bias_int"].dtype == np.int32
    assert tensors["stem_relu_zero"].dtype == np.uint8


def test_int8_for_cpus_sums_again_for_a_relu_and_keeps_only_sums_that_something_else_reads(network, batch):
    trunk = (
        Relu("last2", ("add",)),
        Conv("last3", ("last2",), np.full((12, 12, 1, 1), 0.02, np.float32), np.zeros(12, np.float32)),
        Add("last4", ("last3", "add")),
        GlobalAverage("mean", ("last4",)),
    )
    kept = [op for op in network.operations if op.name not in ("last", "mean")]
    both = dataclasses.replace(network, operations=(*kept[:-1], *trunk, kept[-1]))
    for net, sums in ((network, ["last_sum"]), (both, ["add", "last2_sum", "last4"])):
        model = to_onnx_int8(net, calibrate(net, batch), "tiny")
        assert sorted(n.name for n in model.graph.node if n.op_type == "Add") == sorted(sums)
        truth = probabilities(to_onnx(net, "tiny"), batch)
        assert np.abs(probabilities(model, batch) - truth).mean() < 0.03


@pytest.mark.parametrize(("dialect", "count"), [(CPU, 8), (TENSORRT, 10)])
def test_the_scale_of_a_map_is_a_scalar_as_older_onnxruntimes_demand(network, batch, dialect, count):
    model = to_onnx_int8(network, calibrate(network, batch), "tiny", dialect)
    shapes = {i.name: list(i.dims) for i in model.graph.initializer}
    grids = [node.input[1:] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    # the input, unless it stays float, and every map but those that a ReLU follows at once
    assert len(grids) == count
    assert all(shapes[name] == [] for names in grids for name in names)


def test_int8_for_tensorrt_has_zero_point_0_float_biases_and_opset_13(network, batch, truth):
    model = to_onnx_int8(network, calibrate(network, batch), "tiny", TENSORRT)
    assert model.opset_import[0].version == 13
    for initializer in model.graph.initializer:
        value = onnx.numpy_helper.to_array(initializer)
        if initializer.name.endswith("_zero"):
            assert value.dtype == np.int8 and not value.any(), initializer.name
        if initializer.name.endswith("_bias"):
            assert value.dtype == np.float32
    even = equalize(network, channel_extremes(network, batch))
    model = to_onnx_int8(even, calibrate(even, batch), "tiny", TENSORRT)
    assert np.abs(probabilities(model, batch) - truth).mean() < 0.03


def test_int4_stores_half_bytes_and_still_runs(network, batch, truth):
    model = to_onnx_int4(network, "tiny")
    stored = {i.name: i for i in model.graph.initializer}
    assert stored["pw1_int"].data_type == onnx.TensorProto.INT4
    assert len(stored["pw1_int"].raw_data) == 8 * 8 // 2
    assert np.abs(probabilities(model, batch) - truth).mean() < 0.1


def test_equalising_changes_no_answer_but_evens_channels(network, batch, truth):
    extremes = channel_extremes(network, batch)
    even = equalize(network, extremes)
    assert np.abs(probabilities(to_onnx(even, "even"), batch) - truth).max() < 1e-5
    spread = [float(e.max() / e[e > 0].min()) for e in (extremes["pw1_relu"],)]
    after = channel_extremes(even, batch)["pw1_relu"]
    assert after.max() / after[after > 0].min() < 1.01 < spread[0]


def test_equalising_makes_int8_nearer_to_float(network, batch, truth):
    def error(which):
        model = to_onnx_int8(which, calibrate(which, batch), "tiny")
        return np.abs(probabilities(model, batch) - truth).mean()

    assert error(equalize(network, channel_extremes(network, batch))) < error(network)


def test_a_temperature_changes_confidence_only(network, batch, truth):
    cooler = probabilities(to_onnx(calibrated(network, Calibration(2.0, (0.0,) * 7)), "t"), batch)
    assert np.array_equal(cooler.argmax(1), truth.argmax(1))
    assert cooler.max(1).mean() < truth.max(1).mean()


def test_a_calibration_folded_in_is_the_one_that_was_fitted(network, batch, truth):
    calibration = Calibration(1.3, (0.5, -0.5, 0.1, 0.0, -0.1, 0.2, -0.2))
    told = probabilities(to_onnx(calibrated(network, calibration), "c"), batch)
    assert np.allclose(told, calibration(truth), atol=1e-5)


def test_min_max_ranges_hold_every_value_seen(network, batch):
    ranges = calibrate(network, batch)
    for tensors in every_tensor(network, batch):
        for name, values in tensors.items():
            assert ranges[name].low <= values.min() and values.max() <= ranges[name].high


def test_the_other_methods_never_widen_a_range(network, batch):
    widest = calibrate(network, batch)
    for method in ("percentile", "entropy"):
        for name, r in calibrate(network, batch, method, percentile=99.0).items():
            slack = 1e-3 * (widest[name].high - widest[name].low)
            assert widest[name].low - slack <= r.low and r.high <= widest[name].high + slack


def test_zero_is_always_on_the_unsigned_grid():
    for low, high in ((-1.3, 2.7), (0.5, 3.0), (-4.0, -1.0), (0.0, 0.0)):
        step, zero = Range(low, high).unsigned()
        assert step > 0 and 0 <= zero <= 255


def test_an_operation_that_reads_nothing_known_is_refused(network):
    broken = dataclasses.replace(network.operations[1], inputs=("nowhere",))
    with pytest.raises(ModelError, match="reads nowhere"):
        network.with_operations({broken.name: broken})
