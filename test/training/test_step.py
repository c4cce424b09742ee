"""A step learns; recorded once on a GPU and replayed, it learns the same."""

import pytest
import torch

from lightfer_ros.training.learner import Learner
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.recipe import OptimizerOptions
from lightfer_ros.training.step import WARM_UP, Batch, Step

TINY = NetworkOptions(width=0.05, divisor=4, middle_blocks=1, dropout=0.0, drop_path=0.0)


@pytest.fixture
def batches():
    """Faces that are bright above (happy) or below (sad), eight batches of them."""
    chance = torch.Generator().manual_seed(0)
    out = []
    for _ in range(8):
        label = torch.randint(3, 5, (16,), generator=chance)
        inputs = torch.rand(16, 48, 48, 1, generator=chance) - 1.0
        inputs[label == 3, :24] += 0.8
        inputs[label == 4, 24:] += 0.8
        out.append(Batch(torch.arange(16), inputs, torch.eye(7)[label], torch.ones(16)))
    return out


def losses(step, batches, rounds=3):
    found, device = [], step.learner.device
    for count, batch in enumerate(batches * rounds, 1):
        batch = Batch(*(t.to(device) for t in (batch.chosen, batch.inputs, batch.targets, batch.weights)))
        step.learner.set_rate(2e-3, count)
        loss, logits = step(batch)
        assert logits.shape == (16, 7)
        found.append(float(loss))
    return found


def test_the_loss_falls_and_the_average_follows(batches):
    learner = Learner(TINY, OptimizerOptions(average_decay=0.9))
    start = [w.copy() for w in learner.average.get_weights()]
    found = losses(Step(learner, "fp32", lambda: None), batches)
    assert sum(found[-4:]) < 0.5 * sum(found[:4])
    assert any(abs(a - b).max() > 1e-3 for a, b in zip(start, learner.average.get_weights(), strict=True))


def test_a_face_of_no_weight_teaches_nothing(batches):
    learner = Learner(TINY, OptimizerOptions())
    silent = Batch(batches[0].chosen, batches[0].inputs, batches[0].targets, torch.zeros(16))
    gradients = []

    def look():
        gradients.extend(p.grad.abs().max() for p in learner.network.parameters() if p.grad is not None)

    step = Step(learner, "fp32", look)
    assert losses(step, [silent], rounds=1) == [0.0]
    assert gradients and max(gradients) == 0


def test_gradients_are_shown_once_a_step(batches):
    shown = []
    learner = Learner(TINY, OptimizerOptions())
    losses(Step(learner, "fp32", lambda: shown.append(1)), batches, rounds=1)
    assert len(shown) == (len(batches) if learner.device.type == "cpu" else WARM_UP + 1), "and recorded once"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_replayed_steps_learn_as_those_asked_for_one_by_one(batches):
    first, second = (Learner(TINY, OptimizerOptions()) for _ in range(2))
    second.network.set_weights(first.network.get_weights())
    recorded, asked = Step(first, "fp32", lambda: None), Step(second, "fp32", lambda: None)
    asked.on_gpu = False
    one, two = losses(recorded, batches), losses(asked, batches)
    assert recorded._graph is not None and len(one) > WARM_UP
    assert one == pytest.approx(two, rel=0.05)
