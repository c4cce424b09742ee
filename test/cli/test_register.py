"""`lightfer register`: shipping another network is one command a file."""

import json
import shutil

import cv2
import numpy as np
import pytest
from run_record import RUN

from lightfer_ros.cli.main import main
from lightfer_ros.model import EMOTIONS
from lightfer_ros.model.manifest import locate, read_manifest, search_path
from lightfer_ros.model.metadata import metadata_path


@pytest.fixture
def models(tmp_path):
    """A folder with a manifest and a model file that stands not yet in it."""
    model = locate("mini_xception")
    if model is None:
        pytest.skip("mini_xception is not here: `lightfer fetch`")
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(search_path()[0] / "manifest.json", folder)
    shutil.copy(model, folder / "mine-int8.onnx")
    record = json.loads(metadata_path(model).read_text())
    metadata_path(folder / "mine-int8.onnx").write_text(json.dumps({**record, "name": "mine-int8"}))
    return folder


@pytest.fixture
def data(tmp_path):
    for i, name in enumerate(EMOTIONS):
        folder = tmp_path / "data" / "PublicTest" / name
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), np.full((48, 48), 30 * i, np.uint8))
    return tmp_path / "data"


def register(models, data, *options):
    return main(["register", str(models / "mine-int8.onnx"), "--data", str(data), *options])


def made_by(models, source):
    path = metadata_path(models / "mine-int8.onnx")
    path.write_text(json.dumps({**json.loads(path.read_text()), "source": source}))


def test_a_file_gets_a_card_an_entry_and_an_alias(models, data, tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    made_by(models, f"lightfer train, data {RUN['data']['sha256'][:16]}")
    assert register(models, data, "--run", str(tmp_path / "run.json"), "--alias", "default") == 0
    entry = read_manifest(models / "manifest.json")["default"]
    assert (entry.name, entry.file) == ("mine-int8", "mine-int8.onnx")
    assert entry.origin is None and not entry.made_from  # it ships
    card = " ".join((models / "mine-int8.md").read_text().split())  # lines may break anywhere
    for part in (entry.sha256, "| surprise |", "a run of 70 epochs, 2.0 h", "R = 8", "27,205 training faces"):
        assert part in card, part
    assert "mine-int8.md written" in capsys.readouterr().out


def test_the_record_of_another_run_is_refused(models, data, tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    made_by(models, "lightfer train, data 0123456789abcdef")
    assert register(models, data, "--run", str(tmp_path / "run.json")) == 2
    assert "run.json: of another run; mine-int8.onnx was made by lightfer train" in capsys.readouterr().err
    assert not (models / "mine-int8.md").exists()


def test_without_a_manifest_nothing_is_written(models, data, capsys):
    (models / "manifest.json").unlink()
    assert register(models, data) == 2
    assert "manifest.json does not exist" in capsys.readouterr().err
    assert not (models / "mine-int8.md").exists()


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"recipe": {}}'])
def test_a_record_that_is_none_stops_it_before_anything_is_written(models, data, tmp_path, content, capsys):
    (tmp_path / "run.json").write_text(content)
    assert register(models, data, "--run", str(tmp_path / "run.json")) == 2
    assert "expected run.json of `lightfer train`" in capsys.readouterr().err
    assert not (models / "mine-int8.md").exists()
