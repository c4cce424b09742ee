"""Training data: no validation face is trained on, copies are merged, votes are translated and blended."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import ConfigurationError, DataError
from lightfer_ros.training.data import DataOptions, load
from lightfer_ros.training.targets import VOTE_COLUMNS, blend, face_weights, read_votes, translate_votes

from .conftest import write_csv


def write_votes(path, votes, usages):
    rows = ["Usage,Image name," + ",".join(VOTE_COLUMNS)]
    rows += [f"{usage},x.png,{','.join(map(str, v))}" for v, usage in zip(votes, usages, strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def images():
    return np.random.default_rng(3).integers(0, 256, (6, 48, 48)).astype(np.uint8)


def test_copies_of_validation_faces_are_left_out_and_copies_merged(images, tmp_path):
    faces = images[[0, 1, 1, 2, 2]]  # the last is PublicTest and a copy of a training face
    usages = ["Training"] * 4 + ["PublicTest"]
    path = write_csv(tmp_path / "a.csv", faces, [3, 4, 0, 5, 5], usages)
    data = load(DataOptions(path=str(path)))
    assert data.left_out == 1 and data.merged == 1 and len(data.images) == 2
    assert np.array_equal(data.images, images[[0, 1]])
    # two labels for one face: half of each
    assert data.targets[1].tolist() == [0.5, 0, 0, 0, 0.5, 0, 0]


def test_or_they_stay_in_training_and_are_not_validated_with(images, tmp_path):
    faces = images[[0, 1, 1, 2, 2, 3]]  # the last two are PublicTest, the first of them a copy
    usages = ["Training"] * 4 + ["PublicTest"] * 2
    path = write_csv(tmp_path / "a.csv", faces, [3, 4, 0, 5, 5, 6], usages)
    data = load(DataOptions(path=str(path), copies="training"))
    assert data.left_out == 0 and data.not_validated == 1 and data.merged == 1
    assert np.array_equal(data.images, images[[0, 1, 2]])
    assert np.array_equal(data.validation.images, images[[3]]) and data.validation.labels.tolist() == [6]
    assert data.sha256 != load(DataOptions(path=str(path))).sha256


def test_copies_that_stay_nowhere_are_refused():
    with pytest.raises(ConfigurationError, match="copies is 'both', expected validation or training"):
        DataOptions(copies="both")


def test_the_hash_tells_other_pixels_and_other_targets_apart(images, tmp_path):
    usages = ["Training"] * 5 + ["PublicTest"]
    path = write_csv(tmp_path / "a.csv", images, [0, 1, 2, 3, 4, 5], usages)
    options = DataOptions(path=str(path))
    assert load(options).sha256 == load(options).sha256
    assert load(options).sha256 != load(replace(options, label_smoothing=0.1)).sha256


def test_targets_are_distributions_and_keep_the_label_on_top(images, tmp_path):
    usages = ["Training"] * 5 + ["PublicTest"]
    csv = write_csv(tmp_path / "a.csv", images, [0, 1, 2, 3, 4, 5], usages)
    votes = write_votes(tmp_path / "v.csv", np.eye(10, dtype=int)[:6] * 10, usages)
    data = load(DataOptions(path=str(csv), votes=str(votes), hard_share=0.7))
    assert np.allclose(data.targets.sum(1), 1, atol=1e-6)
    assert data.targets.argmax(1).tolist() == [0, 1, 2, 3, 4]


def test_votes_are_translated_into_fer2013_s_habits():
    # Faces voted "contempt" that FER2013 calls neutral three times in four and angry once
    votes = np.zeros((400, 10))
    votes[:200, VOTE_COLUMNS.index("contempt")] = 10
    votes[200:, VOTE_COLUMNS.index("happiness")] = 10
    labels = np.r_[np.tile([6, 6, 6, 0], 50), np.full(200, 3)]
    soft = translate_votes(votes, labels)
    assert soft[0, 6] == pytest.approx(0.75, abs=0.03) and soft[0, 0] == pytest.approx(0.25, abs=0.03)
    assert soft[-1, 3] > 0.95
    assert np.allclose(soft.sum(1), 1)


def test_blending_is_linear():
    soft = np.full((1, 7), 1 / 7)
    assert blend(np.array([2]), soft, 0.7, 0.0)[0, 2] == pytest.approx(0.7 + 0.3 / 7)
    assert blend(np.array([2]), soft, 1.0, 0.1)[0, 2] == pytest.approx(0.9 + 0.1 / 7)


def test_rare_classes_count_more_when_asked():
    targets = np.eye(7, dtype=np.float32)[[3, 3, 3, 1]]
    assert face_weights(targets, 0.0).tolist() == [1, 1, 1, 1]
    assert face_weights(targets, 1.0) == pytest.approx([2 / 3] * 3 + [2])
    assert face_weights(targets, 0.5)[3] == pytest.approx(np.sqrt(3) * face_weights(targets, 0.5)[0])


def test_votes_that_do_not_belong_to_the_faces_are_refused(images, tmp_path):
    usages = ["Training"] * 5 + ["PublicTest"]
    csv = write_csv(tmp_path / "a.csv", images, [0, 1, 2, 3, 4, 5], usages)
    swapped = write_votes(tmp_path / "v.csv", np.ones((6, 10), int), usages[::-1])
    with pytest.raises(DataError, match=r"v\.csv, line 2: Usage is 'PublicTest'"):
        load(DataOptions(path=str(csv), votes=str(swapped)))
    short = write_votes(tmp_path / "s.csv", np.ones((2, 10), int), usages[:2])
    with pytest.raises(DataError, match="2 rows, but the faces need row 5"):
        load(DataOptions(path=str(csv), votes=str(short)))


def test_votes_are_refused_for_faces_that_have_no_rows(images, tmp_path):
    for split, image in zip(("Training", "PublicTest"), images, strict=False):
        (tmp_path / "faces" / split / "happy").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / split / "happy" / "a.png"), image)
    votes = write_votes(tmp_path / "v.csv", np.ones((2, 10), int), ["Training"] * 2)
    with pytest.raises(DataError, match=r"v\.csv: votes go by row, so the faces have to come from .* CSV"):
        load(DataOptions(path=str(tmp_path / "faces"), votes=str(votes)))


def test_a_vote_that_is_no_number_is_named(tmp_path):
    path = write_votes(tmp_path / "v.csv", [[1] * 9 + ["x"]], ["Training"])
    with pytest.raises(DataError, match=r"v\.csv, line 2: a vote is not a whole number"):
        read_votes(path)


def test_a_face_without_any_vote_is_named():
    with pytest.raises(DataError, match="votes of row 1 are all zero"):
        translate_votes(np.array([[1.0] * 10, [0.0] * 10]), np.array([0, 1]))
