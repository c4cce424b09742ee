"""What detectors and cameras do to a face, done to training faces: framing, light, blur, JPEG, occlusion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lightfer_ros.training.degrade import gaussian_blur, jpeg, lower_resolution

Interval = tuple[float, float]


@dataclass(frozen=True)
class AugmentOptions:
    """How much of each. Shares are probabilities per face; lengths are fractions of the picture's side.

    scale above 1 shows the face larger (a tighter cut). loose_share of the faces get loose_scale instead:
    a detector's box with wide margins. What the frame then shows beyond the picture is, at random per
    face, its edge repeated, its mirror image, or a flat grey.
    """

    flip_share: float = 0.5
    rotation_deg: float = 12.0
    scale: Interval = (0.87, 1.18)
    loose_share: float = 0.25
    loose_scale: Interval = (0.55, 0.9)
    aspect: float = 0.06
    shift: float = 0.08
    contrast: Interval = (0.65, 1.4)
    brightness: float = 0.18
    gamma: Interval = (0.75, 1.33)
    low_resolution_share: float = 0.12
    low_resolution_px: Interval = (20.0, 40.0)
    blur_share: float = 0.1
    blur_sigma_px: Interval = (0.4, 1.3)
    jpeg_share: float = 0.12
    jpeg_quality: Interval = (20.0, 85.0)
    noise_share: float = 0.15
    noise_sigma: float = 0.05
    erase_share: float = 0.3
    erase_area: Interval = (0.02, 0.2)


class Augmenter:
    """Turns stored faces into training input; all randomness comes from its own generator."""

    def __init__(self, options: AugmentOptions, seed: int) -> None:
        self.options = options
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [n, s, s] → float32 [n, s, s], pixel values as fractions 0 to 1."""
        x = images.float().div_(255.0)[:, None]
        x = self._reframe(x)
        x = self._degrade(x)
        x = self._relight(x)
        x = self._erase(x)
        return x.clamp_(0.0, 1.0)[:, 0]

    def _uniform(self, n: int, interval: Interval) -> Tensor:
        low, high = interval
        return low + (high - low) * torch.rand(n, generator=self.generator)

    def _log_uniform(self, n: int, interval: Interval) -> Tensor:
        return torch.exp(self._uniform(n, (math.log(interval[0]), math.log(interval[1]))))

    def _chosen(self, n: int, share: float) -> Tensor:
        return torch.nonzero(torch.rand(n, generator=self.generator) < share)[:, 0]

    def _reframe(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        scale = self._log_uniform(n, o.scale)
        loose = self._chosen(n, o.loose_share)
        scale[loose] = self._log_uniform(len(loose), o.loose_scale)
        angle = self._uniform(n, (-o.rotation_deg, o.rotation_deg)) * (math.pi / 180.0)
        stretch = torch.exp(self._uniform(n, (-o.aspect, o.aspect)))
        mirror = 1.0 - 2.0 * (torch.rand(n, generator=self.generator) < o.flip_share).float()
        # affine_grid maps output to input: zooming in by `scale` reads a window 1/scale as wide
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0], theta[:, 0, 1] = mirror * cos * stretch, -sin * stretch
        theta[:, 1, 0], theta[:, 1, 1] = mirror * sin / stretch, cos / stretch
        theta[:, :, 2] = 2.0 * self._uniform(2 * n, (-o.shift, o.shift)).reshape(n, 2)
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        fill = torch.randint(0, 3, (n,), generator=self.generator)
        out = torch.empty_like(x)
        for kind, mode in enumerate(("border", "reflection", "zeros")):
            which = torch.nonzero(fill == kind)[:, 0]
            if mode == "zeros":
                grey = self._uniform(len(which), (0.0, 1.0))[:, None, None, None]
                shown = F.grid_sample(x[which] - grey, grid[which], padding_mode=mode, align_corners=False)
                out[which] = shown + grey
            else:
                out[which] = F.grid_sample(x[which], grid[which], padding_mode=mode, align_corners=False)
        return out

    def _degrade(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        which = self._chosen(n, o.low_resolution_share)
        if len(which):  # one size for all chosen faces of a batch keeps it a single resize
            x[which] = lower_resolution(x[which], int(self._uniform(1, o.low_resolution_px)))
        which = self._chosen(n, o.blur_share)
        if len(which):
            x[which] = gaussian_blur(x[which], self._uniform(len(which), o.blur_sigma_px))
        which = self._chosen(n, o.noise_share)
        strength = self._uniform(len(which), (0.0, o.noise_sigma))[:, None, None, None]
        x[which] += strength * torch.randn(x[which].shape, generator=self.generator)
        which = self._chosen(n, o.jpeg_share)
        if len(which):
            x[which] = jpeg(x[which].clamp(0.0, 1.0), self._uniform(len(which), o.jpeg_quality))
        return x

    def _relight(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        gamma = self._log_uniform(n, o.gamma)[:, None, None, None]
        contrast = self._log_uniform(n, o.contrast)[:, None, None, None]
        light = self._uniform(n, (-o.brightness, o.brightness))[:, None, None, None]
        x = x.clamp(0.0, 1.0).pow(gamma)
        middle = x.mean((1, 2, 3), keepdim=True)
        return (x - middle) * contrast + middle + light

    def _erase(self, x: Tensor) -> Tensor:
        o, side = self.options, x.shape[-1]
        for i in self._chosen(len(x), o.erase_share).tolist():
            area, ratio = self._uniform(1, o.erase_area), self._log_uniform(1, (0.4, 2.5))
            h = min(side, max(1, int(side * torch.sqrt(area * ratio))))
            w = min(side, max(1, int(side * torch.sqrt(area / ratio))))
            top, left = (int(torch.randint(0, side - k + 1, (1,), generator=self.generator)) for k in (h, w))
            x[i, 0, top : top + h, left : left + w] = torch.rand(1, generator=self.generator)
        return x
