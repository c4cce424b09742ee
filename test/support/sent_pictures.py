"""Pictures as drivers send them, by ROS encoding."""

from __future__ import annotations

import array

import numpy as np

YUV = ("uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21")
MOSAIC_CHANNELS = {"rggb": (2, 1, 1, 0), "bggr": (0, 1, 1, 2), "gbrg": (1, 0, 2, 1), "grbg": (1, 2, 0, 1)}


def encode(bgr: np.ndarray, encoding: str, padding: int = 0, big: bool = False, seed: int = 0):
    """The arguments of `decode` for a picture: what a driver that sends `encoding` would publish."""
    rng = np.random.default_rng(seed)
    height, width = bgr.shape[:2]
    if encoding in YUV:
        planes = _yuv(bgr, encoding)
    elif encoding.startswith("bayer"):
        planes = mosaic(bgr, encoding[6:10])
    elif "mono" in encoding or "UC1" in encoding:
        planes = bgr[:, :, 1]
    else:
        planes = bgr[:, :, ::-1] if encoding.startswith("rgb") else bgr
        if encoding[3] == "a":
            planes = np.dstack([planes, rng.integers(0, 256, (height, width), np.uint8)])
    if "16" in encoding:
        # Anything within half an 8-bit step means the same 8-bit value.
        noise = rng.integers(np.where(planes == 0, 0, -128), np.where(planes == 255, 0, 128) + 1)
        planes = (planes.astype(int) * 257 + noise).astype(">u2" if big else "<u2")
    planes = np.ascontiguousarray(planes)
    rows = planes.reshape(len(planes), -1).view(np.uint8)
    step = rows.shape[1] + padding
    data = rng.integers(0, 256, (len(rows), step), np.uint8)
    data[:, : rows.shape[1]] = rows
    return encoding, width, height, step, big, array.array("B", data.tobytes())


def mosaic(bgr: np.ndarray, pattern: str) -> np.ndarray:
    """The Bayer mosaic that a sensor would see, uint8 [h, w]."""
    seen = np.empty(bgr.shape[:2], np.uint8)
    for i, channel in enumerate(MOSAIC_CHANNELS[pattern]):
        seen[i // 2 :: 2, i % 2 :: 2] = bgr[i // 2 :: 2, i % 2 :: 2, channel]
    return seen


def _yuv(bgr: np.ndarray, encoding: str) -> np.ndarray:
    """Rows of bytes, limited range BT.601, as ITU-R BT.601-7 has it; colour where the luma's pair begins."""
    blue, green, red = np.moveaxis(bgr.astype(float) / 255, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    u = np.rint(128 + 224 * (blue - luma) / 1.772).astype(np.uint8)
    v = np.rint(128 + 224 * (red - luma) / 1.402).astype(np.uint8)
    y = np.rint(16 + 219 * luma).astype(np.uint8)
    if encoding.startswith("nv"):
        chroma = np.dstack([u, v] if encoding == "nv12" else [v, u])[::2, ::2]
        return np.vstack([y, chroma.reshape(len(chroma), -1)])
    chroma = np.where(np.arange(y.shape[1]) % 2 == 0, np.repeat(u[:, ::2], 2, 1), np.repeat(v[:, ::2], 2, 1))
    return np.dstack([y, chroma] if encoding in ("yuyv", "yuv422_yuy2") else [chroma, y])
