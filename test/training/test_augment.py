"""Augmentation does what a camera does, stays a picture, and repeats with its seed."""

import cv2
import numpy as np
import pytest
import torch

from lightfer_ros.training.augment import Augmenter, AugmentOptions
from lightfer_ros.training.degrade import gaussian_blur, jpeg, lower_resolution

NOTHING = AugmentOptions(
    flip_share=0.0, rotation_deg=0.0, scale=(1.0, 1.0), loose_share=0.0, aspect=0.0, shift=0.0,
    contrast=(1.0, 1.0), brightness=0.0, gamma=(1.0, 1.0), low_resolution_share=0.0, blur_share=0.0,
    jpeg_share=0.0, noise_share=0.0, erase_share=0.0,
)  # fmt: skip


def only(**changed):
    return Augmenter(AugmentOptions(**{**NOTHING.__dict__, **changed}), seed=0)


@pytest.fixture
def faces():
    coarse = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0)) * 255
    smooth = torch.nn.functional.interpolate(coarse, size=(48, 48), mode="bicubic").clamp(0, 255)
    return smooth[:, 0].to(torch.uint8)


def test_with_nothing_asked_the_picture_stays(faces):
    assert torch.allclose(only()(faces), faces / 255.0, atol=1e-5)


def test_everything_on_still_gives_fractions_of_the_same_shape(faces):
    full = AugmentOptions(**{name: 1.0 for name in AugmentOptions().__dict__ if name.endswith("_share")})
    out = Augmenter(full, 0)(faces)
    assert out.shape == faces.shape and out.dtype == torch.float32
    assert out.min() >= 0 and out.max() <= 1 and torch.isfinite(out).all()


def test_one_seed_gives_one_result(faces):
    first, again, other = (Augmenter(AugmentOptions(), seed)(faces) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_flip_is_a_mirror(faces):
    assert torch.allclose(only(flip_share=1.0)(faces), faces.flip(2) / 255.0, atol=1e-5)


def test_a_loose_cut_shows_the_face_smaller():
    spot = torch.zeros(3, 48, 48, dtype=torch.uint8)
    spot[:, 16:32, 16:32] = 255
    out = only(loose_share=1.0, loose_scale=(0.5, 0.5))(spot)
    middle = out[:, 18:30, 18:30]
    assert (middle[:, 3:9, 3:9] > 0.95).all()  # 8 pixels wide now
    assert (out[:, 24, 14:19] < 0.05).all()


def test_a_turn_moves_the_eyes_against_each_other():
    eyes = torch.zeros(64, 48, 48, dtype=torch.uint8)
    eyes[:, 22:26, 8:12] = eyes[:, 22:26, 36:40] = 255
    out = only(rotation_deg=20.0)(eyes)
    rows = torch.arange(48.0)[None, :, None]
    left = (out[:, :, :24] * rows).sum((1, 2)) / out[:, :, :24].sum((1, 2))
    right = (out[:, :, 24:] * rows).sum((1, 2)) / out[:, :, 24:].sum((1, 2))
    angles = torch.rad2deg(torch.atan((right - left) / 28))
    assert angles.abs().max() <= 20.5 and angles.std() > 8


def test_jpeg_is_the_jpeg_of_opencv(faces):
    for quality in (20, 50, 90):
        ours = jpeg(faces[:, None] / 255.0, torch.full((len(faces),), float(quality)))[:, 0] * 255
        for face, mine in zip(faces.numpy(), ours.numpy(), strict=True):
            _, code = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
            theirs = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
            # libjpeg's integer transform rounds a few coefficients to the other side
            assert np.abs(mine - theirs).mean() < 0.6


def test_blur_is_the_gaussian_of_opencv(faces):
    ours = gaussian_blur(faces[:, None].float(), torch.full((len(faces),), 0.9))[:, 0].numpy()
    theirs = cv2.GaussianBlur(
        faces[0].numpy().astype(np.float32), (7, 7), 0.9, borderType=cv2.BORDER_REPLICATE
    )
    assert np.abs(ours[0] - theirs).max() < 1e-2


def test_lower_resolution_keeps_size_and_light_but_loses_detail():
    stripes = torch.zeros(1, 1, 48, 48)
    stripes[..., ::2] = 1.0
    out = lower_resolution(stripes, 16)
    assert out.shape == stripes.shape and abs(out.mean() - 0.5) < 0.02 and out.std() < 0.05


def test_an_erased_part_is_one_grey_rectangle_of_the_size_asked_for():
    black = torch.zeros(64, 48, 48, dtype=torch.uint8)
    out = only(erase_share=1.0, erase_area=(0.1, 0.2))(black).numpy()
    sizes = []
    for picture in out:
        grey = picture.max()
        rows, columns = np.nonzero(picture.max(1) > 1e-3)[0], np.nonzero(picture.max(0) > 1e-3)[0]
        inside = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (inside == grey).all() and (picture > 1e-3).sum() == inside.size
        sizes.append(inside.size / picture.size)
    assert min(sizes) > 0.07 and max(sizes) <= 0.2 and np.std(sizes) > 0.01


def test_half_of_the_faces_stay_whole_when_half_may_be_erased(faces):
    out = only(erase_share=0.5)(faces.repeat(50, 1, 1))
    change = (out - faces.repeat(50, 1, 1) / 255.0).abs().amax((1, 2))
    assert 0.4 < (change < 1e-4).float().mean() < 0.6


def test_nothing_is_mixed_where_nothing_was_asked(faces):
    pictures, targets = faces / 255.0, torch.eye(7)[:1].repeat(8, 1)
    assert only().mixed(pictures, targets) == (pictures, targets), "the very same"
