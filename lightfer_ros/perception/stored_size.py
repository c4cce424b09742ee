"""Width and height of a JPEG, PNG or WebP picture by its header, before anything is decoded."""

from __future__ import annotations

import struct
from typing import Tuple

from lightfer_ros.errors import ImageError

JPEG = b"\xff\xd8"
"""How a JPEG begins."""


def stored_size(payload: bytes) -> Tuple[int, int]:
    """Width and height in pixels.

    Raises ImageError for another kind of data, and where header or end are not there.
    """
    try:
        if payload.startswith(JPEG):
            return _jpeg_size(payload)
        if payload[:8] == b"\x89PNG\r\n\x1a\n":
            return _png_size(payload)
        if payload[:4] == b"RIFF" and payload[8:12] == b"WEBP":
            return _webp_size(payload)
    except (struct.error, IndexError):
        raise ImageError(f"picture: cut short after {len(payload)} bytes, within its header") from None
    start = payload[:8].hex() or "nothing"
    raise ImageError(f"picture: {len(payload)} bytes starting with {start}, expected a JPEG, PNG or WebP")


def _jpeg_size(payload: bytes) -> Tuple[int, int]:
    """From the frame header, ITU-T T.81, B.2.2."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", payload, at)
        if marker == 0xFFFF:  # a fill byte
            at += 1
        elif marker < 0xFFC0 or marker == 0xFFDA:
            raise ImageError("jpeg: no frame header before the picture data")
        elif marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", payload, at + 5)
            break
        else:
            at += 2 + length
    # OpenCV 4 fills the rest of a JPEG that was cut short with grey and says nothing.
    if payload.find(b"\xff\xd9", at) < 0:
        raise ImageError(f"jpeg: cut short after {len(payload)} bytes, no end of image")
    return width, height


def _png_size(payload: bytes) -> Tuple[int, int]:
    """From the IHDR chunk, which is always the first."""
    width, height = struct.unpack_from(">II", payload, 16)
    if payload[12:16] != b"IHDR" or b"IEND" not in payload[33:]:
        raise ImageError(f"png: corrupt or cut short after {len(payload)} bytes")
    return width, height


def _webp_size(payload: bytes) -> Tuple[int, int]:
    """From the first chunk, RFC 9649: lossy, lossless or extended."""
    (size,) = struct.unpack_from("<I", payload, 4)
    if size + 8 > len(payload):
        raise ImageError(f"webp: cut short after {len(payload)} bytes, expected {size + 8}")
    kind = payload[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", payload, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", payload, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        low, high, *tall = struct.unpack_from("<HB3B", payload, 24)
        return low + (high << 16) + 1, int.from_bytes(bytes(tall), "little") + 1
    raise ImageError(f"webp: first chunk is {kind!r}, expected VP8, VP8L or VP8X")
