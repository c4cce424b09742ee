"""Keras, the paper's baseline: `.keras` files through `model.predict`, as a runtime of the benchmark alone.

What it costs to call `predict` is part of what is measured: that is how the paper's first row is made.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes import Runtime, RuntimeOptions, Session, register

CPU = "CPU"
INSTALL = "pip install keras, and tensorflow or torch to compute with"


def register_runtime() -> None:
    """Let `load` know of it; called again, it changes nothing."""
    register(Runtime("keras", "lightfer_ros.benchmark.keras_runtime:KerasSession", ("keras",), INSTALL, CPU))


class KerasSession(Session):
    """A network in Keras, on whatever it computes with here; named in `provider`."""

    runtime: ClassVar[str] = "keras"

    def __init__(self, path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str) -> None:
        super().__init__(path, metadata, options, provider)
        keras = _keras()
        _limit_threads(keras.backend.backend(), options.threads)
        try:
            self._model = keras.saving.load_model(path, compile=False)
        except Exception as error:  # of many kinds, by what is wrong with the file
            raise ModelError(f"{path}: Keras cannot read it ({error})") from error
        last = self._model.layers[-1]
        activation = getattr(getattr(last, "activation", None), "__name__", "")
        self._gives_probabilities = "softmax" in (activation, type(last).__name__.lower())

    @classmethod
    def providers(cls, metadata: ModelMetadata, options: RuntimeOptions) -> tuple[str, ...]:
        """The CPU. Raises RuntimeUnavailableError where Keras or what it computes with is missing."""
        _keras()
        return (CPU,)

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        """What training saves ends in logits; other files may end in probabilities."""
        answer = np.asarray(self._model.predict(batch, verbose=0), np.float32)
        if self._gives_probabilities:
            return answer
        exps = np.exp(answer - answer.max(axis=1, keepdims=True))
        return np.asarray(exps / exps.sum(axis=1, keepdims=True), np.float32)

    def _release(self) -> None:
        del self._model


def _keras() -> Any:
    """The module, with the backend that is installed: Keras takes TensorFlow unless it is told another."""
    if "KERAS_BACKEND" not in os.environ and find_spec("tensorflow") is None:
        os.environ["KERAS_BACKEND"] = "torch"
    try:
        import keras
    except ImportError as error:
        raise RuntimeUnavailableError(f"keras cannot be imported ({error}); {INSTALL}") from error
    return keras


def _limit_threads(backend: str, threads: int) -> None:
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    elif backend == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
