"""Folders and zips with a folder per class: any size and colour, every picture or an error."""

import zipfile

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.model import EMOTIONS


def save(path, size=(60, 40), value=90, colour=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((*size, 3) if colour else size, value, np.uint8)
    assert cv2.imwrite(str(path), picture)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "faces"
    save(root / "happy" / "b.png", value=10)
    save(root / "happy" / "a.jpg", (20, 20), 200)
    save(root / "Sadness" / "c.png", colour=False, value=50)
    return root


def packed(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_pictures_of_any_size_and_colour_become_grey_squares(folder):
    faces = read_faces(folder, size=48)
    assert faces.images.shape == (3, 48, 48)
    assert faces.names == ("Sadness/c.png", "happy/a.jpg", "happy/b.png")
    assert faces.labels.tolist() == [4, 3, 3]
    assert [int(i.mean()) for i in faces.images] == [50, 200, 10]


@pytest.mark.parametrize("prefix", ["", "faces/", "data/faces/"])
def test_a_zip_reads_like_its_folder_also_with_folders_around(folder, tmp_path, prefix):
    faces = read_faces(packed(folder, tmp_path / "faces.zip", prefix))
    assert np.array_equal(faces.images, read_faces(folder).images)


def test_a_split_is_a_folder_above_the_classes(folder, tmp_path):
    save(tmp_path / "both" / "train" / "fear" / "x.png")
    save(tmp_path / "both" / "test" / "fear" / "y.png")
    assert read_faces(tmp_path / "both", "test").names == ("test/fear/y.png",)
    archive = packed(tmp_path / "both", tmp_path / "both.zip", "top/")
    assert read_faces(archive, "train").names == ("top/train/fear/x.png",)
    assert len(read_faces(archive)) == len(read_faces(tmp_path / "both")) == 2  # no split named: everything
    for path in (tmp_path / "both", archive):
        with pytest.raises(
            DataError,
            match=r"no folder 'val', which is to hold the class folders; it has test, (top, )?train",
        ):
            read_faces(path, "val")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *((name, i) for i, name in enumerate(EMOTIONS)),
        *((str(i), i) for i in range(7)),  # FER2013's own numbers
        ("Anger", 0), ("DISGUSTED", 1), ("fearful", 2), ("Happiness", 3), ("sadness", 4), ("Surprised", 5),
        ("suprise", 5), ("03_happy", 3), ("4-Sad", 4), ("AN", 0), ("Neu", 6),
    ],
)  # fmt: skip
def test_a_class_goes_by_many_names(tmp_path, name, label):
    save(tmp_path / "n" / name / "a.png")
    assert read_faces(tmp_path / "n").labels.tolist() == [label]


def test_words_decide_where_numbers_lie_around_or_below_them(tmp_path):
    save(tmp_path / "folds" / "1" / "angry" / "a.png")
    save(tmp_path / "people" / "sad" / "1" / "a.png")
    assert read_faces(tmp_path / "folds").labels.tolist() == [0]
    assert read_faces(tmp_path / "people").labels.tolist() == [4]


def test_what_desktops_leave_behind_is_no_picture_and_no_class(folder, tmp_path):
    expected = read_faces(folder).names
    for name in ("Thumbs.db", "happy/.DS_Store", "__MACOSX/happy/._a.jpg", "desktop.ini"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert read_faces(folder).names == read_faces(packed(folder, tmp_path / "f.zip")).names == expected


def test_a_list_beside_the_class_folders_is_fine_but_a_picture_there_has_no_class(folder):
    (folder / "README.txt").write_text("x")
    assert len(read_faces(folder)) == 3
    save(folder / "stray.png")
    with pytest.raises(DataError, match=r"stray\.png: a picture outside the class folders"):
        read_faces(folder)


def test_a_class_folder_may_be_a_link(folder, tmp_path):
    save(tmp_path / "elsewhere" / "a.png")
    (folder / "fear").symlink_to(tmp_path / "elsewhere")
    assert "fear/a.png" in read_faces(folder).names


def test_folders_that_hold_no_class_at_any_depth_are_named(tmp_path):
    save(tmp_path / "n" / "monday" / "cats" / "a.png")
    with pytest.raises(DataError, match="folders monday are no classes and hold none; expected a folder"):
        read_faces(tmp_path / "n")


def test_an_empty_class_folder_is_named(folder):
    (folder / "disgust").mkdir()
    with pytest.raises(DataError, match=r"disgust: class folder without a picture"):
        read_faces(folder)


def test_a_folder_that_is_no_class_is_named(folder):
    save(folder / "bored" / "a.png")
    with pytest.raises(DataError, match="folders bored are no classes; expected some of angry"):
        read_faces(folder)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_an_unreadable_picture_is_named(folder, content):
    (folder / "happy" / "broken.png").write_bytes(content)
    with pytest.raises(DataError, match=r"happy/broken\.png: cannot be read as a picture"):
        read_faces(folder)


def test_a_file_that_is_no_picture_is_not_passed_over(folder):
    (folder / "happy" / "labels.txt").write_text("x")
    with pytest.raises(DataError, match=r"happy/labels\.txt: not a picture"):
        read_faces(folder)


def test_a_truncated_zip_is_named(folder, tmp_path):
    path = packed(folder, tmp_path / "faces.zip")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"faces\.zip: not a zip, truncated or corrupt"):
        read_faces(path)


def test_a_corrupt_member_of_a_zip_is_named(folder, tmp_path):
    path = packed(folder, tmp_path / "faces.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 9] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"faces\.zip"):
        read_faces(path)


def test_a_zip_with_a_password_is_one_clear_error(folder, tmp_path):
    path = packed(folder, tmp_path / "faces.zip")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")  # the last file's entry in the directory at the end
    data[at + 8] |= 1  # general purpose bit 0: encrypted
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"faces\.zip: .*password"):
        read_faces(path)


def test_another_kind_of_file_says_what_is_read(tmp_path):
    (tmp_path / "faces.tar").write_bytes(b"x")
    with pytest.raises(DataError, match=r"unknown kind of data set; expected \.csv"):
        read_faces(tmp_path / "faces.tar")


def test_of_a_picture_that_is_not_square_the_middle_is_taken_not_squeezed(tmp_path):
    picture = np.full((90, 60), 200, np.uint8)
    picture[15:75] = np.tile(np.where(np.arange(60) < 30, 0, 100).astype(np.uint8), (60, 1))
    (tmp_path / "n" / "fear").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "n" / "fear" / "tall.png"), picture)
    cv2.imwrite(str(tmp_path / "n" / "fear" / "wide.png"), picture.T)
    tall, wide = read_faces(tmp_path / "n").images
    assert (tall[:, :24] == 0).all() and (tall[:, 24:] == 100).all()
    assert np.array_equal(wide, tall.T)
