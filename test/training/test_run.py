"""A tiny training run: it learns, resumes to the same weights, and says clearly why it will not start."""

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from lightfer_ros.errors import ConfigurationError, DataError, ModelError
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.main import main
from lightfer_ros.training.recipe import to_dict
from lightfer_ros.training.run import train


def run_for(recipe, folder, epochs, monkeypatch, resume=False):
    """Train, but be killed right after the checkpoint of epoch `epochs`."""
    from lightfer_ros.training import run

    keep = run._keep

    def keep_then_die(trainer, where):
        keep(trainer, where)
        if trainer.epoch == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "_keep", keep_then_die)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, folder, resume)


@pytest.fixture(autouse=True)
def every_epoch_is_kept(monkeypatch):
    """However short it was."""
    from lightfer_ros.training import run

    monkeypatch.setattr(run, "KEPT_EVERY_S", 0.0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "toy"


def test_a_tiny_run_learns_and_leaves_its_record(toy_recipe, finished, toy_csv):
    train(toy_recipe, finished)
    names = {p.name for p in finished.iterdir()}
    assert names == {
        "last.pt", "plateau.pt", "best.pt", "history.csv", "history.png", "run.json", "pid",
        "network.keras", "network.keras.json",
    }  # fmt: skip
    rows = (finished / "history.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 and rows[0].startswith("epoch,learning_rate,loss")
    assert Checkpoint.load(finished / "last.pt").history[-1]["validation_accuracy"] > 0.9
    record = json.loads((finished / "run.json").read_text())
    assert record["recipe"] == to_dict(toy_recipe) and record["epochs_done"] == 4
    assert len(record["data"]["sha256"]) == 64 and record["data"]["training_faces"] == 64
    assert set(record["versions"]) == {"python", "torch", "keras", "numpy"} and record["duration_s"] > 0


def test_a_run_killed_and_resumed_ends_with_the_same_weights(toy_recipe, finished, tmp_path, monkeypatch):
    run_for(toy_recipe, tmp_path / "b", 2, monkeypatch)
    train(toy_recipe, tmp_path / "b", resume=True)
    ours, theirs = (Checkpoint.load(folder / "last.pt") for folder in (tmp_path / "b", finished))
    for a, b in zip(ours.average, theirs.average, strict=True):
        assert torch.equal(a, b)


def test_of_short_epochs_the_first_is_not_kept_but_the_turn_and_the_last(toy_recipe, tmp_path, monkeypatch):
    from lightfer_ros.training import run

    kept = []
    monkeypatch.setattr(run, "KEPT_EVERY_S", 1000.0)
    keep = run._keep
    monkeypatch.setattr(
        run, "_keep", lambda trainer, where: (kept.append(trainer.epoch), keep(trainer, where))
    )
    train(toy_recipe, tmp_path / "short")
    assert kept == [2, 4], "the plateau ends with the second of four epochs"
    assert Checkpoint.load(tmp_path / "short" / "last.pt").epoch == 4


def test_the_best_of_the_kept_epochs_is_kept_as_such(toy_recipe, tmp_path, monkeypatch):
    from lightfer_ros.training import run
    from lightfer_ros.training.loop import Score, Trainer

    scores = iter([0.9, 0.6, 0.95, 0.7])
    monkeypatch.setattr(run, "KEPT_EVERY_S", 1000.0)
    monkeypatch.setattr(Trainer, "score", lambda trainer, model: Score(next(scores), 1.0))
    train(toy_recipe, tmp_path / "short")
    assert Checkpoint.load(tmp_path / "short" / "best.pt").epoch == 4, "of 0.6 and 0.7"


def test_with_muon_a_run_learns_and_resumes_to_the_same_weights(toy_recipe, tmp_path, monkeypatch):
    recipe = replace(toy_recipe, optimizer=replace(toy_recipe.optimizer, muon=True))
    assert train(recipe, tmp_path / "whole").history[-1]["validation_accuracy"] > 0.8
    run_for(recipe, tmp_path / "killed", 2, monkeypatch)
    train(recipe, tmp_path / "killed", resume=True)
    ours, theirs = (Checkpoint.load(tmp_path / name / "last.pt") for name in ("killed", "whole"))
    for a, b in zip(ours.average, theirs.average, strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_other_optimizers_is_refused(toy_recipe, finished):
    other = replace(toy_recipe, optimizer=replace(toy_recipe.optimizer, muon=True))
    with pytest.raises(ModelError, match=r"last\.pt: holds the state of 1 optimizers, expected 2"):
        train(other, finished, resume=True)


def test_two_workers_learn_too_and_resume(toy_recipe, tmp_path):
    recipe = replace(toy_recipe, workers=2)
    trainer = train(recipe, tmp_path / "two")
    assert trainer.history[-1]["validation_accuracy"] > 0.9
    longer = replace(recipe, schedule=replace(recipe.schedule, epochs=5))
    assert train(longer, tmp_path / "two", resume=True, start_from="plateau.pt").epoch == 5


def test_a_run_may_begin_with_the_weights_of_another(toy_recipe, finished, tmp_path):
    recipe = replace(
        toy_recipe,
        initial=str(finished / "last.pt"),
        schedule=replace(toy_recipe.schedule, epochs=1, decay_epochs=1, peak=1e-9),
    )
    second = train(recipe, tmp_path / "second")
    assert second.history[0]["validation_accuracy"] > 0.9, "at this rate it learns nothing itself"
    other = replace(recipe, network=replace(recipe.network, middle_blocks=2))
    with pytest.raises(ModelError, match=r"last.pt: holds \d+ variables, the network has \d+"):
        train(other, tmp_path / "other")


def test_an_old_run_is_not_overwritten(toy_recipe, finished):
    with pytest.raises(ConfigurationError, match="already holds a run; --resume goes on"):
        train(toy_recipe, finished)


def test_nothing_to_resume_is_said(toy_recipe, tmp_path):
    with pytest.raises(ConfigurationError, match=r"holds no run to resume: .*last\.pt is missing"):
        train(toy_recipe, tmp_path / "none", resume=True)


def test_a_checkpoint_of_another_architecture_is_refused(toy_recipe, finished):
    other = replace(toy_recipe, network=replace(toy_recipe.network, width=0.06))
    with pytest.raises(ModelError, match=r"last\.pt: .* expected .*: another architecture"):
        train(other, finished, resume=True)


def test_a_checkpoint_of_other_data_is_refused(toy_recipe, finished):
    other = replace(toy_recipe, data=replace(toy_recipe.data, label_smoothing=0.1))
    with pytest.raises(DataError, match="trained on data"):
        train(other, finished, resume=True)


def test_a_torn_checkpoint_is_named(toy_recipe, finished, tmp_path):
    data = (finished / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"last\.pt: not a checkpoint .* or torn"):
        train(toy_recipe, tmp_path, resume=True)


def test_a_full_disk_is_named_and_keeps_the_last_whole_checkpoint(toy_recipe, tmp_path, monkeypatch):
    out, recipe = tmp_path / "out", tmp_path / "recipe.yaml"
    run_for(toy_recipe, out, 1, monkeypatch)
    before = (out / "last.pt").read_bytes()
    recipe.write_text(yaml.safe_dump(to_dict(toy_recipe)))
    train_it = f"{sys.executable} -m lightfer_ros.training --recipe {recipe} --out {out} --resume"
    blocks = len(before) // 2048  # of 1024 bytes: half a checkpoint
    ended = subprocess.run(["bash", "-c", f"ulimit -f {blocks}; {train_it}"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert f"cannot write {out}/last.pt: File too large; nothing was changed" in ended.stderr
    assert (out / "last.pt").read_bytes() == before
    assert not list(out.glob("*.partial*")) and not list(out.glob(".*"))


def test_a_run_that_goes_on_by_another_recipe_says_so_ever_after(toy_recipe, tmp_path, monkeypatch, capsys):
    run_for(toy_recipe, tmp_path, 1, monkeypatch)
    other = replace(toy_recipe, seed=99, optimizer=replace(toy_recipe.optimizer, batch_size=32))
    run_for(other, tmp_path, 2, monkeypatch, resume=True)
    train(other, tmp_path, resume=True)
    changes = ["from epoch 2 on seed: 99 for 1", "from epoch 2 on optimizer.batch_size: 32 for 16"]
    assert json.loads((tmp_path / "run.json").read_text())["changes"] == changes
    said = capsys.readouterr().err
    assert all(f" {change}\n" in said for change in changes)


def test_two_processes_do_not_train_in_one_folder(toy_recipe, finished):
    longer = replace(toy_recipe, schedule=replace(toy_recipe.schedule, epochs=5))
    before = (finished / "last.pt").read_bytes()
    with (finished / "pid").open("a+") as pid:
        fcntl.flock(pid, fcntl.LOCK_EX)
        with pytest.raises(ConfigurationError, match=rf"{finished}: process {os.getpid()} trains there"):
            train(longer, finished, resume=True)
    assert (finished / "last.pt").read_bytes() == before


def test_another_beginning_without_resuming_is_refused_and_harms_no_run(toy_recipe, finished):
    before = (finished / "last.pt").read_bytes()
    with pytest.raises(ConfigurationError, match=r"--from nothere\.pt: expected together with --resume"):
        train(toy_recipe, finished, start_from="nothere.pt")
    assert (finished / "last.pt").read_bytes() == before


def test_the_command_line_gives_one_line_for_a_missing_recipe(tmp_path, capsys):
    assert main(["--recipe", str(tmp_path / "no.yaml"), "--out", str(tmp_path / "x")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_keras_file_holds_the_averaged_weights_in_plain_layers(finished):
    import keras

    from lightfer_ros.model.metadata import read_metadata
    from lightfer_ros.training.artifact import averaged_network

    about = read_metadata(finished / "network.keras")
    assert about.format == "keras" and about.normalization.low == -1.0
    again = keras.models.load_model(finished / "network.keras")
    assert not any("Native" in type(layer).__name__ for layer in again.layers)
    model, _, _ = averaged_network(finished / "last.pt")
    batch = np.random.default_rng(0).uniform(-1, 1, (3, 48, 48, 1)).astype(np.float32)
    assert np.allclose(model.predict(batch, verbose=0), again.predict(batch, verbose=0), atol=1e-6)


def test_a_finished_run_exports_and_says_its_ratio(finished, toy_csv, tmp_path, capsys):
    from lightfer_ros.cli.main import main as lightfer

    arguments = ["--model", str(finished / "network.keras"), "--data", str(toy_csv), "--kinds", "fp32,fp16"]
    assert lightfer(["export", *arguments, "--out", str(tmp_path), "--name", "toy"]) == 0
    said = capsys.readouterr().out
    assert "R = " in said and "toy-fp16.onnx" in said
    assert {p.name for p in tmp_path.iterdir()} == {
        "toy-fp32.onnx", "toy-fp32.onnx.json", "toy-fp16.onnx", "toy-fp16.onnx.json",
    }  # fmt: skip


def test_any_checkpoint_becomes_a_keras_file(finished, tmp_path):
    from lightfer_ros.training.artifact import save_network

    assert save_network(finished / "best.pt", tmp_path / "best.keras").name == "toy"
    assert (tmp_path / "best.keras").is_file()
