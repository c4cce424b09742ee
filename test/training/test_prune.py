"""Pruning removes whole channels, the least useful for their cost first, until R is reached."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lightfer_ros.compression.from_keras import from_keras
from lightfer_ros.compression.ratio import count_layers
from lightfer_ros.compression.reference import published_layers
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training import magnitude
from lightfer_ros.training.architecture import build_network
from lightfer_ros.training.artifact import averaged_network
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.learner import Learner
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import PruneOptions, choose, narrowed
from lightfer_ros.training.recipe import OptimizerOptions
from lightfer_ros.training.run import train
from lightfer_ros.training.widths import equation_1, layer_shapes, published_widths

TINY = NetworkOptions(width=0.06, divisor=4, middle_blocks=2, drop_path=0.0)


def scores_of(options, value=1.0):
    return {group: np.full(width, value) for group, width in options.table().items()}


def first_half(options):
    return {g: np.arange(max(1, w // 2)) for g, w in options.table().items()}


def test_our_sum_of_equation_1_is_that_of_the_compression_room():
    full = NetworkOptions()
    ours = equation_1(layer_shapes(), full.table())
    exported = from_keras(build_network(NetworkOptions(width=0.05, divisor=4)))
    assert ours == sum(count.total for count in published_layers(exported).values())


def test_a_pruned_network_counts_what_its_widths_say():
    options = narrowed(TINY, first_half(TINY))
    model = build_network(options)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1, w.shape) for w in model.get_weights()])
    counted = sum(c.total for c in count_layers(from_keras(model)).values())
    assert counted == equation_1(layer_shapes(2), options.table())


def test_the_useless_channel_goes_first_wherever_it_is():
    scores = scores_of(TINY)
    scores["middle2_first"][[3, 5]] = 0.0
    sum_now = equation_1(layer_shapes(2), TINY.table())
    kept = choose(TINY, scores, sum_now - 1, chunk=2)
    assert set(kept["middle2_first"]) == set(range(TINY.table()["middle2_first"])) - {3, 5}
    assert all(len(kept[g]) == w for g, w in TINY.table().items() if g != "middle2_first")


def test_of_equally_useful_channels_the_dearest_goes_first():
    kept = choose(TINY, scores_of(TINY), equation_1(layer_shapes(2), TINY.table()) - 1, chunk=1)
    lost = {g for g, w in TINY.table().items() if len(kept[g]) < w}
    assert lost == {"trunk"}  # every block reads and writes it


def test_the_target_is_reached_and_no_group_dies():
    allowed = equation_1(layer_shapes(2), TINY.table()) // 3
    kept = choose(TINY, scores_of(TINY), allowed, chunk=2)
    assert equation_1(layer_shapes(2), narrowed(TINY, kept).table()) <= allowed
    kept = choose(TINY, scores_of(TINY), 1, chunk=4)  # more than can be had
    assert all(len(channels) >= 1 for channels in kept.values())


def test_the_budget_falls_to_the_target_and_most_of_it_early():
    plan = PruneOptions(ratio=10, first_epoch=2, last_epoch=5)
    budgets = [plan.allowed(e, 1000, 2000) for e in range(1, 8)]
    assert budgets[0] is None and budgets[5:] == [None, None]
    assert budgets[4] == 200
    falls = -np.diff([1000, *budgets[1:5]])
    assert (falls > 0).all() and (np.diff(falls) < 0).all()


def test_removing_dead_channels_changes_no_answer():
    learner = Learner(TINY, OptimizerOptions())
    kept = first_half(TINY)
    rng = np.random.default_rng(1)
    # Everything random, but channels that will go give nothing: their gain and shift are zero
    for variable in learner.network.variables:
        if variable.path.endswith(("gamma", "beta", "moving_mean", "moving_variance")):
            variable.assign(rng.uniform(0.3, 1.0, variable.shape))
    targets = {s.name: s.target for s in layer_shapes(2)}
    for variable in learner.network.variables:
        layer, _, kind = variable.path.rpartition("/")
        if kind in ("gamma", "beta"):
            value = variable.value.detach().numpy().copy()
            value[len(kept[targets[layer.removesuffix("_bn")]]) :] = 0
            variable.assign(value)
    x = torch.from_numpy(rng.uniform(-1, 1, (3, 48, 48, 1)).astype(np.float32))
    with torch.no_grad():
        before = learner.network(x, training=False)
        after = learner.narrow(kept).network(x, training=False)
    assert torch.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize("muon", [False, True])
def test_the_optimizers_keep_their_moments_of_kept_channels(muon):
    learner = Learner(TINY, OptimizerOptions(muon=muon))
    x = torch.rand(8, 48, 48, 1)
    learner.network(x, training=True).square().mean().backward()
    learner.set_rate(1e-3, 1)
    learner.step()
    kept = {g: np.arange(1, max(2, w)) for g, w in TINY.table().items()}
    new = learner.narrow(kept)

    def moment(one, path, optimizer, name):
        variable = next(v for v in one.network.variables if v.path == path)
        return one.optimizers[optimizer].state[variable.value][name]

    gamma, kernel = ("stem2_bn/gamma", 0, "exp_avg"), ("exit2_pw/kernel", 0, "exp_avg")
    if muon:
        kernel = ("exit2_pw/kernel", 1, "momentum")
    assert torch.equal(moment(learner, *gamma)[1:], moment(new, *gamma))
    assert torch.equal(moment(learner, *kernel)[:, :, 1:, 1:], moment(new, *kernel))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_prunes_still_learns_resumes_and_is_small(toy_recipe, tmp_path, workers):
    published = equation_1(layer_shapes(), published_widths())
    start = equation_1(layer_shapes(1), toy_recipe.network.table())
    ratio = 2.0 * published / start
    recipe = replace(
        toy_recipe,
        workers=workers,
        prune=PruneOptions(ratio=ratio, first_epoch=1, last_epoch=3, chunk=1),
    )
    trainer = train(recipe, tmp_path)
    assert trainer.history[-1]["ratio"] >= ratio
    assert trainer.history[-1]["validation_accuracy"] > 0.9
    model, saved, _ = averaged_network(tmp_path / "last.pt")
    assert equation_1(layer_shapes(1), saved.network.table()) <= start / 2
    assert model.count_params() < build_network(toy_recipe.network).count_params() * 0.7
    longer = replace(recipe, schedule=replace(recipe.schedule, epochs=5))
    assert train(longer, tmp_path, resume=True).history[-1]["ratio"] >= ratio
    assert Checkpoint.load(tmp_path / "last.pt").epoch == 5


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_zeros_weights_reaches_the_ratio_keeps_its_shape_and_resumes(
    toy_recipe, tmp_path, workers
):
    published = equation_1(layer_shapes(), published_widths())
    ratio = 1.3 * published / equation_1(layer_shapes(1), toy_recipe.network.table())
    plan = PruneOptions(ratio=ratio, what="weights", first_epoch=1, last_epoch=2)
    recipe = replace(toy_recipe, workers=workers, prune=plan)
    trainer = train(recipe, tmp_path)
    zeros = magnitude.masks(trainer.network)
    assert trainer.history[-1]["ratio"] == pytest.approx(ratio, rel=0.001)
    assert trainer.history[-1]["validation_accuracy"] > 0.9
    longer = replace(recipe, schedule=replace(recipe.schedule, epochs=trainer.epoch + 1))
    train(longer, tmp_path, resume=True)
    model, used, saved = averaged_network(tmp_path / "last.pt")
    assert used.network.widths is None and saved.epoch == trainer.epoch + 1
    assert all(map(torch.equal, magnitude.masks(model), zeros))


def test_the_smallest_weights_of_all_layers_become_zeros_first():
    model = Learner(TINY, OptimizerOptions()).network
    before = torch.cat([kernel.flatten().clone() for kernel in magnitude.kernels(model)])
    magnitude.smallest_to_zero(model, 1000)
    after = torch.cat([kernel.flatten() for kernel in magnitude.kernels(model)])
    assert magnitude.zeros(model) == 1000
    assert before[after == 0].abs().max() < after[after != 0].abs().min()
    magnitude.smallest_to_zero(model, 10**9)
    assert magnitude.zeros(model) == len(after)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"ratio": 0.5}, "ratio is 0.5"),
        ({"first_epoch": 9, "last_epoch": 3}, "first_epoch is 9 and last_epoch 3"),
        ({"what": "layers"}, "what is 'layers', expected channels or weights"),
        ({"chunk": 0}, "chunk is 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        PruneOptions(**wrong)
