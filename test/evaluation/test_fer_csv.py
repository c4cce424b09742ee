"""FER2013's CSV is read row for row, and a bad row is named with file, line and what was expected."""

import gzip
import lzma
import re

import numpy as np
import pytest

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.fer_csv import read_fer_csv
from lightfer_ros.evaluation.readers import read_faces

GOOD = " ".join(str(i % 256) for i in range(2304))
HEADER = "emotion,pixels,Usage\n"
ROWS = f"3,{GOOD},Training\n6,{' '.join(['7'] * 2304)},PublicTest\n0,{GOOD},Training\n"


@pytest.fixture
def written(tmp_path):
    def write(text, name="fer.csv"):
        path = tmp_path / name
        opener = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
        with opener(path, "wt") as file:
            file.write(text)
        return path

    return write


@pytest.mark.parametrize("name", ["fer.csv", "fer.csv.xz", "fer.csv.gz", "FER.CSV"])
def test_rows_of_a_split_come_in_order_plain_or_compressed(written, name):
    faces = read_faces(written(HEADER + ROWS, name), "Training")
    assert faces.labels.tolist() == [3, 0] and faces.rows.tolist() == [0, 2]
    assert faces.images.shape == (2, 48, 48) and faces.images[0, 1, 0] == 48
    assert faces.names == (f"{name}:2", f"{name}:4")


def test_without_a_split_every_row_is_taken(written):
    assert len(read_fer_csv(written(HEADER + ROWS))) == 3


def test_a_mark_that_spreadsheets_put_in_front_and_spaces_in_the_header_are_no_harm(written):
    text = f"\ufeffemotion, Usage, pixels\n4, PrivateTest, {GOOD}\n"  # as Kaggle's second edition has it
    assert read_fer_csv(written(text), "PrivateTest").labels.tolist() == [4]


def test_columns_may_stand_in_another_order(written):
    text = f"Usage,emotion,pixels\nPublicTest,2,{GOOD}\n"
    assert read_fer_csv(written(text), "PublicTest").labels.tolist() == [2]


def test_faces_of_another_size_are_resampled(written):
    faces = read_fer_csv(written(HEADER + ROWS), "PublicTest", size=32)
    assert faces.images.shape == (1, 32, 32) and (faces.images == 7).all()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        # a column is missing
        ("emotion,pixels\n", "line 1: column Usage is missing; expected emotion,pixels,Usage"),
        # 2,303 pixels
        (HEADER + ROWS + f"1,{GOOD[:-4]},Training\n", "line 5: 2303 pixels, expected 2304"),
        # a label of 7, a label that is no number
        (HEADER + f"7,{GOOD},Training\n", "line 2: emotion is '7', expected a whole number from 0 to 6"),
        (HEADER + f"happy,{GOOD},Training\n", "line 2: emotion is 'happy'"),
        # a pixel over 255, a pixel that is no number
        (HEADER + f"1,256 {GOOD},Training\n", "line 2: a pixel is not a whole number from 0 to 255"),
        (HEADER + f"1,x {GOOD},Training\n", "line 2: a pixel is not a whole number from 0 to 255"),
        # a row cut short
        (HEADER + f"1,{GOOD}\n", "line 2: 2 fields, expected 3"),
        # nothing of this split
        (HEADER + f"1,{GOOD},PublicTest\n", "no row with Usage 'Training'; the file has PublicTest"),
    ],
)
def test_bad_input_is_one_clear_error(written, text, complaint):
    path = written(text)
    with pytest.raises(DataError, match=re.escape(complaint)) as error:
        read_fer_csv(path, "Training")
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["fer.csv.xz", "fer.csv.gz"])
def test_a_truncated_archive_is_named(written, name):
    path = written(HEADER + ROWS * 20, name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"cannot be read past line \d+, truncated or corrupt"):
        read_fer_csv(path, "Training")


def test_a_damaged_archive_is_named(written):
    path = written(HEADER + ROWS * 20, "fer.csv.gz")
    data = bytearray(path.read_bytes())
    data[20:40] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot be read past line \d+, truncated or corrupt"):
        read_fer_csv(path, "Training")


def test_a_file_that_is_not_there_says_what_was_expected(tmp_path):
    with pytest.raises(DataError, match="does not exist; expected"):
        read_faces(tmp_path / "no.csv")


def test_an_array_of_another_kind_makes_no_face_set(written):
    faces = read_fer_csv(written(HEADER + ROWS))
    picked = faces[np.array([True, False, True])]
    assert picked.labels.tolist() == [3, 0] and picked.names[1].endswith(":4")
