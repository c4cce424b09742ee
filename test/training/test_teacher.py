"""A teacher's answers, of each face as the pupil sees it, become part of the target."""

import json
from dataclasses import replace

import pytest
import torch

from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.training.feed import to_input
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.run import train
from lightfer_ros.training.teacher import TeacherOptions, Teachers

HAPPY, SAD, FEAR = 3, 4, 2


@pytest.fixture(scope="module")
def teacher(toy_csv, tmp_path_factory):
    """The checkpoint of a residual network that tells the toy's happy faces from its sad ones."""
    from lightfer_ros.training.augment import AugmentOptions
    from lightfer_ros.training.data import DataOptions
    from lightfer_ros.training.recipe import OptimizerOptions, Recipe
    from lightfer_ros.training.schedule import ScheduleOptions

    recipe = Recipe(
        name="teacher",
        precision="fp32",
        threads=1,
        data=DataOptions(path=str(toy_csv)),
        network=NetworkOptions(architecture="residual", width=0.06, divisor=4, middle_blocks=1),
        augment=AugmentOptions(rotation_deg=3.0, loose_share=0.0, erase_share=0.0),
        schedule=ScheduleOptions(epochs=4, warmup_epochs=0.5, decay_epochs=2, peak=5e-3),
        optimizer=OptimizerOptions(batch_size=16, average_decay=0.9),
    )
    folder = tmp_path_factory.mktemp("teacher")
    assert train(recipe, folder).history[-1]["validation_accuracy"] > 0.9
    return folder / "last.pt"


def bright(top):
    """Inputs of two faces that are bright above (happy) or below (sad)."""
    faces = torch.full((2, 48, 48), 0.15)
    faces[:, slice(0, 24) if top else slice(24, 48)] += 0.6
    return to_input(faces)


def test_the_target_moves_by_its_share_towards_what_the_teacher_says(teacher):
    teachers = Teachers(TeacherOptions((str(teacher),), share=0.5), 48, "fp32")
    (network,) = teachers.networks
    inputs, targets = bright(top=True), torch.eye(7)[[FEAR, SAD]]
    with torch.no_grad():
        said = network(inputs, training=False).softmax(1)
    assert said.argmax(1).tolist() == [HAPPY, HAPPY]
    blended = teachers.blend(targets, inputs, torch.arange(2), epoch=1)
    assert torch.allclose(blended, 0.5 * targets + 0.5 * said)


def test_without_teachers_targets_stay(teacher):
    targets = torch.eye(7)[[FEAR, SAD]]
    nobody = Teachers(TeacherOptions(), 48, "fp32")
    assert torch.equal(nobody.blend(targets, bright(top=True), torch.arange(2), epoch=1), targets)


def test_a_face_is_looked_at_by_one_of_several_and_by_the_next_in_the_next_epoch(teacher):
    teachers = Teachers(TeacherOptions((str(teacher),) * 3, share=1.0), 48, "fp32")
    for i, network in enumerate(teachers.networks):
        bias = next(layer for layer in network.layers if layer.name == "logits").bias
        bias.assign(torch.eye(7)[i] * 100)
    targets, inputs = torch.zeros(5, 7), bright(top=True)[:1].repeat(5, 1, 1, 1)
    chosen = torch.tensor([3, 4, 5, 9, 1])
    looks = [teachers.blend(targets, inputs, chosen, epoch).argmax(1).tolist() for epoch in (3, 4, 5)]
    assert looks == [[0, 1, 2, 0, 1], [1, 2, 0, 1, 2], [2, 0, 1, 2, 0]]


def test_a_pupil_learns_from_its_teacher_and_the_record_names_it(toy_recipe, teacher, tmp_path):
    wrong = replace(toy_recipe.data, label_smoothing=1.0)  # labels that say nothing
    recipe = replace(toy_recipe, data=wrong, teachers=TeacherOptions((str(teacher),), share=0.9))
    pupil = train(recipe, tmp_path / "taught")
    assert pupil.history[-1]["validation_accuracy"] > 0.9
    named = json.loads((tmp_path / "taught" / "run.json").read_text())["teachers"]
    assert list(named) == [str(teacher)] and len(named[str(teacher)]) == 64


def test_its_network_is_exported_as_what_it_is(teacher, toy_csv, tmp_path, capsys):
    from lightfer_ros.cli.main import main as lightfer
    from lightfer_ros.model.metadata import read_metadata

    network = teacher.with_name("network.keras")
    arguments = ["--model", str(network), "--data", str(toy_csv), "--kinds", "fp32", "--out", str(tmp_path)]
    assert lightfer(["export", *arguments]) == 0
    assert "not an Xception" in capsys.readouterr().out
    about = read_metadata(tmp_path / "teacher-fp32.onnx")
    assert about.compression_ratio is None and about.description.startswith("Residual network")


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(ConfigurationError, match=f"teachers: share is {share}, expected 0 to 1"):
        TeacherOptions(share=share)


def test_a_teacher_for_other_faces_is_refused(teacher):
    with pytest.raises(ModelError, match=r"last\.pt: looks at faces of 48 pixels, expected 40"):
        Teachers(TeacherOptions((str(teacher),)), 40, "fp32")


def test_a_missing_teacher_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.pt does not exist; expected a checkpoint"):
        Teachers(TeacherOptions((str(tmp_path / "none.pt"),)), 48, "fp32")
