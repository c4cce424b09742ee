"""LiteRT (.tflite) model files on a CPU, in FP32, FP16 and INT8."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Dict, Tuple

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # its older name, the one that Python 3.8 boards can install
    from tflite_runtime.interpreter import Interpreter

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.session import Session


class LiteRtSession(Session):
    """A model in LiteRT; a file with integer input and output is fed and read through its own scales."""

    runtime: ClassVar[str] = "litert"

    def __init__(self, path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str) -> None:
        super().__init__(path, metadata, options, provider)
        self._batch_size = 0
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=options.threads)
            self._interpreter.allocate_tensors()
        except Exception as error:  # ValueError or RuntimeError, by what is wrong with the file
            raise ModelError(f"{path}: LiteRT cannot read it ({error})") from error
        self._input, self._output = self._check_signature()

    @classmethod
    def providers(cls, metadata: ModelMetadata, options: RuntimeOptions) -> Tuple[str, ...]:
        """The CPU: its kernels are XNNPACK's wherever that knows the operation."""
        return ("CPU",)

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        try:
            if len(batch) != self._batch_size:
                self._interpreter.resize_tensor_input(self._input["index"], batch.shape)
                self._interpreter.allocate_tensors()
                self._batch_size = len(batch)
            self._interpreter.set_tensor(self._input["index"], _quantize(batch, self._input))
            self._interpreter.invoke()
            return _probabilities(self._interpreter.get_tensor(self._output["index"]), self._output)
        except (ValueError, RuntimeError) as error:
            raise RuntimeUnavailableError(f"LiteRT failed: {error}") from error

    def _release(self) -> None:
        del self._interpreter

    def _check_signature(self) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"{self.path}: {len(inputs)} inputs and {len(outputs)} outputs, expected one of each"
            )
        wanted, found = self._file_shape, [int(side) for side in inputs[0]["shape_signature"]]
        if found[1:] != wanted:
            raise ModelError(f"{self.path}: input is {found}, expected {['n', *wanted]} by its metadata")
        classes, answers = len(self.metadata.classes), [int(side) for side in outputs[0]["shape_signature"]]
        if answers[1:] != [classes]:
            raise ModelError(f"{self.path}: output is {answers}, expected {['n', classes]}")
        self._batch_size = int(inputs[0]["shape"][0])
        if found[0] == 1:
            self._batch_limit = 1
        elif found[0] > 1:
            raise ModelError(f"{self.path}: batch is fixed at {found[0]}, expected any or 1")
        return inputs[0], outputs[0]


def _quantize(batch: np.ndarray, tensor: Dict[str, Any]) -> np.ndarray:
    """What the file's input tensor takes: float32 as it is, integers by the tensor's scale and zero point."""
    if tensor["dtype"] == np.float32:
        return batch
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.asarray(np.clip(np.rint(batch / scale) + zero_point, limits.min, limits.max), tensor["dtype"])


def _probabilities(answer: np.ndarray, tensor: Dict[str, Any]) -> np.ndarray:
    """The output tensor as float32 rows that sum to 1, which rows of rounded integers do only nearly."""
    if tensor["dtype"] == np.float32:
        return np.asarray(answer, np.float32)
    scale, zero_point = tensor["quantization"]
    rows = (answer.astype(np.float32) - zero_point) * np.float32(scale)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)
