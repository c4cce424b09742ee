"""Looks: the mean of a face and its mirror image, for one look a turn where turns come often."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import photo, placed, resized

from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import read_metadata, write_metadata
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.looks import CHANGED, Looks
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.runtimes import Session, load

LASTING = 0.3
"""Seconds for which a look counts."""
NEW = np.inf
"""The age of what nobody has looked at."""


def noting_session(folder, mirrored: bool) -> Session:
    """The shipped network, which notes what it is shown in `seen`; where `mirrored`, `run` looks twice."""
    shipped = manifest.model_path("default")
    path = shutil.copy(shipped, folder / "network.onnx")
    write_metadata(path, dataclasses.replace(read_metadata(shipped), mirrored=mirrored))
    session = load(path)
    look, session.seen = session.look, []
    session.look = lambda batch: session.seen.append(batch.copy()) or look(batch)
    return session


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with noting_session(tmp_path_factory.mktemp("looks"), mirrored=True) as session:
        yield session


@pytest.fixture
def session(shared):
    shared.seen.clear()
    return shared


def faces(count: int) -> np.ndarray:
    """Seeded crops that rise to the right, so that a mirror changes them much."""
    noise = np.random.default_rng(count).uniform(-0.3, 0.3, (count, 48, 48, 1))
    return (noise + np.linspace(-0.7, 0.7, 48)[:, None]).astype(np.float32)


def asked(looks: Looks, session: Session, crops: np.ndarray, *ages: float, ids=None) -> np.ndarray:
    track_ids = np.arange(len(crops)) if ids is None else np.array(ids)
    return looks.probabilities(session, track_ids, crops, np.array(ages), LASTING)


def test_the_mirror_image_of_these_faces_is_another_matter(session):
    crops = faces(3)
    assert np.abs(session.look(crops) - session.look(crops[:, :, ::-1])).max() > 0.05


def test_who_is_new_is_looked_at_in_both_ways_at_once(session):
    crops = faces(2)
    answer = asked(Looks(), session, crops, NEW, np.nan)
    np.testing.assert_array_equal(session.seen, [crops, crops[:, :, ::-1]])
    np.testing.assert_allclose(answer, session.run(crops), atol=1e-6)


def test_who_is_followed_needs_one_look_a_turn_each_of_the_other_kind_and_a_still_face_has_one_answer(
    session,
):
    looks, crops = Looks(), faces(1)
    first = asked(looks, session, crops, NEW)
    for _ in range(4):
        np.testing.assert_allclose(asked(looks, session, crops, 0.08), first, atol=1e-6)
    _, _, *turns = session.seen
    for number, seen in enumerate(turns):
        np.testing.assert_array_equal(seen, crops if number % 2 else crops[:, :, ::-1])


def test_a_face_that_hardly_changes_is_looked_at_by_turns(session):
    looks, before = Looks(), faces(1)
    after = (before + np.float32(0.01)).clip(-1, 1)
    asked(looks, session, before, NEW)
    answer = asked(looks, session, after, 0.08)
    mean = (session.look(before) + session.look(after[:, :, ::-1])) / 2
    np.testing.assert_allclose(answer, mean, atol=1e-6)


def test_a_face_that_changes_is_looked_at_in_both_ways_at_once(session):
    looks, before = Looks(), faces(1)
    down, right = np.mgrid[-1:1:48j, -1:1:48j]
    after = np.sin(5 * down + 3 * right)[None, :, :, None].astype(np.float32)
    moved = np.abs(session.look(after) - session.look(before)).sum() / 2
    assert moved > 1.5 * CHANGED, "else it would prove nothing"
    asked(looks, session, before, NEW)
    for crops in (after, before):
        np.testing.assert_allclose(asked(looks, session, crops, 0.08), session.run(crops), atol=1e-6)


@pytest.mark.parametrize("age", [LASTING, 5.0, np.inf, np.nan])
def test_a_look_of_long_ago_counts_no_more(session, age):
    looks, before, after = Looks(), faces(1), faces(2)[1:]
    asked(looks, session, before, NEW)
    np.testing.assert_allclose(asked(looks, session, after, age), session.run(after), atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(rounds=st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=1, max_size=8))
def test_tracks_do_not_mix_whoever_has_a_turn(shared, rounds):
    looks, crops, known = Looks(), faces(5), set()
    alone = shared.run(crops)
    for ids in map(sorted, rounds):
        ages = [0.1 if i in known else NEW for i in ids]
        np.testing.assert_allclose(asked(looks, shared, crops[ids], *ages, ids=ids), alone[ids], atol=1e-5)
        known.update(ids)


def test_a_forgotten_track_is_new_whatever_age_it_is_said_to_have(session):
    looks, crops = Looks(), faces(2)
    asked(looks, session, crops, NEW, NEW)
    looks.keep([1])
    asked(looks, session, crops, 0.1, 0.1)
    assert [len(seen) for seen in session.seen] == [2, 2, 2, 1]


def test_nobody_is_no_problem_and_crops_stay_as_they_are(session):
    assert asked(Looks(), session, faces(0)).shape == (0, 7)
    looks, crops = Looks(), faces(2)
    for age in (NEW, 0.1):
        asked(looks, session, crops, age, age)
    np.testing.assert_array_equal(crops, faces(2))


@pytest.mark.parametrize(
    ("settings", "mirrored", "gap", "first", "each"),
    [
        ({}, False, 0.1, 2, 1),
        ({}, True, 0.1, 2, 1),
        ({}, False, 0.5, 2, 2),
        ({"mirrored_looks": False}, False, 0.1, 1, 1),
        ({"mirrored_looks": False}, True, 0.1, 2, 2),
        ({"smoothing_time_constant_s": 0.0}, False, 0.1, 1, 1),
        ({"smoothing_time_constant_s": 0.0}, True, 0.1, 2, 2),
    ],
)
def test_looks_that_a_face_costs_when_it_is_new_and_each_time_after(
    tmp_path, settings, mirrored, gap, first, each
):
    config = PipelineConfig(budget_ms=0.0, **settings)
    session, picture = noting_session(tmp_path, mirrored), resized(photo("photo_single_face"), 0.6)
    with Pipeline(config, session=session) as pipeline:
        session.seen.clear()
        told = [pipeline.process(placed(picture, 100, 60), n * gap).probabilities for n in range(5)]
    assert sum(map(len, session.seen)) == first + 4 * each
    np.testing.assert_allclose(told, told[:1] * 5, atol=0.1)  # landmarks tremble from fit to fit
