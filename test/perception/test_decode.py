"""The decoder: the same picture in, the same result out; anything else is refused with a reason."""

from __future__ import annotations

import array
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightfer_ros.errors import ImageError
from lightfer_ros.model import manifest
from lightfer_ros.perception.decode import KNOWN_ENCODINGS, decode, decode_compressed
from lightfer_ros.perception.frame import MAX_PIXELS, Frame

YUV = ("uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21")
MOSAIC_CHANNELS = {"rggb": (2, 1, 1, 0), "bggr": (0, 1, 1, 2), "gbrg": (1, 0, 2, 1), "grbg": (1, 2, 0, 1)}


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """uint8 [480, 640, 3], BGR: five people."""
    return cv2.resize(cv2.imread(str(manifest.find("photo_multi_face"))), (640, 480))


def encode(bgr: np.ndarray, encoding: str, padding: int = 0, big: bool = False, seed: int = 0):
    """The arguments of `decode` for a picture: what a driver that sends `encoding` would publish."""
    rng = np.random.default_rng(seed)
    height, width = bgr.shape[:2]
    if encoding in YUV:
        planes = _yuv(bgr, encoding)
    elif encoding.startswith("bayer"):
        planes = _mosaic(bgr, encoding[6:10])
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


def _mosaic(bgr: np.ndarray, pattern: str) -> np.ndarray:
    mosaic = np.empty(bgr.shape[:2], np.uint8)
    for i, channel in enumerate(MOSAIC_CHANNELS[pattern]):
        mosaic[i // 2 :: 2, i % 2 :: 2] = bgr[i // 2 :: 2, i % 2 :: 2, channel]
    return mosaic


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


@st.composite
def pictures(draw):
    """An encoding and a random picture that it can carry without loss, but for YUV's rounding."""
    encoding = draw(st.sampled_from(KNOWN_ENCODINGS))
    height, width = 2 * draw(st.integers(2, 20)), 2 * draw(st.integers(2, 20))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    if "mono" in encoding or "UC1" in encoding:
        return encoding, np.repeat(rng.integers(0, 256, (height, width, 1), np.uint8), 3, 2)
    cell = 2 if encoding in YUV else 1  # the colour of two by two pixels is one
    if encoding.startswith("bayer"):
        cell = 40  # what lies between the samples of a mosaic is a guess unless the picture is plain
    small = rng.integers(0, 256, (-(-height // cell), -(-width // cell), 3), np.uint8)
    return encoding, small.repeat(cell, 0).repeat(cell, 1)[:height, :width]


@settings(deadline=None, max_examples=300)
@given(pictures(), st.integers(0, 9), st.booleans(), st.integers(0, 99))
def test_the_same_picture_in_any_encoding_gives_the_same_result(picture, padding, big, seed):
    encoding, bgr = picture
    frame = decode(*encode(bgr, encoding, padding, big, seed))
    assert (frame.width, frame.height) == (bgr.shape[1], bgr.shape[0])
    # YUV's eight bits hold 219 of 255 levels of luma and 224 of colour: two roundings and BT.601's gains.
    tolerance = 4 if encoding in YUV else 0
    assert np.abs(frame.bgr.astype(int) - bgr).max() <= tolerance
    grey = Frame.from_array(bgr).grey
    assert np.abs(frame.grey.astype(int) - grey).max() <= tolerance
    # Asked in the other order, the answer is the same: grey is always that of the colours.
    again = decode(*encode(bgr, encoding, padding, big, seed))
    assert np.array_equal(again.grey, frame.grey) and np.array_equal(again.bgr, frame.bgr)


@pytest.mark.parametrize("encoding", [name for name in KNOWN_ENCODINGS if "UC1" not in name])
def test_a_photo_keeps_its_look_in_any_encoding(photo, encoding):
    frame = decode(*encode(photo, encoding, padding=32))
    expected = Frame.from_array(photo)
    if "mono" in encoding:
        expected = Frame.from_array(np.ascontiguousarray(photo[:, :, 1]))
    # Mosaics and halved chroma lose detail at edges; swapped colours or a shifted mosaic would cost above 15.
    assert np.abs(frame.bgr.astype(int) - expected.bgr).mean() < 4
    assert np.abs(frame.grey.astype(int) - expected.grey).mean() < 4


@pytest.mark.parametrize("encoding", YUV)
def test_black_and_white_in_yuv_are_black_and_white_and_not_the_plain_luma_plane(encoding):
    bgr = np.zeros((4, 8, 3), np.uint8)
    bgr[:, 4:] = 255
    grey = decode(*encode(bgr, encoding)).grey
    assert (grey[:, :4] == 0).all() and (grey[:, 4:] == 255).all()


def test_colour_order_matters():
    red = np.full((4, 4, 3), (0, 0, 255), np.uint8)
    _, *rest = encode(red, "bgr8")
    assert (decode("bgr8", *rest).grey == 76).all()
    assert (decode("rgb8", *rest).grey == 29).all()


def test_all_16_bit_values_scale_as_cv_bridge_does():
    values = np.arange(65536, dtype="<u2")
    frame = decode("mono16", 256, 256, 512, False, values.tobytes())
    assert np.array_equal(frame.grey.ravel(), np.rint(values / 257))
    frame = decode("mono16", 256, 256, 512, True, values.astype(">u2").tobytes())
    assert np.array_equal(frame.grey.ravel(), np.rint(values / 257))


def test_grey_and_bgr_buffers_are_used_in_place_and_cannot_be_drawn_into(photo):
    *rest, data = encode(photo, "bgr8", padding=7)
    frame = decode(*rest, data)
    assert np.shares_memory(frame.bgr, np.frombuffer(data, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        frame.bgr[0, 0] = 0
    *rest, data = encode(photo, "mono8")
    assert np.shares_memory(decode(*rest, data).grey, np.frombuffer(data, np.uint8))


def test_padded_grey_lies_without_gaps_so_that_dlib_reads_it_right(photo):
    assert decode(*encode(photo, "mono8", padding=128)).grey.flags.c_contiguous
    assert Frame.from_array(photo[:, ::-1, 1]).grey.flags.c_contiguous


@pytest.mark.parametrize(
    "given_array",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8), [[1, 2]]],
)
def test_a_frame_takes_only_pictures(given_array):
    with pytest.raises(ImageError, match="expected"):
        Frame.from_array(given_array)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"encoding": "rgb9"}, ["'rgb9'", "bgr8"]),
        ({"width": 0}, ["0x4", "at least 1x1"]),
        ({"height": 0}, ["8x0", "at least 1x1"]),
        ({"step": 23}, ["23", "at least 24"]),
        ({"data": bytes(95)}, ["95", "expected 96"]),
        ({"data": bytes(97)}, ["97", "expected 96"]),
        ({"data": b""}, ["0 bytes"]),
        ({"data": "text"}, ["str", "buffer"]),
        ({"data": [0] * 96}, ["list", "buffer"]),
        ({"encoding": "yuyv", "width": 7, "step": 14, "data": bytes(56)}, ["7x4", "even width"]),
        ({"encoding": "nv12", "height": 5, "step": 8, "data": bytes(60)}, ["8x5", "even width and height"]),
        ({"encoding": "bayer_rggb8", "height": 2, "step": 8, "data": bytes(16)}, ["8x2", "at least 3x3"]),
        ({"width": 10_000, "height": 5_000, "step": 30_000}, ["50.0 megapixels", "under 50"]),
    ],
)
def test_a_wrong_picture_is_refused_with_what_was_given_and_what_was_expected(wrong, words):
    picture = {
        "encoding": "rgb8",
        "width": 8,
        "height": 4,
        "step": 24,
        "is_bigendian": False,
        "data": bytes(96),
    }
    with pytest.raises(ImageError) as refusal:
        decode(**{**picture, **wrong})
    assert all(word in str(refusal.value) for word in words), refusal.value


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from([*KNOWN_ENCODINGS, "", "bayer_rggb12"]) | st.text(max_size=8),
    st.integers(0, 40) | st.integers(0, 2**32 - 1),
    st.integers(0, 40) | st.integers(0, 2**32 - 1),
    st.integers(0, 200) | st.integers(0, 2**32 - 1),
    st.booleans(),
    st.binary(max_size=200) | st.none(),
)
def test_no_header_and_no_data_raise_anything_but_an_image_error(encoding, width, height, step, big, data):
    if data is None:  # what fits, so that small pictures get through to the conversion
        data = bytes(min(step * (height + height // 2 * encoding.startswith("nv")), 12_000))
    try:
        frame = decode(encoding, width, height, step, big, data)
    except ImageError:
        return
    assert frame.grey.shape == (height, width) and frame.bgr.shape == (height, width, 3)


LOSSY = (cv2.IMWRITE_WEBP_QUALITY, 80)


def compress(picture: np.ndarray, kind: str, *parameters: int) -> bytes:
    return cv2.imencode("." + kind, picture, parameters)[1].tobytes()


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_compressed_pictures_look_as_they_did(photo, kind):
    frame = decode_compressed(f"bgr8; {kind} compressed bgr8", array.array("B", compress(photo, kind)))
    assert np.abs(frame.bgr.astype(int) - photo).mean() < 4
    assert np.array_equal(frame.grey, Frame.from_array(frame.bgr).grey)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("encoding", ["mono", "bgr", "bgra"])
def test_png_gives_what_the_raw_picture_gives(photo, encoding, bits):
    raw = encode(photo[:61, :43], f"{encoding}{bits}")
    stored = np.frombuffer(raw[-1], f"u{bits // 8}").reshape(61, 43, -1)
    frame = decode_compressed("png", compress(stored, "png"))
    expected = decode(*raw)
    assert np.array_equal(frame.bgr, expected.bgr) and np.array_equal(frame.grey, expected.grey)


def test_a_bayer_mosaic_within_png_is_converted(photo):
    raw = encode(photo, "bayer_grbg8")
    frame = decode_compressed("bayer_grbg8; png compressed ", compress(_mosaic(photo, "grbg"), "png"))
    assert np.array_equal(frame.bgr, decode(*raw).bgr)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.7, 0.99])
def test_a_picture_cut_short_is_refused(photo, kind, kept):
    whole = compress(photo, kind)
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


def test_a_camera_frame_ignores_exif_orientation_and_a_photo_obeys_it(photo):
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # orientation 6: turn clockwise
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    plain = compress(photo, "jpg")
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
