"""The networks that the paper compares with its own, as published; weights are random, for speed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from lightfer_ros.benchmark import random_network
from lightfer_ros.benchmark.random_network import INPUT, RandomNetwork
from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import metadata_path, write_metadata

NORMALIZATION = Normalization(scale=2.0 / 255.0, offset=-1.0)
XCEPTION_SIDE = 71
"""The smallest picture that Xception as published takes."""
FER2013_SIDE = 48


def xception() -> RandomNetwork:
    """Xception (Chollet 2017, arXiv:1610.02357, figure 5) with the paper's head: 20.9 M parameters."""
    net = RandomNetwork("xception_random", XCEPTION_SIDE, 3)
    x = net.convolution(INPUT, 32, 3, stride=2, padded=False)
    x = net.convolution(net.relu(x), 64, 3, padded=False)
    return _xception_from(net, net.relu(x), (2, 2, 2), 2)


def xception_for_small_faces(side: int = FER2013_SIDE, channels: int = 1) -> RandomNetwork:
    """Xception's layers with the strides of our own network (config/training/shipped.yaml), unpruned.

    At 48×48 the published strides would leave 2×2 of a face; ours keep maps large for longer.
    """
    net = RandomNetwork(f"xception_{side}_random", side, channels)
    x = net.relu(net.convolution(INPUT, 32, 3))
    x = net.relu(net.convolution(x, 64, 3, stride=2))
    return _xception_from(net, x, (1, 2, 2), 2)


def vgg_16(channels: int = 1) -> RandomNetwork:
    """VGG-Net, configuration D (Simonyan and Zisserman 2015, arXiv:1409.1556), on FER2013's 48×48.

    Five halvings leave one pixel of 512 channels for its two layers of 4,096.
    """
    net = RandomNetwork("vgg_16_random", FER2013_SIDE, channels)
    x = INPUT
    for width, layers in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(layers):
            x = net.relu(net.convolution(x, width, 3, batch_norm=False))
        x = net.max_pool(x, 2, 2, padded=False)
    x = net.flatten(x)
    for _ in range(2):
        x = net.relu(net.dense(x, 4096))
    net.head(x)
    return net


def resnet_50(channels: int = 1) -> RandomNetwork:
    """ResNet-50 (He et al. 2016, arXiv:1512.03385, table 1) on FER2013's 48×48."""
    net = RandomNetwork("resnet_50_random", FER2013_SIDE, channels)
    x = net.relu(net.convolution(INPUT, 64, 7, stride=2))
    x = net.max_pool(x, 3, 2)
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = net.relu(net.convolution(x, width, 1))
            y = net.relu(net.convolution(y, width, 3, stride=step))
            y = net.convolution(y, 4 * width, 1)
            shortcut = net.convolution(x, 4 * width, 1, stride=step) if block == 0 else x
            x = net.relu(net.add(y, shortcut))
    net.head(net.global_average(x))
    return net


def simple_cnn(channels: int = 1) -> RandomNetwork:
    """A plain network of four convolutions and a layer of 1,024 on FER2013's 48×48.

    The paper says no more of its "Simple CNN" than the name: this is our reading of it.
    """
    net = RandomNetwork("simple_cnn_random", FER2013_SIDE, channels)
    x = INPUT
    for width in (32, 64, 128, 128):
        x = net.relu(net.convolution(x, width, 3, batch_norm=False))
        x = net.max_pool(x, 2, 2)
    x = net.relu(net.dense(net.flatten(x), 1024))
    net.head(x)
    return net


ARCHITECTURES: dict[str, Callable[[], RandomNetwork]] = {
    "VGG-Net": vgg_16,
    "ResNet-50": resnet_50,
    "Simple CNN": simple_cnn,
    "Xception": xception,
}
"""By their names in the paper's Table 3."""


def model_file(name: str) -> Path:
    """The ONNX file of one of ARCHITECTURES with its metadata, made on first use in the user's cache.

    Raises RuntimeUnavailableError without the package onnx.
    """
    return _kept(name.lower().replace(" ", "_").replace("-", "_"), name, ARCHITECTURES[name])


def unpruned_file(pruned: ModelMetadata) -> Path:
    """The ONNX file of `xception_for_small_faces` with the input of another network; see `model_file`."""
    side, channels = pruned.input_size, pruned.channels
    name = f"xception_{side}x{side}x{channels}_unpruned"
    return _kept(name, "Xception, unpruned", lambda: xception_for_small_faces(side, channels))


def _kept(stem: str, name: str, make: Callable[[], RandomNetwork]) -> Path:
    """What is in the user's cache, made by the code as it is now; else made anew."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lightfer" / "benchmark"
    makers = (Path(__file__), Path(random_network.__file__))
    state = hashlib.sha256(b"".join(maker.read_bytes() for maker in makers)).hexdigest()[:12]
    path = cache / state / f"{stem}_random_weights.onnx"
    if path.is_file() and metadata_path(path).is_file():
        return path
    try:
        net = make()
        net.write(path)
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError(f"{name} cannot be made: pip install {error.name}") from error
    about = ModelMetadata(
        name=net.name,
        sha256="",
        format="onnx",
        precision="fp32",
        input_size=net.side,
        channels=net.channels,
        licence="Apache-2.0",
        training_data="none, random weights",
        layout="nchw",
        normalization=NORMALIZATION,
        parameters=net.parameters,
        opset=13,
        description=f"{name} with random weights: for its speed only",
    )
    write_metadata(path, about)
    return path


def _xception_from(
    net: RandomNetwork, x: str, entry_strides: tuple[int, int, int], exit_stride: int
) -> RandomNetwork:
    """What follows Xception's first two convolutions."""
    for index, channels in enumerate((128, 256, 728)):
        x = _xception_down(net, x, (channels, channels), entry_strides[index], first_relu=index > 0)
    for _ in range(8):
        y = x
        for _ in range(3):
            y = net.separable(net.relu(y), 728)
        x = net.add(y, x)
    x = _xception_down(net, x, (728, 1024), exit_stride, first_relu=True)
    for channels in (1536, 2048):
        x = net.relu(net.separable(x, channels))
    net.head(net.global_average(x))
    return net


def _xception_down(
    net: RandomNetwork, x: str, channels: tuple[int, int], stride: int, first_relu: bool
) -> str:
    shortcut = net.convolution(x, channels[1], 1, stride=stride)
    x = net.separable(net.relu(x) if first_relu else x, channels[0])
    x = net.separable(net.relu(x), channels[1])
    return net.add(net.max_pool(x, 3, stride) if stride > 1 else x, shortcut)
