"""A finished run as one `.keras` file of plain layers, and back: what compression starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from lightfer_ros.errors import ModelError
from lightfer_ros.training.checkpoint import Checkpoint, restore_variables
from lightfer_ros.training.files import write_whole
from lightfer_ros.training.network import build_xception
from lightfer_ros.training.recipe import Recipe, record_from


def averaged_network(checkpoint: Path) -> tuple[Any, Recipe]:
    """The averaged network of a checkpoint, in plain Keras layers, and its recipe.

    Raises ModelError when the file is torn or of another architecture than its recipe says.
    """
    saved = Checkpoint.load(checkpoint)
    recipe = record_from(Recipe, saved.recipe, str(checkpoint))
    model = build_xception(recipe.network)
    restore_variables(model, saved.average, str(checkpoint))
    return model, recipe


def save_keras(model: Any, path: Path) -> None:
    """Write a `.keras` file, whole or not at all; any backend can read it."""
    write_whole(path, lambda partial: model.save(partial))


def load_keras(path: Path) -> Any:
    """Read a `.keras` file. Raises ModelError naming it when it is missing, torn or no Keras model."""
    if not path.is_file():
        raise ModelError(f"{path} does not exist; expected a .keras file")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn or foreign file
        raise ModelError(f"{path}: not a Keras model, or torn ({error})") from None
