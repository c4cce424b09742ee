"""A bad model or landmark file fails configuring with a reason, and a good one mends it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from lifecycle import change, state
from lifecycle_msgs.msg import Transition

from lightfer_ros.model import manifest

MODEL = "mini_xception"
"""A classifier that is fetched, so that its file may be spoiled in a folder of our own."""


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder of assets of the test's own, to spoil."""
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in ("shape_predictor_68", MODEL):
        source = manifest.locate(name)
        if source is None:
            pytest.skip(f"{name} has not been fetched: `lightfer fetch`")
        for file in source.parent.glob(source.name + "*"):
            os.symlink(file, folder / file.name)
    return folder


def _spoil_landmarks_missing(folder: Path) -> str:
    (folder / "shape_predictor_68_face_landmarks.dat").unlink()
    return "lightfer fetch shape_predictor_68"


def _spoil_landmarks_truncated(folder: Path) -> str:
    path = folder / "shape_predictor_68_face_landmarks.dat"
    whole = path.resolve().read_bytes()
    path.unlink()
    path.write_bytes(whole[:1_000_000])
    return "truncated"


def _spoil_model_truncated(folder: Path) -> str:
    whole = _model(folder).resolve().read_bytes()
    _model(folder).unlink()
    _model(folder).write_bytes(whole[:5000])
    return "sha256 "


def _model(folder: Path) -> Path:
    return folder / Path(manifest.find(MODEL)).name


def _spoil_model_missing(folder: Path) -> str:
    _model(folder).unlink()
    return "is missing"


def _spoil_model_without_metadata(folder: Path) -> str:
    _model(folder).with_name(_model(folder).name + ".json").unlink()
    return "cannot be read"


def _spoil_model_other_hash(folder: Path) -> str:
    whole = _model(folder).resolve().read_bytes()
    _model(folder).unlink()
    _model(folder).write_bytes(whole + b"x")
    return "another file"


def _spoil_model_metadata(folder: Path) -> str:
    record = _model(folder).with_name(_model(folder).name + ".json")
    values = json.loads(record.read_text())
    record.unlink()
    record.write_text(json.dumps({**values, "input_size": "64"}))
    return "input_size is '64', expected an integer"


@pytest.mark.parametrize(
    "spoil",
    [
        _spoil_landmarks_missing,
        _spoil_landmarks_truncated,
        _spoil_model_missing,
        _spoil_model_without_metadata,
        _spoil_model_other_hash,
        _spoil_model_truncated,
        _spoil_model_metadata,
    ],
)
def test_a_bad_file_fails_configure_with_a_reason_and_a_good_one_mends_it(
    graph, launch, environment, assets, spoil, tmp_path
):
    environment["LIGHTFER_HOME"] = str(assets)
    backup = tmp_path / "backup"
    shutil.copytree(assets, backup, symlinks=True)
    expected = spoil(assets)
    with launch("emotion_node", autostart=True, model=MODEL) as process:
        status = graph.status("perception", lambda s: s.level == s.ERROR)
        assert expected in status.message
        assert "`lightfer fetch " in status.message, "the cure"
        assert str(assets) in status.message
        assert status.message in process.log()
        assert state(graph) == "unconfigured"
        shutil.rmtree(assets)
        shutil.copytree(backup, assets, symlinks=True)
        assert change(graph, Transition.TRANSITION_CONFIGURE)
        assert change(graph, Transition.TRANSITION_ACTIVATE)


def test_a_model_of_the_wrong_kind_is_refused(graph, emotion_node, tmp_path):
    wrong = tmp_path / "photo.onnx"
    wrong.write_bytes(b"\xff\xd8\xff this is a photo")
    with emotion_node(model=str(wrong)):
        status = graph.status("perception", lambda s: s.level == s.ERROR)
        assert str(wrong) in status.message
