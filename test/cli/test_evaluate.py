"""`lightfer evaluate` scores every picture once and prints what the file really does."""

import json
import lzma
import os
import time
import zipfile

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from photos import photo

from lightfer_ros.cli.main import main
from lightfer_ros.evaluation.confusion_picture import draw_confusion
from lightfer_ros.evaluation.duplicates import write_index
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.model import EMOTIONS, ModelMetadata, Normalization, manifest
from lightfer_ros.model.metadata import metadata_path, write_metadata

KEYS = {
    "model", "images", "accuracy", "accuracy_deduplicated", "macro_f1", "per_class", "confusion", "ece",
    "ms_per_image",
}  # fmt: skip


@pytest.fixture
def brightness_model(tmp_path):
    """A model that calls a picture by its mean brightness: EMOTIONS[i] for grey level 36·i."""
    centres = np.arange(7, dtype=np.float32) * 36 / 255
    constants = {"w": 2 * centres[None] * 200, "b": -(centres**2) * 200}
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["m"]),
        helper.make_node("Flatten", ["m"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 48, 48])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )
    path = tmp_path / "brightness.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    about = ModelMetadata(
        "brightness", "", "onnx", "fp32", 48, 1, "none", "none",
        layout="nchw", normalization=Normalization(),
    )  # fmt: skip
    write_metadata(path, about)
    return path


@pytest.fixture
def folder(tmp_path):
    for i, name in enumerate(EMOTIONS):
        place = tmp_path / "faces" / name
        place.mkdir(parents=True)
        for k in range(3):
            grey = 36 * i if k else 36 * ((i + 1) % 7)  # one in three looks like the next class
            cv2.imwrite(str(place / f"{k}.png"), np.full((30 + k, 50), grey, np.uint8))
    return tmp_path / "faces"


