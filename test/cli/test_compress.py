"""`lightfer export` and `lightfer quantize` from a float file; `lightfer train` says what it lacks."""

import argparse
import dataclasses
import importlib.util

import numpy as np
import pytest

from lightfer_ros.cli import compression_source, export, extras
from lightfer_ros.cli.main import main
from lightfer_ros.errors import DataError
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import metadata_path, read_metadata, write_metadata

pytest.importorskip("onnx")

from lightfer_ros.compression.graph import Conv, Dense, GlobalAverage, Network, Relu
from lightfer_ros.compression.kinds import KINDS
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.prepare import read_float


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """FER2013's CSV in small: 40 training faces and 20 others, of random grey blocks."""
    path = tmp_path_factory.mktemp("data") / "fer2013.csv"
    rng = np.random.default_rng(0)
    rows = ["emotion,pixels,Usage"]
    for i in range(60):
        face = np.kron(rng.integers(0, 256, (6, 6)), np.ones((8, 8), int))
        pixels = " ".join(map(str, face.reshape(-1)))
        rows.append(f"{i % 7},{pixels},{'Training' if i < 40 else 'PublicTest'}")
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def trained(tmp_path):
    """A small float network of random weights, named as Xception's first layers, with metadata beside it."""
    rng = np.random.default_rng(1)
    network = Network(
        (
            Conv("stem1", ("faces",), _random(rng, 8, 1, 3, 3), _random(rng, 8), 2, (0, 0, 1, 1)),
            Relu("stem1_relu", ("stem1",)),
            Conv(
                "entry1_sep1_dw", ("stem1_relu",), _random(rng, 8, 1, 3, 3), _random(rng, 8), 1, (1,) * 4, 8
            ),
            Conv("entry1_sep1_pw", ("entry1_sep1_dw",), _random(rng, 12, 8, 1, 1), _random(rng, 12)),
            GlobalAverage("pool", ("entry1_sep1_pw",)),
            Dense("logits", ("pool",), _random(rng, 12, 7), _random(rng, 7)),
        ),
        "faces",
        48,
        1,
    )
    path = tmp_path / "net-fp32.onnx"
    path.write_bytes(to_onnx(network, "net").SerializeToString())
    about = ModelMetadata(
        "net-fp32", "", "onnx", "fp32", 48, 1, "none", "random",
        layout="nchw", normalization=Normalization(2 / 255, -1.0),
    )  # fmt: skip
    write_metadata(path, about)
    return path


def _random(rng, *shape):
    return rng.normal(0, 0.7, shape).astype(np.float32)


def test_the_kinds_in_the_help_are_those_there_are():
    assert tuple(KINDS) == export.KINDS


