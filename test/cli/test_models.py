"""`lightfer models`: every asset with origin, licence, accuracy, and whether it is the right file."""

import json
import shutil

import pytest

from lightfer_ros.cli.main import main
from lightfer_ros.model.manifest import locate, read_manifest
from lightfer_ros.model.metadata import metadata_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data folder that holds the stand-in classifier and nothing else."""
    model = locate("mini_xception")
    if model is None:
        pytest.skip("mini_xception is not here: `lightfer fetch`")
    shutil.copy(model, tmp_path)
    shutil.copy(metadata_path(model), tmp_path)
    monkeypatch.setenv("LIGHTFER_HOME", str(tmp_path))
    return tmp_path


def listed(capsys):
    assert main(["models", "--json"]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_missing_assets_are_listed_with_the_command_that_gets_them(home, capsys):
    rows = listed(capsys)
    assert set(rows) == set(read_manifest().assets)
    assert rows["yunet"]["state"] == "missing"
    assert "lightfer fetch yunet" in rows["yunet"]["cure"]
    assert rows["shape_predictor_68"]["licence"] == "trained on iBUG 300-W: research use only"


def test_accuracies_with_and_without_copies_are_told_in_few_words(capsys):
    assert main(["models"]) == 0
    (ours,) = (row for row in capsys.readouterr().out.splitlines() if "lightfer-xception-48-int8 " in row)
    assert "  71.2 % fer2013/PublicTest, 69.8 without copies  " in ours


def test_a_classifier_is_listed_with_its_accuracy_and_where_it_lies(home, capsys):
    row = listed(capsys)["mini_xception"]
    assert row["state"] == "verified" and row["path"] == str(home / "mini_xception.onnx")
    assert row["accuracy"] == {"fer2013/PublicTest": 0.6551}
    aliases = read_manifest().aliases
    assert row["aliases"] == [alias for alias, name in aliases.items() if name == "mini_xception"]


def test_a_changed_file_is_listed_as_wrong_with_both_hashes(home, capsys):
    model = home / "mini_xception.onnx"
    expected = json.loads(metadata_path(model).read_text())["sha256"]
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    row = listed(capsys)["mini_xception"]
    assert row["state"] == "wrong" and expected in row["cure"]


def test_a_model_of_ones_own_is_listed_by_its_metadata(home, capsys):
    model, own = home / "mini_xception.onnx", home / "my_network.onnx"
    shutil.copy(model, own)
    record = json.loads(metadata_path(model).read_text())
    metadata_path(own).write_text(json.dumps({**record, "name": "my_network", "accuracy": {"mine": 0.9}}))
    row = listed(capsys)["my_network"]
    assert row["state"] == "verified" and row["accuracy"] == {"mine": 0.9}


def test_one_named_is_shown_with_all_that_is_known_of_it(home, capsys):
    assert main(["models", "mini_xception"]) == 0
    assert json.loads(capsys.readouterr().out)["input_size"] == 64  # it has no card: its metadata
    (home / "mini_xception.md").write_text("# A card\n")
    assert main(["models", "mini_xception"]) == 0
    assert capsys.readouterr().out == "# A card\n"
    assert main(["models", "fer2013_training_index"]) == 0
    assert "kind: index" in capsys.readouterr().out
    assert main(["models", "nonsense"]) == 2
    assert "'nonsense' is not in the manifest" in capsys.readouterr().err


def test_the_table_has_a_line_for_each_and_the_cures_below(home, capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assets = read_manifest().assets
    here = {name for name in assets if locate(name)}
    assert here > {"mini_xception"}  # and what ships in the source tree
    assert len(lines) == 1 + len(assets) + len(assets) - len(here)
    assert any(line.startswith("default = ") for line in lines)
    classifier = next(line for line in lines if "mini_xception " in line)
    assert "verified" in classifier and "65.5 % fer2013/PublicTest" in classifier
