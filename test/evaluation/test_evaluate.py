"""`evaluate` scores every face once and prints what the file really does."""

import json

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.confusion_picture import draw_confusion
from lightfer_ros.evaluation.duplicates import write_index
from lightfer_ros.evaluation.main import main
from lightfer_ros.evaluation.readers import read_faces, read_pictures
from lightfer_ros.model import EMOTIONS, ModelMetadata, Normalization
from lightfer_ros.model.metadata import write_metadata

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


def test_json_holds_every_figure_with_its_interval(brightness_model, folder, capsys):
    assert main(["--model", str(brightness_model), "--data", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= KEYS
    assert found["images"] == 21 and found["accuracy"] == pytest.approx(14 / 21)
    assert found["accuracy_deduplicated"] is None
    for rate in ("accuracy", "macro_f1", "ece"):
        low, high = found[f"{rate}_interval"]
        assert low <= found[rate] <= high
    assert found["per_class"]["sad"]["recall"] == pytest.approx(2 / 3)
    assert np.array(found["confusion"])[6, 0] == 1 and found["ms_per_image"] > 0


def test_faces_known_from_training_are_left_out_of_the_second_figure(
    brightness_model, folder, tmp_path, capsys
):
    faces = read_faces(folder)
    wrong = np.array([name.endswith("0.png") for name in faces.names])
    index = tmp_path / "index"
    write_index(index, faces.images[wrong][:1])  # also one right face has these very pixels: see below
    arguments = ["--model", str(brightness_model), "--data", str(folder), "--index", str(index), "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    # the grey level of angry/0.png is that of disgust's two right faces
    assert found["duplicates"] == 3
    assert found["accuracy_deduplicated"] == pytest.approx(12 / 18)


def test_the_table_and_the_picture_are_for_people(brightness_model, folder, tmp_path, capsys):
    picture = tmp_path / "c.png"
    arguments = ["--model", str(brightness_model), "--data", str(folder), "--confusion", str(picture)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "accuracy 66.67 (" in text and all(name in text for name in EMOTIONS)
    assert cv2.imread(str(picture)).shape == draw_confusion(np.eye(7, dtype=int), "x").shape


def test_a_darker_cell_holds_more_of_its_row():
    table = np.eye(7, dtype=int) * 9 + 1
    drawn = draw_confusion(table, "t").astype(int)
    assert drawn[112 + 3, 112 + 3].sum() < drawn[112 + 3, 112 + 72 + 3].sum()


def test_a_model_without_metadata_is_one_line(folder, tmp_path, capsys):
    (tmp_path / "bare.onnx").write_bytes(b"x")
    assert main(["--model", str(tmp_path / "bare.onnx"), "--data", str(folder)]) == 2
    assert "has no metadata" in capsys.readouterr().err


def test_pictures_come_at_their_own_size_for_a_detector(folder):
    shapes = {p.picture.shape for p in read_pictures(folder)}
    assert shapes == {(30, 50), (31, 50), (32, 50)}


def test_a_missing_split_is_an_error_before_anything_runs(brightness_model, folder, capsys):
    arguments = ["--model", str(brightness_model), "--data", str(folder), "--split", "val"]
    assert main(arguments) == 2
    assert "no folder 'val'" in capsys.readouterr().err
    with pytest.raises(DataError):
        list(read_pictures(folder, "val"))