def test_an_export_prints_r_and_a_line_for_each_file(trained, data, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--model", str(trained), "--data", str(data), "--out", str(out), "--kinds", "fp32,fp16,int8"]
    assert main(["export", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("R = ") for line in lines)
    assert [line.split(":")[0] for line in lines[-3:]] == ["net-fp32.onnx", "net-fp16.onnx", "net-int8.onnx"]
    about = read_metadata(out / "net-int8.onnx")
    assert about.name == "net-int8" and set(about.accuracy) == {"fer2013/PublicTest"}
    assert about.compression_ratio > 1 and about.parameters > 0


@pytest.fixture
def with_copies(data, tmp_path):
    """The same faces, and ten of the training faces in PublicTest too, under another label."""
    header, *rows = data.read_text().splitlines()
    copies = [f"{(int(row[0]) + 1) % 7}{row[1:].replace('Training', 'PublicTest')}" for row in rows[:10]]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join([header, *rows, *copies]))
    return path


def test_accuracy_is_told_with_and_without_copies_of_training_faces(trained, data, with_copies, tmp_path):
    found = []
    for faces in (data, with_copies):
        arguments = ["--model", str(trained), "--data", str(faces), "--out", str(tmp_path), "--kinds", "fp32"]
        assert main(["export", *arguments]) == 0
        found.append(dict(read_metadata(tmp_path / "net-fp32.onnx").accuracy))
    apart, mixed = found
    assert mixed["fer2013/PublicTest without copies"] == apart["fer2013/PublicTest"]
    assert set(mixed) == {"fer2013/PublicTest", "fer2013/PublicTest without copies"}


def test_confidences_are_fitted_on_faces_that_were_not_trained_on(trained, data, with_copies, capsys):
    network, about = read_float(trained)

    def calibrated_on(path, split="Training"):
        splits = ["--calibration-split", split, "--data", str(path)]
        parser = argparse.ArgumentParser()
        compression_source.add_arguments(parser)
        args = parser.parse_args(["--model", "net.keras", *splits])
        training, check, _ = compression_source.faces(args, 48)
        return compression_source.with_calibration(args, network, about, training, check).operations[-1]

    assert np.array_equal(calibrated_on(with_copies).kernel, calibrated_on(data).kernel)
    with pytest.raises(DataError, match="0 faces of PublicTest are not in PublicTest too, expected at least"):
        calibrated_on(data, "PublicTest")


@pytest.mark.parametrize(("bits", "file"), [(8, "net-int8.onnx"), (4, "net-int4.onnx"), (6, None)])
def test_quantizing_says_what_it_costs_and_writes_where_there_is_a_format(
    trained, data, tmp_path, capsys, bits, file
):
    out = tmp_path / "out"
    arguments = ["--model", str(trained), "--data", str(data), "--out", str(out), "--bits", str(bits)]
    assert main(["quantize", *arguments]) == 0
    text = capsys.readouterr().out
    assert f"weights in {bits} bits per channel" in text and "entry1_sep1_dw" in text
    written = [path.name for path in out.glob("*.onnx")] if out.exists() else []
    assert written == ([file] if file else [])
    assert file or "no file format holds weights of 6 bits" in text


def test_fewer_bits_cost_more(trained, data, capsys):
    def noise(*options):
        assert main(["quantize", "--model", str(trained), "--data", str(data), *options]) == 0
        line = next(row for row in capsys.readouterr().out.splitlines() if row.endswith(" dB"))
        return float(line.split()[-2])  # of the layer that loses most

    at_8, at_4, per_tensor = (
        noise("--bits", "8"),
        noise("--bits", "4"),
        noise("--bits", "4", "--per", "tensor"),
    )
    assert at_8 - at_4 == pytest.approx(24, abs=3)  # 6 dB a bit
    assert per_tensor < at_4


@pytest.mark.parametrize(
    ("command", "options", "complaint"),
    [
        ("quantize", ["--bits", "17"], "bits is 17, expected 2 to 16"),
        ("export", ["--out", "out", "--check-split", "Nobody"], "no row with Usage 'Nobody'"),
    ],
)
def test_a_wrong_option_is_one_line(trained, data, capsys, command, options, complaint):
    assert main([command, "--model", str(trained), "--data", str(data), *options]) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1


def test_an_unknown_kind_is_refused_before_anything_is_read(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--model", "none.onnx", "--data", "none.csv", "--out", "out", "--kinds", "int2"])
    assert "kind is 'int2', expected some of fp32, fp16" in capsys.readouterr().err


def test_a_file_of_another_make_is_named(trained, data, tmp_path, capsys):
    trained.write_bytes(b"no ONNX at all")
    write_metadata(trained, dataclasses.replace(ModelMetadata.from_json(metadata_path(trained).read_text())))
    assert main(["export", "--model", str(trained), "--data", str(data), "--out", str(tmp_path / "o")]) == 2
    assert f"{trained}: not an ONNX file, or torn" in capsys.readouterr().err


def test_what_is_missing_is_said_before_anything_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert main(["train", "--recipe", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "training needs torch, keras" in error and 'pip install "lightfer_ros[train]"' in error
    assert "make train" in error and not (tmp_path / "run").exists()


@pytest.mark.skipif(importlib.util.find_spec("keras") is not None, reason="Keras is here")
def test_a_keras_file_without_keras_names_the_extra(data, tmp_path, capsys):
    arguments = ["--model", str(tmp_path / "network.keras"), "--data", str(data), "--out", str(tmp_path)]
    assert main(["export", *arguments]) == 2
    assert "reading a .keras file needs keras" in capsys.readouterr().err
