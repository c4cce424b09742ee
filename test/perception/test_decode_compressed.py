"""JPEG, PNG and WebP: the picture as it was; what is something else or too large is refused with a reason."""

from __future__ import annotations

import array
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sent_pictures import encode, mosaic

from lightfer_ros.errors import ImageError
from lightfer_ros.perception.decode import decode, decode_compressed
from lightfer_ros.perception.frame import MAX_PIXELS, Frame

LOSSY = (cv2.IMWRITE_WEBP_QUALITY, 80)


def compress(picture: np.ndarray, kind: str, *parameters: int) -> bytes:
    return cv2.imencode("." + kind, picture, parameters)[1].tobytes()


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_compressed_pictures_look_as_they_did(vga_photo, kind):
    frame = decode_compressed(f"bgr8; {kind} compressed bgr8", array.array("B", compress(vga_photo, kind)))
    assert np.abs(frame.bgr.astype(int) - vga_photo).mean() < 4
    assert np.array_equal(frame.grey, Frame.from_array(frame.bgr).grey)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("encoding", ["mono", "bgr", "bgra"])
def test_png_gives_what_the_raw_picture_gives(vga_photo, encoding, bits):
    raw = encode(vga_photo[:61, :43], f"{encoding}{bits}")
    stored = np.frombuffer(raw[-1], f"u{bits // 8}").reshape(61, 43, -1)
    frame = decode_compressed("png", compress(stored, "png"))
    expected = decode(*raw)
    assert np.array_equal(frame.bgr, expected.bgr) and np.array_equal(frame.grey, expected.grey)


def test_a_bayer_mosaic_within_png_is_converted(vga_photo):
    raw = encode(vga_photo, "bayer_grbg8")
    frame = decode_compressed("bayer_grbg8; png compressed ", compress(mosaic(vga_photo, "grbg"), "png"))
    assert np.array_equal(frame.bgr, decode(*raw).bgr)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.7, 0.99])
def test_a_picture_cut_short_is_refused(vga_photo, kind, kept):
    whole = compress(vga_photo, kind)
    with pytest.raises(ImageError):
        decode_compressed(kind, whole[: int(len(whole) * kept)])


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), bytes(1000)])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ImageError, match="expected"):
        decode_compressed("jpeg", data)


def test_a_depth_picture_is_refused_with_the_reason():
    with pytest.raises(ImageError, match="depth"):
        decode_compressed("16UC1; compressedDepth png", bytes(100))


def _claiming(size: int, kind: str) -> bytes:
    """A valid small picture whose header says it is size x size."""
    data = bytearray(compress(np.zeros((16, 16, 3), np.uint8), kind, *LOSSY))
    if kind == "jpg":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", size, size)
    elif kind == "png":
        data[16:24] = struct.pack(">II", size, size)
    else:
        at = data.index(b"\x9d\x01\x2a") + 3
        data[at : at + 4] = struct.pack("<HH", size, size)
    return bytes(data)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_picture_of_50_megapixels_is_refused_before_it_is_decoded(kind, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    size = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(ImageError, match=f"{size}x{size} .*megapixels"):
        decode_compressed(kind, _claiming(size, kind))


def test_a_camera_frame_ignores_exif_orientation_and_a_photo_obeys_it(vga_photo):
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # orientation 6: turn clockwise
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    plain = compress(vga_photo, "jpg")
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    as_it_lies = decode_compressed("jpeg", turned)
    assert np.array_equal(as_it_lies.bgr, decode_compressed("jpeg", plain).bgr)
    upright = decode_compressed("jpeg", turned, upright=True)
    assert (upright.width, upright.height) == (480, 640)
    assert np.array_equal(upright.bgr, cv2.rotate(as_it_lies.bgr, cv2.ROTATE_90_CLOCKWISE))


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["jpg", "png", "webp"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
    st.booleans(),
)
def test_damage_never_raises_anything_but_an_image_error(kind, damage, kept, upright):
    rng = np.random.default_rng(0)
    data = bytearray(compress(rng.integers(0, 256, (9, 12, 3), np.uint8), kind))
    for place, value in damage:
        data[int(place * (len(data) - 1))] = value
    if kept > 0.5:
        data = data[: int(len(data) * kept)]
    try:
        frame = decode_compressed(kind, bytes(data), upright=upright)
    except ImageError:
        return
    assert frame.grey.shape == (frame.height, frame.width) == frame.bgr.shape[:2]
