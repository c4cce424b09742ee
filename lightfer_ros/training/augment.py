"""What detectors and cameras do to a face, done to training faces: framing, light, blur, JPEG, occlusion."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from lightfer_ros.training.degrade import gaussian_blur, jpeg, lower_resolution
from lightfer_ros.training.limits import BELOW_ONE, NOT_NEGATIVE, POSITIVE, SHARE, within

Interval = tuple[float, float]
_FACTORS = ("scale", "loose_scale", "contrast", "gamma", "low_resolution_px", "blur_sigma_px")
_AMOUNTS = ("rotation_deg", "brightness", "noise_sigma")
ONE_SIZE = 64
"""Faces that are lowered to one resolution together, which makes a single resize of them."""


@dataclass(frozen=True)
class AugmentOptions:
    """How much of each. Shares are probabilities per face; lengths are fractions of the picture's side.

    scale above 1 shows the face larger (a tighter cut). loose_share of the faces get loose_scale instead:
    a detector's box with wide margins. What the frame then shows beyond the picture is, at random per
    face, its edge repeated, its mirror image, or a flat grey.
    mixup_share: of the faces that another one shines through, with a weight of up to a half (Zhang et al.
    2018, arXiv:1710.09412); their targets are mixed alike.
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
    mixup_share: float = 0.0

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self)]
        within("augment", self, **{name: SHARE for name in names if name.endswith("_share")})
        within("augment", self, **dict.fromkeys(_FACTORS, POSITIVE), **dict.fromkeys(_AMOUNTS, NOT_NEGATIVE))
        within("augment", self, aspect=BELOW_ONE, shift=SHARE, erase_area=SHARE, jpeg_quality=(1.0, 100.0))


class Augmenter:
    """Turns stored faces into training input; all randomness comes from its own generator.

    The generator draws on the CPU, so that neither waits for the other. What is drawn depends on how many
    faces come together.
    """

    def __init__(self, options: AugmentOptions, seed: int, device: str | torch.device = "cpu") -> None:
        self.options, self.device = options, torch.device(device)
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [n, s, s] → float32 [n, s, s] on the device, pixel values as fractions 0 to 1."""
        x = images.to(self.device).float().div_(255.0)[:, None]
        x = self._reframe(x)
        x = self._degrade(x)
        x = self._relight(x)
        x = self._erase(x)
        return x.clamp_(0.0, 1.0)[:, 0]

    def mixed(self, pictures: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """Pictures float32 [n, s, s] and what belongs to them, [n, …], mixed: see mixup_share."""
        n = len(pictures)
        if not self.options.mixup_share:
            return (pictures, *others)
        drawn = self._uniform(n, (0.0, 0.5)) * (self._fractions(n) < self.options.mixup_share)
        share = self._moved(drawn)
        return tuple(x.lerp(x.flip(0), share.reshape(-1, *[1] * (x.dim() - 1))) for x in (pictures, *others))

    def _fractions(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator)

    def _moved(self, drawn: Tensor) -> Tensor:
        return drawn if self.device.type == "cpu" else drawn.pin_memory().to(self.device, non_blocking=True)

    def _uniform(self, n: int, interval: Interval) -> Tensor:
        low, high = interval
        return low + (high - low) * self._fractions(n)

    def _log_uniform(self, n: int, interval: Interval) -> Tensor:
        return torch.exp(self._uniform(n, (math.log(interval[0]), math.log(interval[1]))))

    def _chosen(self, n: int, share: float) -> Tensor:
        return torch.nonzero(self._fractions(n) < share)[:, 0]

    def _reframe(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        scale = self._log_uniform(n, o.scale)
        loose = self._chosen(n, o.loose_share)
        scale[loose] = self._log_uniform(len(loose), o.loose_scale)
        angle = self._uniform(n, (-o.rotation_deg, o.rotation_deg)) * (math.pi / 180.0)
        stretch = torch.exp(self._uniform(n, (-o.aspect, o.aspect)))
        mirror = 1.0 - 2.0 * (self._fractions(n) < o.flip_share).float()
        # affine_grid maps output to input: zooming in by `scale` reads a window 1/scale as wide
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0], theta[:, 0, 1] = mirror * cos * stretch, -sin * stretch
        theta[:, 1, 0], theta[:, 1, 1] = mirror * sin / stretch, cos / stretch
        theta[:, :, 2] = 2.0 * self._uniform(2 * n, (-o.shift, o.shift)).reshape(n, 2)
        grid = F.affine_grid(self._moved(theta), list(x.shape), align_corners=False)
        fill = torch.randint(0, 3, (n,), generator=self.generator)
        out = torch.empty_like(x)
        for kind, mode in enumerate(("border", "reflection", "zeros")):
            which = self._moved(torch.nonzero(fill == kind)[:, 0])
            if mode == "zeros":
                grey = self._moved(self._fractions(len(which), 1, 1, 1))
                shown = F.grid_sample(x[which] - grey, grid[which], padding_mode=mode, align_corners=False)
                out[which] = shown + grey
            else:
                out[which] = F.grid_sample(x[which], grid[which], padding_mode=mode, align_corners=False)
        return out

    def _degrade(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        for which in self._chosen(n, o.low_resolution_share).split(ONE_SIZE):
            if len(which):
                size, which = int(self._uniform(1, o.low_resolution_px)), self._moved(which)
                x[which] = lower_resolution(x[which], size)
        which = self._chosen(n, o.blur_share)
        if len(which):
            sigma, which = self._moved(self._uniform(len(which), o.blur_sigma_px)), self._moved(which)
            x[which] = gaussian_blur(x[which], sigma)
        which = self._chosen(n, o.noise_share)
        strength = self._uniform(len(which), (0.0, o.noise_sigma))[:, None, None, None]
        noise = strength * torch.randn(len(which), *x.shape[1:], generator=self.generator)
        x[self._moved(which)] += self._moved(noise)
        which = self._chosen(n, o.jpeg_share)
        if len(which):
            quality, which = self._moved(self._uniform(len(which), o.jpeg_quality)), self._moved(which)
            x[which] = jpeg(x[which].clamp(0.0, 1.0), quality)
        return x

    def _relight(self, x: Tensor) -> Tensor:
        o, n = self.options, len(x)
        gamma, contrast = self._log_uniform(n, o.gamma), self._log_uniform(n, o.contrast)
        light = self._uniform(n, (-o.brightness, o.brightness))
        gamma, contrast, light = self._moved(torch.stack([gamma, contrast, light]))[..., None, None, None]
        x = x.clamp(0.0, 1.0).pow(gamma)
        middle = x.mean((1, 2, 3), keepdim=True)
        return (x - middle) * contrast + middle + light

    def _erase(self, x: Tensor) -> Tensor:
        o, side = self.options, x.shape[-1]
        which = self._chosen(len(x), o.erase_share)
        n = len(which)
        area, ratio = self._uniform(n, o.erase_area), self._log_uniform(n, (0.4, 2.5))
        ends = []
        for length in (torch.sqrt(area * ratio), torch.sqrt(area / ratio)):
            pixels = (side * length).floor().clamp(1, side)
            first = (self._fractions(n) * (side - pixels + 1)).floor()
            ends.append(torch.stack([first, first + pixels]))
        (top, bottom), (left, right) = self._moved(torch.stack(ends))[..., None, None, None]
        at = torch.arange(side, device=self.device)
        down = at[:, None]
        inside = (down >= top) & (down < bottom) & (at >= left) & (at < right)
        which, grey = self._moved(which), self._moved(self._fractions(n, 1, 1, 1))
        x[which] = torch.where(inside, grey, x[which])
        return x
