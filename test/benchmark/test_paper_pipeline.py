"""The baseline is the network and the way that the paper describes."""

from functools import partial

import numpy as np
import pytest
from photos import photo

from lightfer_ros.benchmark.architectures import (
    XCEPTION_SIDE,
    resnet_50,
    simple_cnn,
    vgg_16,
    xception,
    xception_for_small_faces,
)
from lightfer_ros.benchmark.paper_pipeline import PaperPipeline
from lightfer_ros.errors import ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path, network = tmp_path_factory.mktemp("xception") / "xception.onnx", xception()
    network.write(path)
    return path, network


def test_it_is_xception_as_published(written):
    path, network = written
    # Keras' own Xception without its top has 20,861,480 parameters; the rest is the layer of seven classes.
    assert network.parameters == 20_861_480 + 2048 * 7 + 7
    assert round(network.macs / 1e6) == 551
    onnx.checker.check_model(str(path))


@pytest.mark.parametrize(
    ("make", "published"),
    [
        # torchvision 0.24: VGG-16's convolutions; its two dense layers begin at 7×7 there and at 1×1 here
        (vgg_16, 14_714_688 + 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 7 + 7),
        # Keras' ResNet50 without its top has 23,587,712, of which 26,560 are biases before batch norms
        (resnet_50, 23_587_712 - 26_560 + 2048 * 7 + 7),
        (
            partial(xception_for_small_faces, 48),
            20_861_480 + 2048 * 7 + 7,
        ),  # as Xception: strides have no weights
    ],
)
def test_the_networks_beside_it_are_those_published(make, published):
    assert make(channels=3).parameters == published


def test_the_networks_beside_it_give_probabilities():
    network = simple_cnn()
    session = onnxruntime.InferenceSession(
        network.to_onnx().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    faces = np.random.default_rng(0).uniform(-1, 1, (3, 1, 48, 48)).astype(np.float32)
    (probabilities,) = session.run(None, {"faces": faces})
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5) and probabilities.std(axis=0).max() > 0


def test_its_cost_is_that_of_the_graph_not_of_the_book_keeping(written):
    path, network = written
    graph = onnx.shape_inference.infer_shapes(onnx.load(str(path))).graph
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    shapes = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in graph.value_info
    }
    macs = sum(
        int(np.prod(weights[node.input[1]])) * int(np.prod(shapes[node.output[0]][2:] or [1]))
        for node in graph.node
        if node.op_type in ("Conv", "Gemm")
    )
    assert macs == network.macs
    assert sum(node.op_type == "Conv" for node in graph.node) == 74  # 34 separable ones, 2 plain, 4 shortcuts


def test_the_same_weights_come_wherever_it_is_made(written, tmp_path):
    xception().write(tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == written[0].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.onnx"]


def test_activations_stay_in_range_so_that_no_speed_is_lost_to_odd_numbers(written):
    model = onnx.load(str(written[0]))
    middles = [node.output[0] for node in model.graph.node if node.op_type == "Add"]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in middles)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    faces = np.random.default_rng(0).uniform(-1, 1, (2, 3, XCEPTION_SIDE, XCEPTION_SIDE)).astype(np.float32)
    probabilities, *activations = session.run(None, {"faces": faces})
    assert probabilities.shape == (2, 7) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert len(activations) == 12
    for values in activations:
        assert 0.1 < np.sqrt(np.mean(values**2)) < 1000


@pytest.fixture(scope="module")
def paper(written):
    try:
        return PaperPipeline(written[0])
    except ModelError as error:
        pytest.skip(str(error))


def test_it_finds_what_hog_finds_without_upsampling_and_classifies_each(paper):
    picture = photo("photo_multi_face")
    faces = paper.process(picture)
    hog = make_detector(DetectionOptions("dlib_hog", upsampling=0)).detect(Frame.from_array(picture))
    assert len(faces) == len(hog) >= 3
    assert np.array_equal(faces.boxes, hog.boxes)
    assert np.allclose(faces.probabilities.sum(axis=1), 1, atol=1e-5)
    middles = faces.landmarks.mean(axis=1)
    assert ((faces.boxes[:, :2] < middles) & (middles < faces.boxes[:, 2:])).all()


def test_nobody_there_is_no_face(paper):
    assert len(paper.process(np.full((480, 640, 3), 128, np.uint8))) == 0
