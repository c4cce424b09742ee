"""`lightfer classify` on real photos: what it prints, what it saves, how it fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import List, Tuple

import cv2
import numpy as np
import pytest

from lightfer_ros.cli.main import main
from lightfer_ros.model import manifest
from lightfer_ros.model.labels import EMOTIONS
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.video import read_picture

FIVE = manifest.find("photo_multi_face")
ONE = manifest.find("photo_single_face")
NOBODY = manifest.find("photo_no_face")


@pytest.fixture
def classify(capsys):
    """Run `lightfer classify …`; returns exit code, lines of stdout, stderr."""

    def call(*arguments: object) -> Tuple[int, List[str], str]:
        code = main(["classify", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err

    return call


def test_the_table_has_a_row_for_each_face_with_its_expression(classify):
    code, lines, _ = classify(FIVE, NOBODY, "--detector", "yunet")
    assert code == 0
    assert lines[0].endswith("1000x667  5 faces") and str(FIVE) in lines[0]
    rows = [line.split() for line in lines[2:7]]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert sum(row[3] == "happy" for row in rows) >= 3  # they smile, most of them broadly
    assert lines[7].endswith("no faces") and str(NOBODY) in lines[7] and len(lines) == 8


def test_json_is_one_object_a_picture_and_agrees_with_the_library(classify):
    code, lines, _ = classify(FIVE, ONE, "--json")
    assert code == 0
    five, one = map(json.loads, lines)
    assert (five["picture"], five["width"], five["height"]) == (str(FIVE), 1000, 667)
    assert len(five["faces"]) >= 4
    # The second picture's result is its own, as if it had been the only one.
    with Pipeline() as pipeline:
        faces = pipeline.process(read_picture(ONE), stamp=0.0)
    (face,) = one["faces"]
    assert face["face"] == 1
    assert face["box"] == pytest.approx(faces.boxes[0], abs=0.1)
    assert np.array(face["landmarks"]) == pytest.approx(faces.landmarks[0], abs=0.1)
    assert [face["probabilities"][name] for name in EMOTIONS] == pytest.approx(
        faces.probabilities[0], abs=1e-3
    )
    assert sum(face["probabilities"].values()) == pytest.approx(1.0, abs=1e-3)
    assert face["label"] == EMOTIONS[faces.label[0]] and face["confidence"] == max(
        face["probabilities"].values()
    )
    assert -1 <= face["valence"] <= 1 and -1 <= face["arousal"] <= 1


def test_unreadable_pictures_are_named_and_the_others_are_still_done(classify, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(FIVE.read_bytes()[:50_000])
    missing = tmp_path / "missing.png"
    code, lines, errors = classify(broken, ONE, missing, "--json")
    assert code == 1
    first, second, third = map(json.loads, lines)
    assert first["picture"] == str(broken) and "cut short" in first["error"]
    assert len(second["faces"]) == 1
    assert third["picture"] == str(missing) and "No such file" in third["error"]
    assert len(errors.splitlines()) == 2 and str(broken) in errors and str(missing) in errors


def test_folders_and_patterns_mean_the_pictures_in_them(classify, tmp_path):
    for name, source in (("a.jpg", ONE), ("b.jpg", NOBODY)):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    for argument in (tmp_path, tmp_path / "*.jpg"):
        code, lines, _ = classify(argument, "--json")
        assert code == 0
        assert [Path(json.loads(line)["picture"]).name for line in lines] == ["a.jpg", "b.jpg"]
    code, _, errors = classify(tmp_path / "*.png")
    assert code == 1 and "*.png" in errors


def test_saved_pictures_show_the_faces_and_equal_names_do_not_meet(classify, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.copy(NOBODY, tmp_path / "other" / ONE.name)
    code, _, _ = classify(ONE, tmp_path / "other" / ONE.name, "--save", tmp_path / "out")
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["single_face-2.emotions.jpg", "single_face.emotions.jpg"]
    original = cv2.imread(str(ONE)).astype(int)
    change = np.abs(cv2.imread(str(tmp_path / "out" / names[1])).astype(int) - original).max(axis=2)
    assert change.shape == original.shape[:2]
    assert (change[185:401, 161:377] > 60).sum() > 500  # the face is drawn at
    assert (change[450:, 430:] > 60).sum() == 0  # and nothing where nobody is


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--detector", "haar"], ["detector", "'haar'", "dlib_hog, yunet"]),
        (["--max-faces", "0"], ["max_faces", "0", "1 to 256"]),
        (["--model", "no/such.onnx"], ["no/such.onnx", "does not exist"]),
        (["--save", str(ONE)], ["--save", ONE.name]),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(classify, arguments, words):
    code, lines, errors = classify(ONE, *arguments)
    assert code == 2 and lines == []
    assert len(errors.splitlines()) == 1 and all(word in errors for word in words), errors
