"""A truth is read as it was written; whatever is wrong in one is named."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightfer_ros.benchmark.truth import TrackedBoxes, Truth, read_truth, write_truth
from lightfer_ros.errors import DataError

corners = st.integers(-100_000, 100_000).map(lambda hundredths: hundredths / 100)
boxes = st.tuples(corners, corners, st.integers(1, 90_000), st.integers(1, 90_000)).map(
    lambda box: (box[0], box[1], round(box[0] + box[2] / 100, 2), round(box[1] + box[3] / 100, 2))
)
frames = st.dictionaries(st.integers(-(2**63), 2**63 - 1), boxes, max_size=4).map(
    lambda faces: TrackedBoxes(np.array(list(faces), np.int64), np.array(list(faces.values())).reshape(-1, 4))
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(frames, max_size=5), st.floats(0.1, 1000))
def test_what_is_written_is_read(tmp_path_factory, given_frames, fps):
    path = tmp_path_factory.mktemp("truth") / "truth.json"
    write_truth(Truth(fps, tuple(given_frames)), path)
    truth = read_truth(path)
    assert truth.fps == fps and len(truth.frames) == len(given_frames)
    for read, written in zip(truth.frames, given_frames, strict=True):
        assert read.ids.tolist() == written.ids.tolist()
        assert read.boxes.tolist() == written.boxes.tolist()


def test_notes_of_its_maker_are_ignored(tmp_path):
    path = tmp_path / "truth.json"
    face = {"id": 7, "box": [1, 2.5, 30, 40], "name": "a note"}
    path.write_text(json.dumps({"fps": 24, "frames": [[face], []], "by": "hand"}))
    truth = read_truth(path)
    assert truth.most_faces == 1 and truth.frames[0].ids.tolist() == [7] and len(truth.frames[1]) == 0


FACE = {"id": 1, "box": [0, 0, 10, 10]}


@pytest.mark.parametrize(
    "document, says",
    [
        ("{", "cannot be read"),
        ([], "given a list, expected an object"),
        ({"frames": []}, "fps is missing, expected a number above 0"),
        ({"fps": True, "frames": []}, "fps is True"),
        ({"fps": 0, "frames": []}, "fps is 0"),
        ({"fps": 30}, "frames is missing, expected a list"),
        ({"fps": 30, "frames": [[], FACE]}, "frame 1 is .*, expected a list of faces"),
        ({"fps": 30, "frames": [["x"]]}, "frame 0, face 0 is 'x', expected an object"),
        ({"fps": 30, "frames": [[{**FACE, "id": 1.5}]]}, "frame 0, face 0: id is 1.5, expected an integer"),
        ({"fps": 30, "frames": [[{"box": [0, 0, 1, 1]}]]}, "face 0: id is missing"),
        ({"fps": 30, "frames": [[FACE], [{"id": 1}]]}, "frame 1, face 0: box is missing, expected four"),
        ({"fps": 30, "frames": [[{**FACE, "box": [0, 0, 1]}]]}, r"box is \[0, 0, 1\], expected four numbers"),
        ({"fps": 30, "frames": [[{**FACE, "box": [0, 0, 1, None]}]]}, "expected four numbers"),
        ({"fps": 30, "frames": [[{**FACE, "box": [0, 0, 1, float("nan")]}]]}, "expected four numbers"),
        ({"fps": 30, "frames": [[{**FACE, "box": [5, 0, 5, 9]}]]}, "expected x1 < x2 and y1 < y2"),
        ({"fps": 30, "frames": [[], [FACE, FACE]]}, r"frame 1: ids are \[1, 1\], expected each at most once"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, document, says):
    path = tmp_path / "truth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(DataError, match=f"{path}.*{says}"):
        read_truth(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json cannot be read"):
        read_truth(tmp_path / "nowhere.json")
