"""What the network thought of a face in past epochs becomes part of its target, and only then."""

from dataclasses import replace

import pytest
import torch

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.run import train
from lightfer_ros.training.temporal_ensemble import EnsembleOptions, TemporalEnsemble

HAPPY, SAD = torch.eye(7)[3:4], torch.eye(7)[4:5]
FACE = torch.tensor([1])


@pytest.fixture
def ensemble():
    return TemporalEnsemble(EnsembleOptions(share=0.4, first_epoch=2, momentum=0.5), faces=3)


def test_answers_are_averaged_with_newer_ones_counting_more(ensemble):
    ensemble.observe(HAPPY, FACE, epoch=2)
    ensemble.observe(SAD, FACE, epoch=3)
    blended = ensemble.blend(HAPPY, FACE, epoch=4)
    # weights 0.25 and 0.5 of what was seen, made to sum to 1
    assert torch.allclose(blended, 0.6 * HAPPY + 0.4 * (HAPPY + 2 * SAD) / 3)


def test_before_the_first_epoch_nothing_is_kept_and_nothing_changes(ensemble):
    ensemble.observe(SAD, FACE, epoch=1)
    assert not ensemble.sums.any()
    ensemble.observe(SAD, FACE, epoch=2)
    assert torch.equal(ensemble.blend(HAPPY, FACE, epoch=2), HAPPY)


def test_a_face_without_answers_keeps_its_target(ensemble):
    ensemble.observe(SAD, FACE, epoch=2)
    others = torch.tensor([0, 2])
    assert torch.equal(ensemble.blend(HAPPY.repeat(2, 1), others, epoch=3), HAPPY.repeat(2, 1))


@pytest.mark.parametrize("field", ["share", "momentum"])
def test_a_share_outside_0_to_1_is_refused_by_name(field):
    with pytest.raises(ConfigurationError, match=f"{field} is 1.5"):
        EnsembleOptions(**{field: 1.5})


def test_two_workers_share_one_ensemble_and_a_resumed_run_keeps_it(toy_recipe, tmp_path):
    recipe = replace(toy_recipe, workers=2, ensemble=EnsembleOptions(share=0.3, first_epoch=2))
    train(recipe, tmp_path)
    saved = Checkpoint.load(tmp_path / "last.pt").ensemble
    assert saved is not None and (saved.sum(1) > 0).all()  # 64 faces, 4 whole batches: all were answered for
    longer = replace(recipe, schedule=replace(recipe.schedule, epochs=5))
    trainer = train(longer, tmp_path, resume=True)
    momentum = recipe.ensemble.momentum
    assert torch.allclose(trainer.ensemble.sums.sum(1), momentum * saved.sum(1) + 1 - momentum, atol=1e-4)
