"""The index of training faces knows exactly what was put in, and nothing of a picture is in it."""

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import DataError, LightferError
from lightfer_ros.evaluation.duplicates import duplicates, main, write_index
from lightfer_ros.evaluation.faces import pixel_hashes
from lightfer_ros.evaluation.readers import read_faces


def test_the_index_knows_equal_pixels_only(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)
    path = tmp_path / "train.index"
    assert write_index(path, pixel_hashes(np.concatenate([images[:3], images[:1]]))) == 3
    other = images.copy()
    other[1, 0, 0] ^= 1
    assert duplicates(pixel_hashes(other), path).tolist() == [True, False, True, False, False]


def test_a_torn_index_is_refused(tmp_path):
    path = tmp_path / "train.index"
    write_index(path, pixel_hashes(np.zeros((1, 8, 8), np.uint8)))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="truncated"):
        duplicates(["0" * 16], path)


def test_a_face_is_known_whatever_size_the_model_wants(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    (tmp_path / "faces" / "Training" / "fear").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "faces" / "Training" / "fear" / "a.png"), picture)
    index = tmp_path / "train.index"
    assert main(["--data", str(tmp_path / "faces"), "--out", str(index)]) == 0
    for size in (48, 64):
        assert duplicates(read_faces(tmp_path / "faces", size=size).hashes, index).tolist() == [True]


def test_an_index_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "train.index"
    write_index(path, ["00" * 8])
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(LightferError, match=r"cannot write .*train\.index: .*No space left"):
        write_index(path, ["11" * 8])
    assert duplicates(["00" * 8, "11" * 8], path).tolist() == [True, False]
    assert list(tmp_path.iterdir()) == [path]
