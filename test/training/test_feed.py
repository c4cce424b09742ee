"""Batches hold every face of the order once, augmented, with targets that fit what is to be seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.training.augment import Augmenter
from lightfer_ros.training.data import TrainingData
from lightfer_ros.training.feed import Feed, to_input
from lightfer_ros.training.teacher import TeacherOptions, Teachers
from lightfer_ros.training.temporal_ensemble import EnsembleOptions, TemporalEnsemble

from .test_augment import NOTHING

FACES = 10


@pytest.fixture
def data():
    """Ten plain faces, each of its own grey and, as far as there are enough, of its own class."""
    images = np.repeat(np.arange(FACES, dtype=np.uint8) * 20, 48 * 48).reshape(FACES, 48, 48)
    targets = np.eye(7, dtype=np.float32)[np.arange(FACES) % 7]
    nobody = FaceSet(images[:0], np.zeros(0, np.int64), (), np.zeros(0, np.int64))
    return TrainingData(images, targets, nobody, 0, 0, 0, "")


def feed_of(data, augment=NOTHING, ensemble=None, at_once=None, balance=0.0):
    remembered = TemporalEnsemble(ensemble or EnsembleOptions(), FACES)
    nobody = Teachers(TeacherOptions(), 48, "fp32")
    return Feed(data, balance, Augmenter(augment, 0), nobody, remembered, at_once)


@pytest.mark.parametrize("at_once", [1, 4, 10])
def test_faces_come_in_the_order_asked_for_with_their_own_targets(data, at_once):
    order = torch.tensor([7, 2, 9, 4, 0, 5]).split(2)
    batches = list(feed_of(data, at_once=at_once).batches(order, epoch=1))
    assert [b.chosen.tolist() for b in batches] == [[7, 2], [9, 4], [0, 5]]
    for batch in batches:
        assert batch.inputs.shape == (2, 48, 48, 1) and batch.inputs.dtype == torch.float32
        assert torch.equal(batch.targets, torch.from_numpy(data.targets)[batch.chosen])
        assert torch.allclose(batch.inputs[:, 0, 0, 0], batch.chosen * 20 * 2 / 255 - 1, atol=1e-5)
        assert torch.equal(batch.weights, torch.ones(2))


def test_pixels_reach_from_minus_one_to_one():
    assert to_input(torch.tensor([[[0.0, 0.5, 1.0]]])).flatten().tolist() == [-1.0, 0.0, 1.0]


def test_of_two_mixed_faces_the_target_has_as_much_as_the_picture(data):
    order = (torch.tensor([0, 1, 4, 3]),)
    (batch,) = feed_of(data, replace(NOTHING, mixup_share=1.0)).batches(order, epoch=1)
    own, other = batch.chosen.float() * 20, batch.chosen.flip(0).float() * 20
    grey = (batch.inputs[:, 0, 0, 0] + 1) * 255 / 2
    weight = (grey - own) / (other - own)
    assert weight.min() >= 0 and weight.max() <= 0.5 and weight.std() > 0.01
    targets = torch.from_numpy(data.targets)
    mixed = targets[batch.chosen].lerp(targets[batch.chosen.flip(0)], weight[:, None])
    assert torch.allclose(batch.targets, mixed, atol=1e-4)


def test_a_mixed_face_weighs_as_much_as_its_parts(data):
    order = (torch.tensor([0, 1, 4, 3]),)
    (plain,) = feed_of(data, balance=1.0).batches(order, epoch=1)
    (batch,) = feed_of(data, replace(NOTHING, mixup_share=1.0), balance=1.0).batches(order, epoch=1)
    pairs = torch.stack([plain.weights, plain.weights.flip(0)])
    assert (batch.weights >= pairs.amin(0) - 1e-6).all() and (batch.weights <= pairs.amax(0) + 1e-6).all()
    assert not torch.allclose(batch.weights, plain.weights)


def test_what_was_remembered_of_a_face_is_in_its_target(data):
    feed = feed_of(data, ensemble=EnsembleOptions(share=0.5, first_epoch=1))
    feed.ensemble.observe(torch.eye(7)[6:], torch.tensor([3]), epoch=1)
    (batch,) = feed.batches((torch.tensor([3, 4]),), epoch=2)
    assert batch.targets[0].tolist() == pytest.approx([0, 0, 0, 0.5, 0, 0, 0.5])
    assert batch.targets[1].argmax() == 4 and batch.targets[1].max() == 1
