"""Recipes are read strictly; the schedule warms up, stays and decays."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.recipe import FinaleOptions, read_recipe, recipe_from, to_dict
from lightfer_ros.training.schedule import ScheduleOptions, average_decay

SHIPPED = Path(__file__).parents[2] / "config" / "training" / "shipped.yaml"


def test_the_shipped_recipe_reads_and_writes_back():
    recipe = read_recipe(SHIPPED)
    assert recipe.network.width < 1 and recipe.data.votes
    assert recipe_from(yaml.safe_load(yaml.safe_dump(to_dict(recipe))), "x") == recipe


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sed: 3", "unknown field sed; known are name, seed"),
        ("seed: three", "seed is 'three', expected an integer"),
        ("seed: true", "seed is True, expected an integer"),
        ("network: {width: wide}", "network: width is 'wide', expected a number"),
        ("augment: {scale: [1.0]}", r"augment: scale is \[1.0\], expected 2 values"),
        ("network: 3", "network: expected fields, got int"),
        ("precision: fp8", "precision is 'fp8', expected bf16 or fp32"),
        ("schedule: {epochs: 5, decay_epochs: 9}", "decay_epochs is 9.0, expected 0 to epochs"),
        ("data: {input_size: 64}", "data.input_size is 64 and network.input_size 48"),
        ("data: {hard_share: 7.0}", "data: hard_share is 7.0, expected 0 to 1"),
        ("schedule: {peak: -1.0}", "schedule: peak is -1.0, expected above 0"),
        ("optimizer: {average_decay: 2.0}", "optimizer: average_decay is 2.0, expected 0 to below 1"),
        ("optimizer: {batch_size: 0}", "optimizer: batch_size is 0, expected at least 1"),
        ("network: {dropout: 1.5}", "network: dropout is 1.5, expected 0 to below 1"),
        ("network: {divisor: 0}", "network: divisor is 0, expected at least 1"),
        ("augment: {flip_share: 2.0}", "augment: flip_share is 2.0, expected 0 to 1"),
        (
            "augment: {scale: [1.2, 0.9]}",
            r"augment: scale is \(1.2, 0.9\), expected above 0, lower one first",
        ),
        ("workers: 0", "recipe: workers is 0, expected at least 1"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_recipe_names_file_and_field(tmp_path, text, complaint):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint):
        read_recipe(path)


def test_a_part_that_is_changed_keeps_the_rest_of_what_it_would_have_been():
    finale = read_recipe(SHIPPED, ["finale.augment.rotation_deg=3", "finale.schedule.epochs=12"]).finale
    assert finale.augment == replace(FinaleOptions().augment, rotation_deg=3.0)
    assert finale.schedule == replace(read_recipe(SHIPPED).finale.schedule, epochs=12)


@pytest.mark.parametrize(("part", "where"), [("", "recipe"), ("finale.", "finale")])
def test_mixed_faces_cannot_be_remembered_too(part, where):
    changes = [f"{part}augment.mixup_share=0.2", f"{part}ensemble.share=0.3"]
    with pytest.raises(
        ConfigurationError, match=rf"{where}: ensemble\.share is 0\.3 and augment\.mixup_share 0"
    ):
        read_recipe(SHIPPED, changes)


def test_the_rate_rises_stays_and_falls():
    plan = ScheduleOptions(epochs=20, warmup_epochs=2, decay_epochs=8, peak=1.0, floor=0.01)
    rates = [plan.learning_rate(e / 4) for e in range(81)]
    assert rates[0] < 0.01 and rates[4] == pytest.approx(0.5, abs=0.01)
    assert set(rates[8:48]) == {1.0}
    assert all(a > b for a, b in itertools.pairwise(rates[48:]))
    assert rates[80] == pytest.approx(0.01)
    assert [e for e in range(21) if plan.plateau_ends(e)] == [12]


def test_more_epochs_change_nothing_before_the_old_decay():
    short = ScheduleOptions(epochs=20, decay_epochs=8)
    long = replace(short, epochs=60)
    assert all(short.learning_rate(e / 3) == long.learning_rate(e / 3) for e in range(37))


def test_the_average_forgets_its_start_quickly_then_holds():
    assert average_decay(0, 0.999) == pytest.approx(0.1)
    assert average_decay(10**6, 0.999) == 0.999


def test_fields_may_be_set_otherwise_one_by_one():
    recipe = read_recipe(SHIPPED, ["network.width=0.5", "prune.ratio=4", "seed=7", "data.votes=null"])
    assert (recipe.network.width, recipe.prune.ratio, recipe.seed, recipe.data.votes) == (0.5, 4.0, 7, None)
    assert recipe.network.entry_strides == read_recipe(SHIPPED).network.entry_strides


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("network.width", "--set network.width: expected FIELD=VALUE"),
        ("=3", "--set =3: expected FIELD=VALUE"),
        ("seed.low=3", r"--set seed\.low=3: expected FIELD=VALUE"),
        ("network.width=[", r"--set network\.width=\[: expected FIELD=VALUE"),
        ("network.wide=1", r"shipped\.yaml network\.wide=1: network: unknown field wide"),
        ("network.width=wide", "width is 'wide', expected a number"),
    ],
)
def test_what_cannot_be_set_is_named(change, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        read_recipe(SHIPPED, [change])
