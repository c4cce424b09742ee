"""The finale of a run: short runs from its weights, whose mean is what the run gives."""

import json
from dataclasses import replace

import pytest
import torch

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model.metadata import read_metadata
from lightfer_ros.training import magnitude
from lightfer_ros.training.artifact import averaged_network
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.finale import play
from lightfer_ros.training.prune import PruneOptions
from lightfer_ros.training.recipe import FinaleOptions, recipe_from
from lightfer_ros.training.run import train


@pytest.fixture
def recipe(toy_recipe):
    schedule = replace(toy_recipe.schedule, epochs=1, decay_epochs=1, peak=1e-3)
    return replace(
        toy_recipe, finale=FinaleOptions(seeds=(5, 6), augment=toy_recipe.augment, schedule=schedule)
    )


def test_what_a_run_gives_is_the_mean_of_its_finales(recipe, tmp_path):
    play(train(recipe, tmp_path), tmp_path)
    five, six, mean = (
        Checkpoint.load(tmp_path / name)
        for name in ("finale_5/last.pt", "finale_6/last.pt", "finale.pt")
    )  # fmt: skip
    assert any(not torch.equal(a, b) for a, b in zip(five.average, six.average, strict=True))
    for a, b, c in zip(five.average, six.average, mean.average, strict=True):
        if a.is_floating_point():
            assert torch.allclose((a + b) / 2, c, atol=1e-6)
    assert mean.epoch == 4 + 1 and mean.history[-1]["validation_accuracy"] > 0.9
    assert five.recipe["seed"] == 5 and five.recipe["initial"] == str(tmp_path / "last.pt")

    import keras

    saved = keras.models.load_model(tmp_path / "network.keras")
    assert torch.equal(saved.get_layer("stem1").kernel.value.cpu(), mean.average[0])


def test_a_finale_changes_what_it_names_and_tells_of_itself(recipe, tmp_path):
    finale = replace(recipe.finale, hard_share=0.9, copies="training", dropout=0.05, drop_path=0.02)
    recipe = replace(recipe, finale=finale)
    play(train(recipe, tmp_path), tmp_path)
    part = recipe_from(Checkpoint.load(tmp_path / "finale_5/last.pt").recipe, "finale_5")
    assert part.data == replace(recipe.data, hard_share=0.9, copies="training")
    assert part.network == replace(recipe.network, dropout=0.05, drop_path=0.02)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["epochs_done"] == 4 + 1 and record["recipe"]["finale"]["seeds"] == [5, 6]
    parts = [json.loads((tmp_path / f"finale_{seed}/run.json").read_text()) for seed in (5, 6)]
    seconds = Checkpoint.load(tmp_path / "last.pt").seconds + sum(part["duration_s"] for part in parts)
    assert record["duration_s"] == pytest.approx(seconds, abs=0.2)
    assert record["finale_data"] == parts[0]["data"]
    about = read_metadata(tmp_path / "network.keras")
    assert parts[0]["data"]["sha256"][:16] in about.source
    assert list(about.accuracy) == ["toy/PublicTest without copies"]


def test_a_finale_that_was_killed_goes_on_and_comes_to_the_same(recipe, tmp_path):
    run = train(recipe, tmp_path)
    play(run, tmp_path)
    whole = Checkpoint.load(tmp_path / "finale.pt").average
    for name in ("finale.pt", "finale_6/last.pt"):
        (tmp_path / name).unlink()
    play(run, tmp_path)
    for a, b in zip(whole, Checkpoint.load(tmp_path / "finale.pt").average, strict=True):
        assert torch.equal(a, b)


def test_a_run_that_went_on_or_a_finale_by_another_recipe_is_played_anew(recipe, tmp_path):
    play(train(recipe, tmp_path), tmp_path)
    before = Checkpoint.load(tmp_path / "finale.pt").average
    longer = replace(recipe, schedule=replace(recipe.schedule, epochs=6))
    run = train(longer, tmp_path, resume=True, start_from="plateau.pt")
    play(run, tmp_path)
    after = Checkpoint.load(tmp_path / "finale.pt")
    assert after.epoch == 6 + 1 and not torch.equal(before[0], after.average[0])
    finale = replace(recipe.finale, schedule=replace(recipe.finale.schedule, peak=2e-3))
    run.recipe = replace(run.recipe, finale=finale)
    play(run, tmp_path)
    assert not torch.equal(Checkpoint.load(tmp_path / "finale.pt").average[0], after.average[0])


def test_zeros_of_a_pruned_run_stay_through_its_finale(recipe, tmp_path):
    prune = PruneOptions(ratio=2000.0, what="weights", first_epoch=1, last_epoch=2)
    run = train(replace(recipe, prune=prune), tmp_path)
    zeros = magnitude.masks(run.average)
    play(run, tmp_path)
    mean, _, _ = averaged_network(tmp_path / "finale.pt")
    assert magnitude.zeros(mean) > 0 and all(map(torch.equal, magnitude.masks(mean), zeros))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"copies": "both"}, "copies is 'both', expected validation or training"),
        ({"dropout": 1.5}, "dropout is 1.5, expected 0 to below 1"),
        ({"hard_share": 8.0}, "hard_share is 8.0, expected 0 to 1"),
    ],
)
def test_a_finale_that_cannot_be_is_refused_before_the_run(recipe, wrong, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        replace(recipe, finale=replace(recipe.finale, **wrong))


def test_a_seed_given_twice_is_refused():
    with pytest.raises(ConfigurationError, match=r"finale: seeds are \[5, 5\], expected each once"):
        FinaleOptions(seeds=(5, 5))
