"""What cameras and codecs do to small grey pictures, as tensor functions. Values are fractions 0 to 1."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# ITU-T T.81 (JPEG), Table K.1: luminance quantization at quality 50
_LUMINANCE = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=torch.float32,
)


def lower_resolution(x: Tensor, size_px: int) -> Tensor:
    """x: [n, 1, s, s], shrunk to `size_px` and enlarged again, as a far face is."""
    small = F.interpolate(x, size=(size_px, size_px), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, size=x.shape[-2:], mode="bilinear", align_corners=False)


def gaussian_blur(x: Tensor, sigma_px: Tensor) -> Tensor:
    """x: [n, 1, s, s], each picture blurred by its own sigma [n], in pixels; edges are repeated."""
    n, reach = len(x), 3
    at = torch.arange(-reach, reach + 1, dtype=torch.float32, device=x.device)
    kernel = torch.exp(-0.5 * (at / sigma_px[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    x = F.pad(x, (reach,) * 4, mode="replicate").transpose(0, 1)
    x = F.conv2d(x, kernel[:, None, :, None], groups=n)
    return F.conv2d(x, kernel[:, None, None, :], groups=n).transpose(0, 1)


def jpeg(x: Tensor, quality: Tensor) -> Tensor:
    """x: [n, 1, s, s] after grey JPEG at each picture's own quality [n], 1 to 100; s must divide by 8.

    The lossy part of the standard, exactly: 8 x 8 cosine transform and rounding to the table that libjpeg
    derives from a quality. Pictures of another size come back as they are.
    """
    n, side = len(x), x.shape[-1]
    if side % 8:
        return x
    k = torch.arange(8, dtype=torch.float32, device=x.device)
    cosine = torch.cos((2 * k[None, :] + 1) * k[:, None] * math.pi / 16) / 2
    cosine[0] /= math.sqrt(2)
    q = quality.clamp(1, 100)
    percent = torch.where(q < 50, 5000 / q, 200 - 2 * q)[:, None, None]
    table = ((_LUMINANCE.to(x.device) * percent + 50) / 100).floor().clamp(1, 255)[:, None, None]
    blocks = (x[:, 0] * 255 - 128).reshape(n, side // 8, 8, side // 8, 8).transpose(2, 3)
    coded = torch.round(cosine @ blocks @ cosine.T / table) * table
    blocks = (cosine.T @ coded @ cosine).transpose(2, 3).reshape(n, 1, side, side)
    return ((blocks + 128) / 255).clamp(0, 1)
