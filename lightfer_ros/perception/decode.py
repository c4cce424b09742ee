"""From what a camera driver sends to a Frame: raw pixels by ROS encoding, or JPEG, PNG and WebP.

The same picture in, the same result out, whatever its encoding: grey is always the luma of the colours, so
the Y plane of a YUV picture (limited range, BT.601) is never taken for it. Colours are those of cv_bridge
wherever it knows the encoding, 16 bits scaled by 255/65535 included.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from lightfer_ros.errors import ImageError
from lightfer_ros.perception.frame import Frame, check_size
from lightfer_ros.perception.stored_size import JPEG, stored_size

_PACKED, _YUV422, _YUV420, _BAYER = range(4)


class _Layout(NamedTuple):
    """How an encoding's pixels lie in memory, and OpenCV's conversions from there (None: needs none)."""

    samples: int
    bits: int = 8
    to_bgr: Optional[int] = None
    to_grey: Optional[int] = None
    kind: int = _PACKED


def _layouts() -> Dict[str, _Layout]:
    uyvy = _Layout(2, to_bgr=cv2.COLOR_YUV2BGR_UYVY, kind=_YUV422)
    yuyv = _Layout(2, to_bgr=cv2.COLOR_YUV2BGR_YUYV, kind=_YUV422)
    layouts = {
        "uyvy": uyvy,
        "yuv422": uyvy,
        "yuyv": yuyv,
        "yuv422_yuy2": yuyv,
        "nv12": _Layout(1, to_bgr=cv2.COLOR_YUV2BGR_NV12, kind=_YUV420),
        "nv21": _Layout(1, to_bgr=cv2.COLOR_YUV2BGR_NV21, kind=_YUV420),
    }
    # ROS names a Bayer mosaic by its first two pixels, OpenCV by the second and third of its second row.
    mosaics = {
        "rggb": cv2.COLOR_BayerBG2BGR,
        "bggr": cv2.COLOR_BayerRG2BGR,
        "gbrg": cv2.COLOR_BayerGR2BGR,
        "grbg": cv2.COLOR_BayerGB2BGR,
    }
    for bits in (8, 16):
        layouts[f"mono{bits}"] = layouts[f"{bits}UC1"] = _Layout(1, bits)
        layouts[f"bgr{bits}"] = layouts[f"{bits}UC3"] = _Layout(3, bits)
        layouts[f"rgb{bits}"] = _Layout(3, bits, cv2.COLOR_RGB2BGR, cv2.COLOR_RGB2GRAY)
        layouts[f"bgra{bits}"] = _Layout(4, bits, cv2.COLOR_BGRA2BGR, cv2.COLOR_BGRA2GRAY)
        layouts[f"rgba{bits}"] = _Layout(4, bits, cv2.COLOR_RGBA2BGR, cv2.COLOR_RGBA2GRAY)
        for name, code in mosaics.items():
            layouts[f"bayer_{name}{bits}"] = _Layout(1, bits, code, kind=_BAYER)
    return layouts


_LAYOUTS = _layouts()

KNOWN_ENCODINGS: Tuple[str, ...] = tuple(sorted(_LAYOUTS))
"""What `decode` knows of the encodings of sensor_msgs/Image, and nv12, which they lack."""


def decode(encoding: str, width: int, height: int, step: int, is_bigendian: bool, data: Any) -> Frame:
    """A raw picture as sensor_msgs/Image describes it.

    data: any buffer of bytes (array.array, bytes, ndarray), `step` bytes from row to row. For nv12 and nv21
    `step` is that of the luma plane. mono8 and bgr8 are used in place: `data` must not change while the
    frame is in use. Raises ImageError naming what was given and what was expected.
    """
    layout = _LAYOUTS.get(encoding)
    if layout is None:
        raise ImageError(f"encoding is {encoding!r}, expected one of {', '.join(KNOWN_ENCODINGS)}")
    _check_shape(encoding, layout, width, height)
    return _frame(_pixels(encoding, layout, width, height, step, is_bigendian, data), layout, width, height)


def _check_shape(encoding: str, layout: _Layout, width: int, height: int) -> None:
    check_size(width, height)
    given = f"{encoding}: picture size is {width}x{height}"
    if layout.kind == _BAYER and min(width, height) < 3:  # OpenCV would paint it black
        raise ImageError(f"{given}, expected at least 3x3")
    if layout.kind == _YUV422 and width % 2:
        raise ImageError(f"{given}, expected an even width")
    if layout.kind == _YUV420 and (width % 2 or height % 2):
        raise ImageError(f"{given}, expected even width and height")


def _pixels(
    encoding: str, layout: _Layout, width: int, height: int, step: int, is_bigendian: bool, data: Any
) -> np.ndarray:
    """uint8 or uint16 [rows, width(, samples)]: a view of `data` unless 16 bits are foreign or unaligned."""
    sample = layout.bits // 8
    pixel = sample * layout.samples
    if step < width * pixel:
        raise ImageError(
            f"{encoding}: step is {step} bytes, expected at least {width * pixel} for {width} pixels"
        )
    rows = height + height // 2 if layout.kind == _YUV420 else height
    raw = _bytes(data)
    if raw.size != step * rows:
        raise ImageError(
            f"{encoding}: data is {raw.size} bytes, expected {step * rows} ({rows} rows of {step})"
        )
    shape: Tuple[int, ...] = (rows, width)
    strides: Tuple[int, ...] = (step, pixel)
    if layout.samples > 1:
        shape, strides = (*shape, layout.samples), (*strides, sample)
    dtype = np.dtype(f"u{sample}").newbyteorder(">" if is_bigendian else "<")
    pixels: np.ndarray = np.ndarray(shape, dtype, raw, 0, strides)
    return pixels if sample == 1 else np.require(pixels, np.uint16, ["C", "A"])


def _bytes(data: Any) -> np.ndarray:
    """uint8 [n]: the bytes of a buffer, in place."""
    try:
        return np.frombuffer(data, np.uint8)
    except (TypeError, ValueError, BufferError, AttributeError):
        pass
    if hasattr(data, "__len__") and len(data) == 0:
        raise ImageError("data is 0 bytes, expected a picture")
    raise ImageError(f"data is {type(data).__name__}, expected a contiguous buffer of bytes")


def _frame(pixels: np.ndarray, layout: _Layout, width: int, height: int) -> Frame:
    to_bgr, to_grey = layout.to_bgr, layout.to_grey
    if to_bgr is None:
        return Frame.from_array(_eight_bit(pixels))
    if to_grey is None:
        return Frame(width, height, bgr=lambda: _eight_bit(cv2.cvtColor(pixels, to_bgr)))
    # Scaled before the conversion to grey, so that grey is that of the 8-bit colours to the last bit.
    scaled = _eight_bit(pixels)
    return Frame(
        width,
        height,
        bgr=lambda: cv2.cvtColor(scaled, to_bgr),
        grey=lambda: cv2.cvtColor(scaled, to_grey),
    )


def _eight_bit(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else cv2.convertScaleAbs(pixels, alpha=255.0 / 65535.0)


REDUCTIONS = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""By how much a JPEG can be decoded smaller than it is: by leaving out terms of its cosine transform."""

