"""The decoder: the same picture in, the same result out; anything else is refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sent_pictures import YUV, encode

from lightfer_ros.errors import ImageError
from lightfer_ros.perception.decode import KNOWN_ENCODINGS, decode
from lightfer_ros.perception.frame import Frame


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
def test_a_photo_keeps_its_look_in_any_encoding(vga_photo, encoding):
    frame = decode(*encode(vga_photo, encoding, padding=32))
    expected = Frame.from_array(vga_photo)
    if "mono" in encoding:
        expected = Frame.from_array(np.ascontiguousarray(vga_photo[:, :, 1]))
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


def test_grey_and_bgr_buffers_are_used_in_place_and_cannot_be_drawn_into(vga_photo):
    *rest, data = encode(vga_photo, "bgr8", padding=7)
    frame = decode(*rest, data)
    assert np.shares_memory(frame.bgr, np.frombuffer(data, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        frame.bgr[0, 0] = 0
    *rest, data = encode(vga_photo, "mono8")
    assert np.shares_memory(decode(*rest, data).grey, np.frombuffer(data, np.uint8))


def test_padded_grey_lies_without_gaps_so_that_dlib_reads_it_right(vga_photo):
    assert decode(*encode(vga_photo, "mono8", padding=128)).grey.flags.c_contiguous
    assert Frame.from_array(vga_photo[:, ::-1, 1]).grey.flags.c_contiguous


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
