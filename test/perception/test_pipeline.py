"""The whole way of a frame, on real photos: who is scanned for, who is followed, what is said of them."""

from __future__ import annotations

import dataclasses
import gc
import math
import weakref

import cv2
import numpy as np
import pytest
from photos import placed

from lightfer_ros.errors import ConfigurationError, ImageError, ModelError
from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.faces import DETECTED
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig
from lightfer_ros.perception.smoothing import LEAST_TRUST, PLAIN, STEEPNESS, Smoother

START = 1_800_000_000.0
NIGHT = np.zeros((480, 640, 3), np.uint8)


def made(config: PipelineConfig) -> Pipeline:
    try:
        return Pipeline(config)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def loaded():
    """Loading takes a second, so the tests share one."""
    with made(PipelineConfig()) as pipeline:
        yield pipeline


@pytest.fixture
def pipeline(loaded) -> Pipeline:
    loaded.reconfigure(PipelineConfig())
    loaded.reset()
    return loaded


def ids(faces) -> list:
    return faces.track_id.tolist()


def test_everybody_in_a_photo_is_found_landmarked_and_classified(pipeline, several):
    faces = pipeline.process(several, START)
    assert ids(faces) == [ids(faces)[0] + i for i in range(5)]
    assert faces.state.tolist() == [DETECTED] * 5
    assert np.isfinite(faces.landmarks).all()
    np.testing.assert_allclose(faces.probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert [EMOTIONS[label] for label in faces.label].count("happy") >= 3
    assert faces.classification_age.tolist() == faces.time_in_view.tolist() == [0.0] * 5
    assert (np.abs(faces.pose) < 45).all() and (faces.pose_confidence > 0.7).all()
    assert ((faces.reliability >= 0) & (faces.reliability <= 1)).all()
    stages = {"follow", "detect", "landmarks", "pose", "align", "classify", "reliability"}
    assert set(pipeline.stage_seconds) == stages
    assert all(0.0 < seconds < 10.0 for seconds in pipeline.stage_seconds.values())


def test_all_faces_in_one_batch_are_classified_as_each_is_alone(pipeline, several):
    faces = pipeline.process(several, START)
    metadata, grey = pipeline.metadata, Frame.from_array(several).grey
    for landmarks, together in zip(faces.landmarks, faces.probabilities):
        crop = to_crops(
            grey, landmarks[None], metadata.crop_geometry, metadata.input_size, metadata.normalization
        )
        alone = pipeline.session.run(np.concatenate([crop, crop[:, :, ::-1]])).mean(axis=0)
        np.testing.assert_allclose(alone, together, atol=1e-5)


def test_nobody_in_the_frame_gives_no_faces_and_asks_no_classifier(pipeline):
    faces = pipeline.process(NIGHT, START)
    assert len(faces) == 0 and faces.probabilities.shape == (0, 7)
    assert "classify" not in pipeline.stage_seconds


def scans(pipeline: Pipeline, monkeypatch) -> list:
    """Grows by one whenever the whole frame is scanned."""
    done: list = []
    detector = pipeline._tracker.detector
    scan = detector.detect
    monkeypatch.setattr(detector, "detect", lambda *given: (done.append(1), scan(*given))[1])
    return done


@pytest.mark.parametrize("rate", [1, 5, 15, 30, 60, 120])
def test_a_person_at_rest_is_scanned_for_only_every_interval_at_any_frame_rate(
    pipeline, person, rate, monkeypatch
):
    pipeline.reconfigure(PipelineConfig(detection_interval_s=0.3))
    done, tracks, moments = scans(pipeline, monkeypatch), set(), []
    for frame in range(min(60, 4 * rate)):
        before = len(done)
        faces = pipeline.process(person, START + frame / rate)
        assert len(faces) == 1
        tracks.update(ids(faces))
        if len(done) > before:
            moments.append(frame / rate)
            assert faces.state.tolist() == [DETECTED]
    gaps = np.diff(moments)
    assert (gaps[1:] >= 0.3 - 1e-6).all() and (gaps <= max(0.3, 1 / rate) + 1 / rate + 1e-6).all()
    assert len(tracks) == 1


def test_while_nobody_is_known_scans_come_twice_as_often(pipeline, monkeypatch):
    pipeline.reconfigure(PipelineConfig(detection_interval_s=0.2))
    done = scans(pipeline, monkeypatch)
    for frame in range(31):
        pipeline.process(NIGHT, START + frame / 30)
    assert len(done) == 11


def test_an_interval_of_nought_scans_every_frame_and_so_does_a_stamp_that_stands_still(
    pipeline, person, monkeypatch
):
    done = scans(pipeline, monkeypatch)
    for _ in range(4):
        assert len(pipeline.process(person, 0.0)) == 1
    assert len(done) == 4
    pipeline.reconfigure(PipelineConfig(detection_interval_s=0.0))
    for frame in range(1, 5):
        pipeline.process(person, frame / 30)
    assert len(done) == 8


@pytest.mark.parametrize("rate", [8, 12, 18, 25, 30, 60])
def test_every_face_is_classified_ten_times_a_second_or_in_every_frame_and_says_how_long_ago(
    pipeline, several, rate
):
    pipeline.reconfigure(PipelineConfig(budget_ms=0.0))  # whatever else this machine does
    newest = []
    for frame in range(2 * rate):
        faces = pipeline.process(several, START + frame / rate)
        assert len(faces) == 5 and (faces.classification_age >= 0).all()
        np.testing.assert_allclose(faces.probabilities.sum(axis=1), 1.0, atol=1e-5)
        newest.append(frame / rate - faces.classification_age)
    for face in range(5):
        times = np.unique(np.round([row[face] for row in newest], 3))
        assert np.diff(times).max() < max(0.1, 1 / rate) + 1e-3
        assert len(times) >= 2 * min(rate, 10)


def test_with_a_budget_too_small_faces_take_turns_and_tracking_does_not_suffer(pipeline, several):
    pipeline.reconfigure(PipelineConfig(budget_ms=0.01))
    oldest = []
    for frame in range(40):
        faces = pipeline.process(several, START + frame / 30)
        assert len(faces) == 5
        oldest.append(float(faces.classification_age.max()))
    assert oldest[0] == 0.0  # who is new does not wait
    assert 3 / 30 < max(oldest[10:]) < 6 / 30  # one a frame, in turns


@pytest.mark.parametrize("jump", [-3600.0, 86400.0, 0.6])
def test_when_time_jumps_the_next_frame_is_scanned_and_work_goes_on(pipeline, person, jump):
    pipeline.reconfigure(PipelineConfig(detection_interval_s=10.0))
    first = pipeline.process(person, START)
    after = pipeline.process(person, START + jump)
    assert len(after) == 1 and after.state.tolist() == [DETECTED]
    assert (ids(after) == ids(first)) == (jump == 0.6)
    later = pipeline.process(person, START + jump + 1 / 30)
    assert ids(later) == ids(after) and later.classification_age[0] >= 0


def test_a_face_that_vanishes_is_dropped_at_once_and_known_again_within_the_timeout(pipeline, person):
    empty = cv2.blur(person, (201, 201))  # the light stays, the face does not
    first = pipeline.process(person, START)
    pipeline.process(person, START + 0.033)
    assert len(pipeline.process(empty, START + 0.066)) == 0
    pipeline.process(empty, START + 0.5)
    assert ids(pipeline.process(person, START + 1.9)) == ids(first)
    assert len(pipeline.process(empty, START + 1.95)) == 0
    assert ids(pipeline.process(person, START + 4.1)) == [ids(first)[0] + 1]


def test_after_a_cut_nobody_inherits_an_id(pipeline, person, several):
    before = pipeline.process(person, START)
    after = pipeline.process(placed(several, -250, -200), START + 1 / 30)
    assert len(after) >= 2 and not set(ids(after)) & set(ids(before))
    back = pipeline.process(person, START + 2 / 30)
    assert len(back) == 1 and ids(back)[0] > max(ids(after))


def test_a_frame_of_another_size_starts_anew(pipeline, person):
    first = pipeline.process(person, START)
    smaller = pipeline.process(np.ascontiguousarray(person[:400, :500]), START + 0.03)
    assert len(smaller) == 1 and smaller.state.tolist() == [DETECTED]
    assert ids(smaller) == [ids(first)[0] + 1]


def test_probabilities_are_smoothed_per_track_and_reset_forgets_them(pipeline, person, monkeypatch):
    answers, update = [], Smoother.update

    def recorded(self, track_ids, probabilities, stamp, trust=None):
        answers.append(np.array(probabilities[0]))
        return update(self, track_ids, probabilities, stamp, trust)

    monkeypatch.setattr(Smoother, "update", recorded)
    one_look = PipelineConfig(
        smoothing_time_constant_s=1.0, classification_interval_s=0.0, mirrored_looks=False
    )
    pipeline.reconfigure(one_look)
    dimmed = cv2.GaussianBlur(person, (0, 0), 6.0)  # the same face to a tracker, another to a classifier
    pipeline.process(dimmed, START)
    pipeline.reset()
    sharp = pipeline.process(person, START + 1.0)
    np.testing.assert_array_equal(sharp.probabilities[0], answers[-1])
    mixed = pipeline.process(dimmed, START + 1.5)
    assert ids(mixed) == ids(sharp)
    raw = answers[-1]
    assert mixed.reliability[0] < 0.5 * sharp.reliability[0]
    trust = mixed.reliability[0] * (raw.max() / PLAIN) ** STEEPNESS
    old = math.exp(-0.5 * max(float(trust), LEAST_TRUST))  # a bad view counts less
    np.testing.assert_allclose(
        mixed.probabilities[0], old * sharp.probabilities[0] + (1 - old) * raw, atol=1e-4
    )
    assert np.abs(raw - sharp.probabilities[0]).max() > 0.03, "there is something to smooth"


def test_live_settings_change_from_one_frame_to_the_next(pipeline, several):
    five = ids(pipeline.process(several, START))
    pipeline.reconfigure(PipelineConfig(detection_interval_s=0.0, detector="dlib_hog"))
    assert pipeline.detector == "dlib_hog"
    four = ids(pipeline.process(several, START + 0.1))
    assert len(four) == 4 and set(four) < set(five)  # it does not see who wears sunglasses
    pipeline.reconfigure(PipelineConfig(detector="yunet", max_faces=2))
    assert pipeline.detector == "yunet"
    for frame in range(10):
        largest = pipeline.process(several, START + 0.2 + frame / 30)
        sides = np.sort(largest.boxes[:, 2] - largest.boxes[:, 0])
        assert len(largest) == 2 and sides[0] > 105
    assert pipeline.config.max_faces == 2


@pytest.mark.parametrize(
    "change", [{"model": "other"}, {"runtime": "litert"}, {"threads": 1}, {"landmarks": "mesh"}]
)
def test_settings_that_need_other_files_are_refused_while_it_lives(pipeline, change):
    (name, value), *_ = change.items()
    with pytest.raises(ConfigurationError, match=f"{name} is {value!r}"):
        pipeline.reconfigure(dataclasses.replace(PipelineConfig(), **change))
    assert pipeline.config == PipelineConfig()


@pytest.mark.parametrize(
    "frame", [np.zeros((0, 5, 3), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4)), None]
)
def test_what_is_no_picture_is_refused_and_the_next_frame_is_answered(pipeline, person, frame):
    with pytest.raises(ImageError):
        pipeline.process(frame, START)
    assert len(pipeline.process(person, START + 0.1)) == 1


