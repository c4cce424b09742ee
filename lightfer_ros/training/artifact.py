"""A finished run as one `.keras` file of plain layers, with metadata: what compression starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightfer_ros.evaluation.readers import is_csv, split_name, without_copies
from lightfer_ros.files import write_by
from lightfer_ros.model import ModelMetadata
from lightfer_ros.model.metadata import write_metadata
from lightfer_ros.training.architecture import restored_network
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.data import TRAINING
from lightfer_ros.training.feed import NORMALIZATION
from lightfer_ros.training.recipe import Recipe, recipe_from

_NAMES = {"xception": "Xception", "residual": "Residual network"}
LICENCE = "weights: for research, as FER2013 is; code: Apache-2.0"
OTHER_LICENCE = "weights: that of the faces that they were trained on; code: Apache-2.0"


def save_network(checkpoint: Path, path: Path) -> ModelMetadata:
    """Write the averaged network of a checkpoint as `.keras`, whole or not at all, and its metadata.

    Returns the metadata. Raises ModelError when the checkpoint is torn or not what its recipe says.
    """
    model, recipe, saved = averaged_network(checkpoint)
    write_by(path, lambda partial: model.save(partial))
    best = saved.history[-1]["validation_accuracy"] if saved.history else None
    data = Path(recipe.data.path)
    votes = ", FER+ votes" if recipe.data.votes else ""
    scored = split_name(data, recipe.data.validation_split)
    if recipe.data.copies == TRAINING:
        scored = without_copies(scored)
    fer2013 = is_csv(data)
    about = ModelMetadata(
        name=recipe.name,
        sha256="",
        format="keras",
        precision="fp32",
        input_size=recipe.network.input_size,
        channels=1,
        licence=LICENCE if fer2013 else OTHER_LICENCE,
        training_data=f"{'FER2013' if fer2013 else data.name} {recipe.data.train_split}{votes}",
        normalization=NORMALIZATION,
        parameters=int(sum(v.value.numel() for v in model.trainable_variables)),
        accuracy={} if best is None else {scored: round(best, 4)},
        source=f"lightfer train, {saved.epoch} epochs, data {saved.data_sha256[:16]}, seed {recipe.seed}",
        description=f"{_NAMES[recipe.network.architecture]} with global average pooling for small grey faces",
    )
    write_metadata(path, about)
    return about


def averaged_network(checkpoint: Path) -> tuple[Any, Recipe, Checkpoint]:
    """The averaged network of a checkpoint in plain Keras layers, its recipe, and the checkpoint itself."""
    saved = Checkpoint.load(checkpoint)
    recipe = recipe_from(saved.recipe, str(checkpoint))
    return restored_network(saved, str(checkpoint)), recipe, saved
