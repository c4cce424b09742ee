"""A file read through a pipe that can be cut short: the same bytes, or an early end."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from photos import photo

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.perception import interruptible_file
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.interruptible_file import PIPE_BYTES, interruptible


@pytest.fixture
def bell():
    """A pipe's two ends: readable, and what makes it so."""
    heard, rung = os.pipe()
    yield heard, rung
    os.close(heard)
    os.close(rung)


@pytest.fixture
def landmark_file():
    try:
        return manifest.find("shape_predictor_68")
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("size", [0, 1, PIPE_BYTES, 5 * PIPE_BYTES + 3])
def test_it_gives_the_bytes_of_the_file(bell, tmp_path, size):
    path = tmp_path / "some.dat"
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with interruptible(path, bell[0]) as source:
        assert source.read_bytes() == path.read_bytes()


def test_it_ends_early_once_told_to_stop_and_leaves_the_word_for_others(bell, tmp_path):
    path = tmp_path / "some.dat"
    path.write_bytes(bytes(8 * PIPE_BYTES))
    with interruptible(path, bell[0]) as source, source.open("rb") as file:
        start = file.read(PIPE_BYTES)
        os.write(bell[1], b"!")
        rest = file.read()
    assert len(start) == PIPE_BYTES
    assert len(rest) < 3 * PIPE_BYTES
    assert os.read(bell[0], 1) == b"!"


def test_a_reader_that_leaves_early_leaves_no_process_behind(bell, tmp_path):
    path = tmp_path / "some.dat"
    path.write_bytes(bytes(8 * PIPE_BYTES))
    start = time.monotonic()
    with interruptible(path, bell[0]) as source, source.open("rb") as file:
        file.read(1)
    assert time.monotonic() - start < 5.0


def test_landmarks_loaded_through_it_are_the_same(bell, landmark_file):
    grey = np.ascontiguousarray(photo("photo_single_face")[:, :, 1])
    boxes = np.array([[160, 160, 370, 370]], np.float32)
    direct, poured = DlibLandmarkPredictor(landmark_file), DlibLandmarkPredictor(landmark_file, bell[0])
    assert np.array_equal(direct.predict(grey, boxes), poured.predict(grey, boxes))


def test_landmarks_load_where_no_other_process_can_be_started(bell, landmark_file, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr(interruptible_file.subprocess, "Popen", refuse)
    predictor = DlibLandmarkPredictor(landmark_file, bell[0])
    assert predictor.predict(np.zeros((9, 9), np.uint8), np.empty((0, 4))).shape == (0, 68, 2)


def test_landmarks_are_given_up_when_told_to_stop(bell, landmark_file):
    os.write(bell[1], b"!")
    with pytest.raises(ModelError, match="cannot be read by dlib"):
        DlibLandmarkPredictor(landmark_file, bell[0])