@pytest.fixture
def scored(brightness_model, capsys):
    """Run the command with --json and read what it says."""

    def run(data, *options, model=brightness_model):
        assert main(["evaluate", "--model", str(model), "--data", str(data), "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_json_holds_every_figure_with_its_interval(scored, folder):
    found = scored(folder)
    assert set(found) >= KEYS
    assert found["model"] == "brightness" and found["faces"] == "as-is"
    assert found["images"] == 21 and found["accuracy"] == pytest.approx(14 / 21)
    assert found["accuracy_deduplicated"] == found["accuracy"]  # none of these stands in FER2013
    assert found["accuracy_deduplicated_interval"] == found["accuracy_interval"]
    for rate in ("accuracy", "macro_f1", "ece"):
        low, high = found[f"{rate}_interval"]
        assert low <= found[rate] <= high
    assert found["per_class"]["sad"]["recall"] == pytest.approx(2 / 3)
    assert np.array(found["confusion"])[6, 0] == 1 and found["ms_per_image"] > 0


def test_faces_known_from_training_are_left_out_of_the_second_figure(scored, folder, tmp_path):
    faces = read_faces(folder)
    wrong = [digest for name, digest in zip(faces.names, faces.hashes) if name.endswith("0.png")]
    write_index(tmp_path / "index", wrong)
    found = scored(folder, "--index", str(tmp_path / "index"))
    assert found["duplicates"] == 7 and found["images"] == 21
    assert found["accuracy_deduplicated"] == 1.0


def test_the_shipped_index_knows_fer2013_s_training_faces(scored, tmp_path):
    data = os.environ.get("FER2013_CSV")
    if not data:
        pytest.skip("FER2013_CSV names no file: FER2013 may not be shipped")
    with lzma.open(data, "rt") as file:
        head = [next(file) for _ in range(41)]
    (tmp_path / "head.csv").write_text("".join(head))
    assert {line.strip().rsplit(",", 1)[1] for line in head[1:]} == {"Training"}
    found = scored(tmp_path / "head.csv")
    assert found["images"] == found["duplicates"] == 40 and found["accuracy_deduplicated"] is None


def test_a_zip_of_sixteen_hundred_pictures_of_all_sizes_is_scored_whole(scored, tmp_path):
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "wild.zip", "w") as archive:
        for i in range(1600):
            size = rng.integers(30, 300, 2)
            picture = np.full((*size, 3)[: 2 + i % 2], 36 * (i % 7), np.uint8)
            ending = (".png", ".jpg", ".bmp")[i % 3]
            archive.writestr(
                f"wild/{EMOTIONS[i % 7]}/{i}{ending}", cv2.imencode(ending, picture)[1].tobytes()
            )
    started = time.process_time()
    found = scored(tmp_path / "wild.zip")
    assert found["images"] == sum(map(sum, found["confusion"])) == 1600 and found["accuracy"] == 1.0
    assert time.process_time() - started < 30


@pytest.mark.parametrize("detector", ["auto", "dlib_hog"])
def test_a_face_is_found_and_cut_out_and_a_picture_without_one_is_scored_whole(scored, tmp_path, detector):
    for name in ("shape_predictor_68", "yunet"):
        if manifest.locate(name) is None:
            pytest.skip(f"{name} is not here: `lightfer fetch`")
    face, grey = photo("photo_single_face"), np.full((100, 140), 36 * 4, np.uint8)
    for name, picture in (("happy/face.jpg", face), ("sad/nobody.png", grey)):
        (tmp_path / name).parent.mkdir()
        cv2.imwrite(str(tmp_path / name), picture)
    found = scored(tmp_path, "--faces", "detect", "--detector", detector)
    used = "yunet" if detector == "auto" else detector
    assert (found["faces"], found["detector"], found["faces_not_found"]) == ("detect", used, 1)
    assert found["images"] == 2 and found["per_class"]["sad"]["recall"] == 1.0


def test_a_foreign_file_is_described_on_the_command_line(scored, brightness_model, folder):
    metadata_path(brightness_model).unlink()
    described = scored(folder, "--input-size", "48")
    assert described["model"] == "brightness" and described["accuracy"] == pytest.approx(14 / 21)
    # now the first column means neutral, the second angry: right is what looked like the next class
    turned = ["--classes", "neutral,angry,disgust,fear,happiness,sadness,surprise"]
    assert scored(folder, "--input-size", "48", *turned)["accuracy"] == pytest.approx(7 / 21)
    sure = scored(folder, "--input-size", "48", "--logits")["ece"]
    assert sure > described["ece"]  # softmax of what are probabilities already is much less sure


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "has no metadata"),
        (["--input-size", "48", "--classes", "angry,sad"], "--classes is 'angry,sad', expected each of"),
        (["--input-size", "7"], "input_size is 7, expected 16 to 1024"),
        (["--input-size", "32"], "expected tensor(float) ['n', 1, 32, 32]"),
    ],
)
def test_a_foreign_file_described_wrongly_is_one_line(brightness_model, folder, options, complaint, capsys):
    metadata_path(brightness_model).unlink()
    assert main(["evaluate", "--model", str(brightness_model), "--data", str(folder), *options]) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1


def test_the_table_and_the_picture_are_for_people(brightness_model, folder, tmp_path, capsys):
    picture = tmp_path / "c.png"
    options = ["--model", str(brightness_model), "--data", str(folder), "--confusion", str(picture)]
    assert main(["evaluate", *options]) == 0
    text = capsys.readouterr().out
    assert "accuracy 66.67 (" in text and all(name in text for name in EMOTIONS)
    assert cv2.imread(str(picture)).shape == draw_confusion(np.eye(7, dtype=int), "x").shape


def test_a_darker_cell_holds_more_of_its_row():
    table = np.eye(7, dtype=int) * 9 + 1
    drawn = draw_confusion(table, "t").astype(int)
    assert drawn[112 + 3, 112 + 3].sum() < drawn[112 + 3, 112 + 72 + 3].sum()


def test_a_missing_split_is_an_error_before_anything_runs(brightness_model, folder, capsys):
    options = ["--model", str(brightness_model), "--data", str(folder), "--split", "val"]
    assert main(["evaluate", *options]) == 2
    assert "no folder 'val'" in capsys.readouterr().err
