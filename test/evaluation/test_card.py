"""A model card says what its reader must know, from the file's own metadata and report."""

import numpy as np
from run_record import RUN

from lightfer_ros.evaluation.card import how_made, model_card
from lightfer_ros.evaluation.evaluate import Report
from lightfer_ros.evaluation.metrics import score
from lightfer_ros.model import EMOTIONS, ModelMetadata


def test_the_card_names_licence_law_figures_and_hash():
    about = ModelMetadata(
        "net-int8", "ab" * 32, "onnx", "int8", 48, 1, "research", "FER2013 Training",
        parameters=2345678, compression_ratio=8.72, opset=18, description="A network",
    )  # fmt: skip
    labels = np.arange(70) % 6  # no neutral face
    scores = score(np.eye(7)[np.where(np.arange(70) < 35, labels, 3)], labels)
    text = model_card(
        about, Report("net-int8", "toy", scores, scores, 4, 0.42), "the command", "a machine", "Long."
    )
    for part in (
        "ab" * 32,
        "8.72",
        "2,345,678",
        "research",
        "EU AI Act",
        "the command",
        "0.42 ms",
        "Long.",
        "the 4 ",
    ):
        assert part in text, part
    assert all(f"| {name} |" in text for name in EMOTIONS)
    assert "| neutral | – |" in text
    assert f"{100 * scores.accuracy:.1f} (" in text


def test_how_it_was_made_tells_of_the_finale_and_of_copies_trained_on():
    finale = {"seeds": [21, 22], "schedule": {"epochs": 9}}
    copies = {"validation_left_out_equal_to_training": 280, "training_faces": 27475, "sha256": "cd" * 32}
    later = {**RUN["data"], **copies, "validation_faces": 3309}
    made = how_made({**RUN, "recipe": {**RUN["recipe"], "finale": finale}, "finale_data": later})
    assert "70 epochs, the last 9 of them once for each of the seeds 21, 22, whose mean it is, 2.0 h" in made
    assert "27,205 training faces, with FER+ votes in the targets; 351 rows equal to a validation" in made
    assert "Then 27,475 training faces; 280 validation faces stand in the training rows too" in made
    assert "ab" * 32 in made and "cd" * 32 in made and "3,309 validation faces chose the weights" in made
    made = how_made(RUN)
    assert "a run of 70 epochs, 2.0 h" in made and "trained on" not in made
    assert ", pruned to R = 8 while" in made
    changed = how_made({**RUN, "changes": ["from epoch 3 on seed: 9 for 7"]})
    assert "a processor (bf16), pruned to R = 8 while it trained; from epoch 3 on seed: 9 for 7." in changed
    zeros = {**RUN["recipe"], "prune": {"ratio": 8.0, "what": "weights"}}
    assert ", zeroed to R = 8 while" in how_made({**RUN, "recipe": zeros})
