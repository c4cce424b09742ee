"""`lightfer benchmark classifier`: every cell in a process of its own, a row for each, also for failures."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.benchmark import cells, classifier_view
from lightfer_ros.benchmark.cell import interval_of_median
from lightfer_ros.benchmark.cells import Cell, Row, plan, run_cell
from lightfer_ros.benchmark.model_files import find_model_files, how_to_export
from lightfer_ros.cli.main import main
from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import read_metadata, write_metadata

from ..runtimes.conftest import TinyNetwork

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

KEYS = {
    "runtime", "precision", "batch", "threads", "p50_ms", "p99_ms", "faces_per_s", "load_s", "peak_rss_mb",
    "file_mb", "agreement", "error",
}  # fmt: skip


class Backwards(TinyNetwork):
    """The same network with its classes in the opposite order: it agrees on hardly anything."""

    def weights(self, channels: int = 1) -> dict[str, np.ndarray]:
        weights = super().weights(channels)
        return {**weights, "dense": np.ascontiguousarray(weights["dense"][:, ::-1])}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A network in FP32 and FP16, and a file that only claims to be its INT8."""
    tiny, backwards = TinyNetwork(), Backwards()
    tiny.save(tmp_path / "tiny-fp32.onnx", tiny.onnx())
    tiny.save(tmp_path / "tiny-fp16.onnx", tiny.onnx(half=True), precision="fp16")
    backwards.save(tmp_path / "tiny-int8.onnx", backwards.onnx(), precision="int8")
    tiny.save(tmp_path / "other-fp16.onnx", tiny.onnx(), precision="fp16")
    return tmp_path


@pytest.fixture
def faces(tmp_path) -> tuple[Path, Path]:
    """64 crops and the labels that the FP32 network gives them, as files."""
    tiny = TinyNetwork()
    crops = tiny.crops(64)
    np.save(tmp_path / "faces.npy", crops)
    np.save(tmp_path / "labels.npy", tiny.answer(crops).argmax(axis=1))
    return tmp_path / "faces.npy", tmp_path / "labels.npy"


def test_a_name_brings_its_siblings_and_nobody_elses(folder):
    (folder / "tiny-int4.onnx").write_bytes(b"not what its metadata says")
    (folder / "tiny-int4.onnx.json").write_text("{}")
    files = find_model_files([str(folder / "tiny-int8.onnx")])
    assert [file.path.name for file in files] == ["tiny-fp32.onnx", "tiny-fp16.onnx", "tiny-int8.onnx"]
    assert {file.network for file in files} == {"tiny"}
    for kind in ("litert_fp16", "keras", "int8_trt"):
        assert replace(files[0].metadata, name=f"tiny-{kind}").network == "tiny"
    two = [str(folder / "tiny-int8.onnx"), str(folder / "tiny-fp16.onnx")]
    assert [file.path.name for file in find_model_files(two)] == ["tiny-fp16.onnx", "tiny-int8.onnx"]


def test_files_of_several_networks_do_not_compare(folder):
    with pytest.raises(ConfigurationError, match=r"tiny-int8\.onnx and other.*, of networks tiny and other"):
        find_model_files([str(folder / "tiny-int8.onnx"), str(folder / "other-fp16.onnx")])


