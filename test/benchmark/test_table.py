"""`lightfer benchmark table`: the paper's rows as printed, ours beside them, counted and run for real."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lightfer_ros.benchmark import architectures, speed_tables
from lightfer_ros.benchmark.architectures import simple_cnn
from lightfer_ros.benchmark.paper_tables import TABLE_1, TABLE_4
from lightfer_ros.cli.main import main
from lightfer_ros.evaluation.answers import to_inputs
from lightfer_ros.model import EMOTIONS, manifest
from lightfer_ros.model.metadata import read_metadata

from ..runtimes.conftest import TinyNetwork

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture
def tiny_file(tmp_path):
    tiny = TinyNetwork()
    return tiny.save(tmp_path / "tiny-fp32.onnx", tiny.onnx())


@pytest.fixture
def labelled(tmp_path, tiny_file):
    """FER2013 as Kaggle has it: 40 noisy pictures, of which the tiny network sees every fifth wrongly."""
    from lightfer_ros.evaluation.readers import read_faces

    rng, path = np.random.default_rng(0), tmp_path / "fer2013.csv"
    pictures = rng.integers(0, 256, (40, 48 * 48))

    def write(labels: np.ndarray) -> None:
        rows = [
            f"{label},{' '.join(map(str, picture))},{'Training' if index < 10 else 'PublicTest'}"
            for index, (label, picture) in enumerate(zip(labels, pictures, strict=True))
        ]
        path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")

    write(np.zeros(40, int))
    seen = TinyNetwork().answer(to_inputs(read_faces(path, None, 16).images, read_metadata(tiny_file)))
    labels = seen.argmax(axis=1)
    labels[::5] = (labels[::5] + 1) % len(EMOTIONS)
    write(labels)
    return path, labels


def table(capsys, *arguments: str) -> list[dict]:
    assert main(["benchmark", "table", *arguments, "--json", "--no-html"]) == 0
    return json.loads(capsys.readouterr().out)


def test_table_1_has_a_row_of_the_papers_and_one_of_ours_for_every_class(capsys, tiny_file, labelled):
    path, labels = labelled
    rows = table(capsys, "1", "--model", str(tiny_file), "--data", str(path))
    assert [(row["name"], row["source"]) for row in rows] == [
        (name, source) for name in EMOTIONS for source in ("paper", "here")
    ]
    for row in rows[::2]:
        assert [row[name] for name in EMOTIONS] == list(TABLE_1[row["name"]])
        assert sum(row[name] for name in EMOTIONS) == pytest.approx(1.0, abs=0.003)
    test = labels[10:]
    for index, row in enumerate(rows[1::2]):
        count = int((test == index).sum())
        assert row["note"] == f"{count} faces of fer2013.csv PublicTest"
        if count:
            wrong = int(((test == index) & (np.arange(10, 40) % 5 == 0)).sum())
            assert row[EMOTIONS[index]] == pytest.approx(1 - wrong / count)


def test_table_2_cites_the_papers_accuracies_and_measures_ours_with_its_interval(capsys, tiny_file, labelled):
    rows = table(capsys, "2", "--model", str(tiny_file), "--data", str(labelled[0]), "--with-training")
    paper = {row["name"]: row["test %"] for row in rows if row["source"] == "paper"}
    assert paper["Light-FER"] == 69.87 and len(paper) == 9
    ours = rows[-1]
    assert ours["name"] == "tiny fp32 onnx"
    assert (ours["train %"], ours["test %"]) == (pytest.approx(80.0), pytest.approx(80.0))
    assert 0 < ours["low %"] < 80.0 < ours["high %"] < 100


@pytest.fixture
def video():
    for name in ("sample", "shape_predictor_68"):
        if manifest.locate(name) is None:
            pytest.skip(f"{name} is not here: `lightfer fetch`")


def test_table_3_runs_the_papers_networks_and_ours_through_the_same_pipeline(
    capsys, tiny_file, video, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(architectures, "ARCHITECTURES", {"Simple CNN": simple_cnn})
    monkeypatch.setattr(speed_tables, "ARCHITECTURES", {"Simple CNN": simple_cnn})
    rows = table(capsys, "3", "--model", str(tiny_file), "--frames", "8")
    assert [row["FPS"] for row in rows[:4]] == [11, 15, 19, 27]
    random, ours = rows[4:]
    assert (random["name"], ours["name"]) == ("Simple CNN, random weights", "tiny fp32 onnx")
    for row in (random, ours):
        assert row["error"] is None and row["FPS"] > 0 and row["memory %"] > 0 and row["CPU ms"] > 0
    (kept,) = (tmp_path / "lightfer" / "benchmark").glob("*/simple_cnn_random_weights.onnx")
    assert read_metadata(kept).training_data == "none, random weights"


def test_table_4_has_every_framework_and_format_and_says_what_those_without_a_figure_need(
    capsys, tiny_file, video
):
    rows = table(capsys, "4", "--model", str(tiny_file), "--frames", "8")
    paper = {row["name"]: row for row in rows if row["source"] == "paper"}
    ours = {row["name"]: row for row in rows if row["source"] == "here"}
    assert set(paper) == {" ".join(key) for key in TABLE_4} and set(paper) < set(ours)
    assert (paper["TensorRT FP16"]["FPS"], paper["TensorRT FP16"]["power mW"]) == (5.51, 3360)
    measured = ours["ONNX Runtime FP32"]
    assert measured["error"] is None and measured["FPS"] > 0 and 0.05 < measured["CPU GB"] < 1.0
    assert measured["note"].startswith("tiny-fp32 in onnxruntime CPUExecutionProvider; power ")
    for name, kind in (
        ("TFLite FP16", "litert_fp16"),
        ("Keras FP32", "keras"),
        ("TensorRT INT8", "int8_trt"),
    ):
        assert ours[name]["FPS"] is None
        assert f"`lightfer export --model {tiny_file} --kinds {kind} --data" in ours[name]["error"]
    assert ours["TensorRT FP16"]["error"] is None or "tensorrt" in ours["TensorRT FP16"]["error"]


def test_table_4_runs_the_file_that_the_row_names_though_another_is_faster(
    capsys, tiny_file, video, monkeypatch, tmp_path
):
    """In a process of its own: there, a float sibling would always be worth a change."""
    (tmp_path / "sitecustomize.py").write_text(
        "import lightfer_ros.runtimes.fastest as fastest\nfastest.WORTH_A_CHANGE = 1e9\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    tiny = TinyNetwork()
    int8 = tiny_file.with_name("tiny-int8.onnx")
    tiny.save(int8, tiny.onnx(), precision="int8")
    rows = table(capsys, "4", "--model", str(int8), "--frames", "4")
    (ours,) = [row for row in rows if row["name"] == "ONNX Runtime INT8" and row["source"] == "here"]
    assert ours["note"].startswith("tiny-int8 in onnxruntime")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1"], "table 1 needs --data"),
        (["2", "--data", "/nowhere/x.csv"], "--data is /nowhere/x.csv, which does not exist"),
        (["3", "--video", "/nowhere/x.mp4"], "--video is /nowhere/x.mp4, expected a file that exists"),
        (["4", "--threads", "0"], "--threads is 0, expected 1 to 64"),
        (["4", "--frames", "-1"], "--frames is -1, expected 0 for all"),
    ],
)
def test_what_cannot_be_is_refused_by_name_before_anything_is_measured(capsys, arguments, said):
    assert main(["benchmark", "table", *arguments]) == 2
    assert said in capsys.readouterr().err
