"""Keras layers that call torch's own kernels: the same mathematics and weights, without copies in between.

Keras' torch backend copies every map from channels-last to channels-first and back around each convolution,
pads pools by copying, and normalizes in many small steps. Measured on two threads, batch 128, bf16, at the
published strides and width 0.34: 513 images/s with Keras' layers, 656 with torch's batch norm, 860 with its
pooling too. Saved models never contain these classes.
"""

from __future__ import annotations

from typing import Any

import torch
from keras import layers
from torch.nn import functional as F

from lightfer_ros.training.network import LayerKit


class NativeConv2D(layers.Conv2D):  # type: ignore[misc]
    """Conv2D without bias or activation, padding "same"."""

    def call(self, inputs: Any) -> Any:
        kernel = self.kernel.value.permute(3, 2, 0, 1)
        return _convolve(inputs, kernel, self.strides[0], 1)


class NativeDepthwiseConv2D(layers.DepthwiseConv2D):  # type: ignore[misc]
    """DepthwiseConv2D with multiplier 1, without bias or activation, padding "same"."""

    def call(self, inputs: Any) -> Any:
        kernel = self.kernel.value.permute(2, 3, 0, 1)
        return _convolve(inputs, kernel, self.strides[0], kernel.shape[0])


class NativeBatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """BatchNormalization over the last axis."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        out = F.batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            bool(training),
            1.0 - self.momentum,
            self.epsilon,
        )
        return out.permute(0, 2, 3, 1)


class NativeMaxPooling2D(layers.MaxPooling2D):  # type: ignore[misc]
    """3 x 3 max pooling at stride 2 with "same" padding."""

    def call(self, inputs: Any) -> Any:
        even = inputs.shape[1] % 2 == 0
        out = F.max_pool2d(inputs.permute(0, 3, 1, 2), 3, 2, padding=0 if even else 1, ceil_mode=even)
        return out.permute(0, 2, 3, 1)


class NativeDropout(layers.Dropout):  # type: ignore[misc]
    """Dropout by torch's own generator, which a CUDA graph can hold; one draw for what noise_shape joins."""

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or not self.rate:
            return inputs
        keep = 1.0 - self.rate
        joined = self.noise_shape or inputs.shape
        shape = [n if k is None else k for n, k in zip(inputs.shape, joined, strict=True)]
        drawn = torch.empty(shape, dtype=inputs.dtype, device=inputs.device)
        return inputs * drawn.bernoulli_(keep).div_(keep)


class NativeDense(layers.Dense):  # type: ignore[misc]
    """Dense in float32, whatever precision the maps have: eight bits of logit are too few to learn from."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        with torch.autocast(inputs.device.type, enabled=False):
            return torch.addmm(self.bias.value, inputs.float(), self.kernel.value)


def mixed_precision(device: torch.device, precision: str) -> torch.autocast:
    """The context that decides what type the layers of `NATIVE` compute in; precision: bf16 or fp32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


NATIVE = LayerKit(
    conv=NativeConv2D,
    depthwise=NativeDepthwiseConv2D,
    batch_norm=NativeBatchNormalization,
    max_pool=NativeMaxPooling2D,
    dropout=NativeDropout,
    dense=NativeDense,
    casts_inputs=False,
)


def _convolve(inputs: Any, kernel: torch.Tensor, stride: int, groups: int) -> Any:
    x = inputs.permute(0, 3, 1, 2)
    reach = (kernel.shape[2] - 1) // 2
    if stride > 1 and reach and x.shape[2] % 2 == 0:
        x = F.pad(x, (0, 1, 0, 1))  # "same" pads behind only, where the windows leave one row over
        reach = 0
    return F.conv2d(x, kernel, None, stride, reach, 1, groups).permute(0, 2, 3, 1)
