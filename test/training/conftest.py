"""Tiny data and recipes, so that a whole training run takes seconds. Skipped without the training extra."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras", reason="needs the training extra")
pytest.importorskip("torch", reason="needs the training extra")


def write_csv(path, images, labels, usages):
    rows = ["emotion,pixels,Usage"]
    for image, label, usage in zip(images, labels, usages, strict=True):
        rows.append(f"{label},{' '.join(map(str, image.reshape(-1)))},{usage}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def toy_faces():
    """96 pictures of two classes that are soon told apart: a bright top (happy), a bright bottom (sad)."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 80, (96, 48, 48)).astype(np.uint8)
    labels = np.where(np.arange(96) % 2, 4, 3)
    images[labels == 3, :24] += 150
    images[labels == 4, 24:] += 150
    return images, labels


@pytest.fixture(scope="session")
def toy_csv(toy_faces, tmp_path_factory):
    images, labels = toy_faces
    usages = ["Training"] * 64 + ["PublicTest"] * 32
    return write_csv(tmp_path_factory.mktemp("toy") / "toy.csv", images, labels, usages)


@pytest.fixture
def toy_recipe(toy_csv):
    from lightfer_ros.training.augment import AugmentOptions
    from lightfer_ros.training.data import DataOptions
    from lightfer_ros.training.network import NetworkOptions
    from lightfer_ros.training.recipe import OptimizerOptions, Recipe
    from lightfer_ros.training.schedule import ScheduleOptions

    return Recipe(
        name="toy",
        precision="fp32",
        threads=1,
        data=DataOptions(path=str(toy_csv)),
        network=NetworkOptions(width=0.03, divisor=4, middle_blocks=1),
        augment=AugmentOptions(rotation_deg=3.0, loose_share=0.0, erase_share=0.0),
        schedule=ScheduleOptions(epochs=4, warmup_epochs=0.5, decay_epochs=2, peak=5e-3),
        optimizer=OptimizerOptions(batch_size=16, average_decay=0.9),
    )