def test_a_copy_in_another_folder_counts_once(folder, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("tiny-fp32.onnx", "tiny-fp32.onnx.json"):
        shutil.copy(folder / name, elsewhere / name)
    monkeypatch.setattr(manifest, "search_path", lambda: [elsewhere])
    files = find_model_files([str(folder / "tiny-int8.onnx")])
    assert [file.path.name for file in files] == ["tiny-fp32.onnx", "tiny-fp16.onnx", "tiny-int8.onnx"]


def test_how_a_missing_file_is_made_is_a_whole_command(folder):
    files = find_model_files([str(folder / "tiny-int8.onnx")])
    assert how_to_export(files, "litert_int8") == (
        f"`lightfer export --model {folder / 'tiny-fp32.onnx'} --kinds litert_int8 --data FER2013.csv "
        f"--out {folder}` makes it"
    )
    (int8,) = [file for file in files if file.metadata.precision == "int8"]
    assert how_to_export([int8], "fp32") == "tiny has no .keras or float .onnx file to make it of"


def test_a_most_precise_file_that_cannot_be_opened_leaves_the_comparison_to_the_next(folder, capsys):
    spoil(folder / "tiny-fp32.onnx")
    told, said = one_face(folder / "tiny-int8.onnx", capsys)
    rows = {row["precision"]: row for row in told}
    assert "share of labels as tiny-fp16.onnx gives them" in said
    assert rows["fp32"]["error"] and rows["fp32"]["p50_ms"] is None
    assert rows["fp16"]["agreement"] == 1.0 and rows["int8"]["agreement"] < 0.5


def test_a_file_that_cannot_be_opened_alone_is_a_row_that_says_why(folder, capsys):
    spoil(folder / "other-fp16.onnx")
    (row,), said = one_face(folder / "other-fp16.onnx", capsys)
    assert row["error"] and row["agreement"] is None and "agreement: not known" in said


def one_face(model: Path, capsys) -> tuple[list[dict], str]:
    """The rows of a network in ONNX Runtime, one face, one thread; and what was said beside them."""
    arguments = ["--model", str(model), "--runtime", "onnxruntime", "--batch", "1", "--threads", "1"]
    assert main(["benchmark", "classifier", *arguments, "--seconds", "0.1", "--json", "--no-html"]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def spoil(path: Path) -> None:
    """Bytes that no engine reads, and metadata that knows them."""
    about = read_metadata(path)
    path.write_bytes(b"not a network")
    write_metadata(path, replace(about, sha256=""))


def test_a_broken_file_that_was_asked_for_is_an_error(folder):
    (folder / "tiny-fp32.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="is not the one its metadata describes"):
        find_model_files([str(folder / "tiny-fp32.onnx")])


def test_every_cell_is_a_row_with_exactly_its_keys_and_the_page_shows_them(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    arguments = ["--model", str(folder / "tiny-fp32.onnx"), "--batch", "1", "8", "--threads", "1"]
    assert main(["benchmark", "classifier", *arguments, "--seconds", "0.2", "--json"]) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)
    assert all(set(row) == KEYS for row in rows)
    ran = [row for row in rows if row["error"] is None]
    assert [(row["runtime"], row["precision"], row["batch"]) for row in ran] == [
        ("onnxruntime", precision, batch) for precision in ("fp16", "fp32", "int8") for batch in (1, 8)
    ]
    for row in ran:
        assert 0.0 < row["p50_ms"] <= row["p99_ms"]
        assert row["faces_per_s"] == pytest.approx(1000 * row["batch"] / row["p50_ms"], rel=1e-2)
        assert 0.0 < row["load_s"] < 30.0
        assert 30.0 < row["peak_rss_mb"] < 150.0
        size = (folder / f"tiny-{row['precision']}.onnx").stat().st_size
        assert row["file_mb"] == pytest.approx(size / 1e6, rel=1e-3)
    agreement = {row["precision"]: row["agreement"] for row in ran}
    assert agreement["fp32"] == 1.0 and agreement["fp16"] > 0.95 and agreement["int8"] < 0.5
    failed = [row for row in rows if row["error"] is not None]
    assert len(failed) in (0, 6), "tensorrt: all cells or, where there is a GPU, none"
    assert all("tensorrt" in row["error"] and row["p50_ms"] is None for row in failed)
    assert "litert: not measured, tiny has no file in litert" in said.err
    page = (folder / "benchmark.html").read_text()
    assert page.count("<tr>") == 1 + len(rows) and "<h2>Classifier tiny</h2>" in page
    assert not re.findall(r"""(?:src|href)=["'](?!#)|@import|url\((?!#)""", page), "asks the network"


def test_the_order_is_shuffled_by_the_seed_alone(folder):
    files = find_model_files([str(folder / "tiny-fp32.onnx")])
    first, again, other = (plan(files, ["onnxruntime"], [1, 2, 4], [1, 2], seed) for seed in (3, 3, 4))
    assert first == again != other
    assert len(first) == 3 * 3 * 2 and all(cell in other for cell in first)
    assert [cell.batch for cell in first] != sorted(cell.batch for cell in first)


def test_a_process_that_dies_is_a_row_that_says_how(folder, faces, tmp_path, monkeypatch):
    (file,) = find_model_files([str(folder / "other-fp16.onnx")])
    dying = tmp_path / "python"
    dying.write_text(f"#!{sys.executable}\nimport os, sys\nprint('engine 1.0')\nos.kill(os.getpid(), 11)\n")
    dying.chmod(0o755)
    monkeypatch.setattr(cells.sys, "executable", str(dying))
    row = run_cell(Cell("onnxruntime", file, 1, 1), *faces, seconds=0.1)
    assert row.error == "the process ended with signal 11: no word"
    assert row.to_json()["p50_ms"] is None and not row.unavailable


def test_an_engine_that_cannot_run_here_is_asked_once_a_file(folder, faces, monkeypatch):
    files = find_model_files([str(folder / "other-fp16.onnx")])
    asked = []
    real = cells.run_cell
    monkeypatch.setattr(cells, "run_cell", lambda cell, *rest: asked.append(cell) or real(cell, *rest))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    (folder / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.8 is missing')")
    rows = list(cells.measure(plan(files, ["tensorrt"], [1, 2, 4], [1, 2], 0), *faces, seconds=0.1))
    assert len(asked) == 1 and len(rows) == 6
    assert all("libnvinfer.so.8 is missing" in row.error for row in rows)


def test_the_interval_holds_the_true_median_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        times = rng.lognormal(mean=0.0, sigma=0.3, size=101)  # its median is 1
        half = interval_of_median(list(times)) * np.median(times)
        held += abs(np.median(times) - 1.0) <= half
    assert 0.90 <= held / 400 <= 0.99
    assert interval_of_median([1.0] * 50) == 0.0
    assert interval_of_median([1.0] * 5) == np.inf
    assert interval_of_median(list(3 * times)) == pytest.approx(interval_of_median(list(times)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runtime", "caffe"], "--runtime is 'caffe', expected one of tensorrt, onnxruntime"),
        (["--batch", "0"], "--batch is 0, expected 1 to 256"),
        (["--threads", "99"], "--threads is 99, expected 1 to 64"),
        (["--seconds", "0"], "--seconds is 0, expected more than 0"),
        (["--html", "/nowhere/x.html"], "--html is /nowhere/x.html, expected a path in a folder that can be"),
        (["--runtime", "litert"], "--runtime is litert: nothing to measure"),
    ],
)
def test_a_bad_option_is_refused_by_name(arguments, said, capsys):
    assert main(["benchmark", "classifier", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_shipped_network_takes_little_memory(tmp_path):
    """A process with runtime and model stays under 90 MB: a Nano has 4 GB for everything."""
    (file, *_) = [f for f in find_model_files(["default"]) if f.metadata.precision == "int8"]
    np.save(tmp_path / "face.npy", np.zeros((1, 48, 48, 1), np.float32))
    row = run_cell(Cell("onnxruntime", file, 1, 1), tmp_path / "face.npy", None, seconds=0.1)
    assert row.error is None and row.peak_rss_mb is not None and row.peak_rss_mb < 90.0


def test_the_plot_shows_each_files_own_accuracy(folder, monkeypatch):
    files = find_model_files([str(folder / "tiny-fp32.onnx")])
    known = {"fp32": 0.7, "int8": 0.6}
    onnx = [
        replace(f, metadata=replace(f.metadata, accuracy={"x": known[f.metadata.precision]}))
        for f in files
        if f.metadata.precision in known
    ]
    litert = replace(onnx[-1], metadata=replace(onnx[-1].metadata, format="litert", accuracy={"x": 0.2}))
    shown = []
    monkeypatch.setattr(classifier_view, "scatter", lambda points, *_: shown.append(points) or [])
    rows = [
        Row(runtime, precision, 1, 1, 1.0, p50_ms=1.0)
        for runtime, precision in (("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("litert", "int8"))
    ]
    classifier_view.section([], [*onnx, litert], rows)
    assert [point.y for point in shown[0]] == pytest.approx([70.0, 60.0, 20.0])