def test_the_landmark_predictor_named_is_used_and_told(pipeline, several):
    assert pipeline.landmarks == "dlib+mesh"
    with made(PipelineConfig(landmarks="mesh")) as other:
        assert other.landmarks == "mesh"
        faces = other.process(several, START)
    ours = pipeline.process(several, START)
    assert len(faces) == len(ours) == 5
    apart = np.linalg.norm(faces.landmarks - ours.landmarks, axis=2).mean(axis=1)
    assert (apart < 0.04 * (ours.boxes[:, 2] - ours.boxes[:, 0])).all()


@pytest.mark.parametrize("kind", ["bgr", "grey"])
def test_a_frame_is_freed_as_soon_as_nobody_holds_it(pipeline, person, kind):
    frame = Frame.from_array(person if kind == "bgr" else Frame.from_array(person).grey)
    assert frame.bgr.shape == (480, 640, 3) and frame.grey.shape == (480, 640)
    gone = weakref.ref(frame)
    gc.disable()  # which would find a cycle too, but only after dozens of frames
    try:
        faces = pipeline.process(frame, START)
        del frame
        assert gone() is None and len(faces) == 1
    finally:
        gc.enable()


def test_closing_twice_is_no_error():
    pipeline = made(PipelineConfig())
    pipeline.close()
    pipeline.close()


def test_two_pipelines_do_not_disturb_each_other(pipeline, person, several):
    with made(PipelineConfig()) as other:
        for frame in range(4):
            assert len(pipeline.process(person, START + frame / 30)) == 1
            assert ids(other.process(several, START + frame / 30)) == [1, 2, 3, 4, 5]