ENOUGH_PIXELS = 1280 * 960
"""Larger frames are scanned at a smaller scale anyway, and their faces have pixels to spare."""


def own_reduction(width: int, height: int) -> int:
    """The largest reduction that leaves ENOUGH_PIXELS of a picture; 1 where none does."""
    fits = (n for n in REDUCTIONS if width * height >= n * n * ENOUGH_PIXELS)
    return max(fits, default=1)


def decode_compressed(format: str, data: Any, *, upright: bool = False, reduction: int = 1) -> Frame:
    """A JPEG, PNG or WebP picture as sensor_msgs/CompressedImage carries it.

    `format` is the message's own text. It tells depth pictures, which are refused, and Bayer mosaics, which
    are converted; the kind of file is read from the data itself. A camera's frames are taken as they lie;
    `upright` turns a photo as its EXIF orientation says, and leaves it whole. reduction: a JPEG that lies is
    decoded to 1/2, 1/4 or 1/8 of its width and height, which is quicker; 0 is `own_reduction`.
    Raises ImageError when the data is empty, of another kind, corrupt or cut short, or holds MAX_PIXELS and
    more, which is read from its header before anything is decoded. (Damage that leaves a JPEG's or WebP's
    structure whole shows as a damaged picture.)
    """
    if "compressedDepth" in format:
        raise ImageError(f"format is {format!r}: a depth picture shows no faces, expected jpeg, png or webp")
    raw = _bytes(data)
    payload = raw.tobytes()
    width, height = stored_size(payload)
    check_size(width, height)
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if upright else cv2.IMREAD_UNCHANGED
    reduction = 1 if upright or not payload.startswith(JPEG) else reduction or own_reduction(width, height)
    if reduction > 1:
        flags = REDUCTIONS[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        # Decoded in colour even where only grey is wanted: libjpeg's own grey differs by up to 6 levels and
        # saves a third of 0.6 ms at 640x480.
        pixels = cv2.imdecode(raw, flags)
    except cv2.error as error:
        raise ImageError(f"{format or 'picture'}: {len(payload)} bytes cannot be decoded ({error})") from None
    if pixels is None or pixels.ndim not in (2, 3):
        raise ImageError(f"{format or 'picture'}: {len(payload)} bytes of data are corrupt")
    full_size = width, height
    height, width = pixels.shape[:2]
    if reduction > 1:
        return Frame(width, height, bgr=lambda: pixels, reduction=reduction, full_size=full_size)
    return _frame(pixels, _stored_layout(format, pixels), width, height)


def _stored_layout(format: str, pixels: np.ndarray) -> _Layout:
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = 8 * pixels.dtype.itemsize
    # compressed_image_transport demosaics before JPEG, but puts the bare mosaic into PNG.
    source = _LAYOUTS.get(format.split(";")[0].strip())
    if source is not None and source.kind == _BAYER and "png" in format and (samples, bits) == source[:2]:
        return source
    kinds = {1: "mono", 3: "bgr", 4: "bgra"}
    layout = _LAYOUTS.get(f"{kinds.get(samples)}{bits}")
    if layout is None:
        raise ImageError(
            f"{format or 'picture'}: {samples} channels of {bits} bits, expected 1, 3 or 4 of 8 or 16"
        )
    return layout
