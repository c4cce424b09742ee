"""A model file ready to run: what every runtime's session has in common."""

from __future__ import annotations

import abc
from pathlib import Path
from types import TracebackType
from typing import ClassVar, List, Optional, Tuple, Type

import numpy as np

from lightfer_ros.errors import ImageError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes.options import RuntimeOptions

PassedOver = Tuple[Tuple[str, str], ...]

_RANGE_TOLERANCE = 1e-3
"""Slack at both ends of the normalized range, relative to its width: float32 rounding of scale and offset."""


def in_a_mirror(batch: np.ndarray) -> np.ndarray:
    """Crops [n, h, w, c] seen in a mirror."""
    return batch[:, :, ::-1]


class Session(abc.ABC):
    """One loaded model. Used by one thread at a time: GPU sessions only by the thread that loaded them.

    metadata: what the model file is. runtime: the registered name. provider: what it really runs on.
    arithmetic: the precision that it computes in, the file's own unless the engine was told another.
    passed_over: (candidate, reason) for each runtime or provider that was preferred and could not be used.

    A runtime implements `providers`, `__init__` (which ends with the engine ready), `_infer` and `_release`.
    """

    runtime: ClassVar[str]

    def __init__(self, path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str) -> None:
        self.path = path
        self.metadata = metadata
        self.options = options
        self.provider = provider
        self.passed_over: PassedOver = ()
        self.arithmetic = metadata.precision
        self._closed = False
        self._batch_limit = options.max_batch

    @classmethod
    @abc.abstractmethod
    def providers(cls, metadata: ModelMetadata, options: RuntimeOptions) -> Tuple[str, ...]:
        """What this runtime can run such a model on, on this machine, best first.

        Cheap: nothing is loaded. Raises RuntimeUnavailableError when the runtime cannot be used here at all.
        """

    @abc.abstractmethod
    def _infer(self, batch: np.ndarray) -> np.ndarray:
        """Probabilities of 1 to `_batch_limit` inputs, contiguous and in the file's own layout."""

    @abc.abstractmethod
    def _release(self) -> None:
        """Give back what the engine holds; called once."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Classify crops, by both looks at each where the metadata says `mirrored`.

        batch: float32 [n, h, w, c] as `metadata.normalization` scales it, whatever the file's own layout. n
        may be 0, and may be more than the engine takes at once.
        Returns float32 [n, 7], probabilities in the order of EMOTIONS.
        Raises ImageError naming what is wrong with the batch, RuntimeUnavailableError when the session is
        closed or the engine gives no usable answer.
        """
        if not self.metadata.mirrored:
            return self.look(batch)
        self._check(batch)
        both = self.look(np.concatenate([batch, in_a_mirror(batch)]))
        return np.asarray((both[: len(batch)] + both[len(batch) :]) / 2)

    def look(self, batch: np.ndarray) -> np.ndarray:
        """As `run`, but by one look at each crop, whatever the metadata says."""
        if self._closed:
            raise RuntimeUnavailableError(f"the {self.runtime} session of {self.metadata.name} is closed")
        self._check(batch)
        probabilities = self._probabilities(batch)
        if not np.isfinite(probabilities).all():
            where = f"{self.metadata.name} in {self.runtime} on {self.provider}"
            raise RuntimeUnavailableError(f"{where} gave probabilities that are not finite")
        return probabilities

    def warm_up(self) -> None:
        """Run once on mid-grey, so that the first face does not pay for lazy set-up in the engine."""
        norm = self.metadata.normalization
        self.run(np.full((1, *self._input_shape), (norm.low + norm.high) / 2, np.float32))

    def close(self) -> None:
        """Give back what the engine holds. May be called again."""
        if not self._closed:
            self._release()
            self._closed = (
                True  # only now: a GPU session refuses the wrong thread and stays open for the right
            )

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _probabilities(self, batch: np.ndarray) -> np.ndarray:
        """What the engine says of the inputs, as many at a time as it takes."""
        count = len(batch)
        probabilities = np.empty((count, len(self.metadata.classes)), np.float32)
        if self.metadata.layout == "nchw":
            batch = batch.transpose(0, 3, 1, 2)
        for start in range(0, count, self._batch_limit):
            part = slice(start, min(start + self._batch_limit, count))
            probabilities[part] = self._infer(np.ascontiguousarray(batch[part]))
        return probabilities

    @property
    def _input_shape(self) -> Tuple[int, int, int]:
        size = self.metadata.input_size
        return size, size, self.metadata.channels

    @property
    def _file_shape(self) -> List[int]:
        """One input in the file's own layout."""
        height, width, channels = self._input_shape
        nchw = self.metadata.layout == "nchw"
        return [channels, height, width] if nchw else [height, width, channels]

    def _check(self, batch: np.ndarray) -> None:
        height, width, channels = self._input_shape
        wanted = f"expected float32 [n, {height}, {width}, {channels}]"
        if not isinstance(batch, np.ndarray):
            raise ImageError(f"batch is a {type(batch).__name__}, {wanted}")
        if batch.dtype != np.float32:
            raise ImageError(f"batch has dtype {batch.dtype}, {wanted}")
        if batch.ndim != 4 or batch.shape[1:] != self._input_shape:
            raise ImageError(f"batch has shape {list(batch.shape)}, {wanted}")
        if not len(batch):
            return
        low, high = float(batch.min()), float(batch.max())  # one NaN makes both NaN
        if np.isnan(low):
            raise ImageError("batch has NaN pixels, expected numbers only")
        norm = self.metadata.normalization
        slack = _RANGE_TOLERANCE * (norm.high - norm.low)
        if low < norm.low - slack or high > norm.high + slack:
            raise ImageError(
                f"batch has range {low:g} to {high:g}, expected {norm.low:g} to {norm.high:g} "
                f"(pixel · {norm.scale:g} + {norm.offset:g})"
            )
