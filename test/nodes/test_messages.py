"""Faces become messages and come back unchanged."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("lightfer_msgs", reason="needs lightfer_msgs: `make setup` builds it")

from std_msgs.msg import Header

from lightfer_msgs.msg import Emotion, EmotionArray
from lightfer_ros.model import EMOTIONS, valence_arousal
from lightfer_ros.nodes.messages import from_message, seconds, to_message
from lightfer_ros.perception.faces import Faces


def faces(count: int, seed: int) -> Faces:
    """Random faces with every field set."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-50, 600, (count, 2))
    probabilities = rng.dirichlet(np.ones(7), count)
    return Faces(
        boxes=np.concatenate([corner, corner + rng.uniform(20, 300, (count, 2))], axis=1),
        confidence=rng.uniform(0, 1, count),
        landmarks=rng.uniform(-20, 700, (count, 68, 2)),
        track_id=rng.permutation(count) + 1,
        state=rng.integers(1, 4, count),
        probabilities=probabilities,
        pose=rng.uniform(-80, 80, (count, 3)),
        pose_confidence=rng.uniform(0, 1, count),
        reliability=rng.uniform(0, 1, count),
        unreliable_reasons=rng.integers(0, 256, count),
        classification_age=rng.uniform(0, 2, count),
        time_in_view=rng.uniform(0, 100, count),
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 6), st.integers(0, 1000))
def test_faces_come_back_as_they_went(count: int, seed: int):
    sent = faces(count, seed)
    message = to_message(sent, Header(frame_id="eye"), 640, 480, "net", "cpu", np.full(count, 1.5))
    assert (message.image_width, message.image_height, message.header.frame_id) == (640, 480, "eye")
    back = from_message(message)
    for entry in dataclasses.fields(Faces):
        tolerance = 1e-3 if entry.name == "boxes" else 0.0
        np.testing.assert_allclose(getattr(back, entry.name), getattr(sent, entry.name), atol=tolerance)
    valence, arousal = valence_arousal(sent.probabilities)
    for i, emotion in enumerate(message.emotions):
        assert emotion.label_name == EMOTIONS[int(np.argmax(sent.probabilities[i]))]
        assert emotion.valence == pytest.approx(float(valence[i]), abs=1e-6)
        assert emotion.arousal == pytest.approx(float(arousal[i]), abs=1e-6)
        assert emotion.distance_source == Emotion.DISTANCE_FACE_WIDTH


def test_what_is_not_known_is_unset_and_not_zero():
    unknown = Faces(boxes=np.array([[1, 2, 3, 4]]))
    message = to_message(unknown, Header(), 10, 10, "", "", np.full(1, np.nan))
    (emotion,) = message.emotions
    assert (emotion.track_id, emotion.state, emotion.unreliable_reasons) == (0, Emotion.STATE_UNSET, 0)
    assert (emotion.label, emotion.label_name) == (Emotion.UNKNOWN, "unknown")
    assert emotion.distance_source == Emotion.DISTANCE_UNSET
    floats = [
        emotion.confidence, emotion.valence, emotion.arousal, emotion.reliability, emotion.distance,
        emotion.detection_confidence, emotion.classification_age, emotion.time_in_view,
        emotion.head_pose.yaw, emotion.head_pose.pitch, emotion.head_pose.roll, emotion.head_pose.confidence,
        *emotion.probabilities, *emotion.landmarks,
    ]  # fmt: skip
    assert all(math.isnan(value) for value in floats)


def test_an_empty_array_gives_no_faces():
    assert len(from_message(EmotionArray())) == 0


def test_stamps_are_seconds():
    header = Header()
    header.stamp.sec, header.stamp.nanosec = 3, 250_000_000
    assert seconds(header.stamp) == 3.25
