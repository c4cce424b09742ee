"""ONNX model files in TensorRT itself, from an engine that was built for this GPU before."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, ClassVar, Tuple

import numpy as np

from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes.cuda import CudaContext
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.session import Session
from lightfer_ros.runtimes.tensorrt_api import engine_tensors, tensorrt_module, vendor_log
from lightfer_ros.runtimes.tensorrt_engine import plan_engine


class TensorRtSession(Session):
    """A built engine on the GPU. Load it, run it and close it in one and the same thread."""

    runtime: ClassVar[str] = "tensorrt"

    def __init__(self, path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str) -> None:
        super().__init__(path, metadata, options, provider)
        plan = plan_engine(metadata, options)
        self.arithmetic = plan.precision
        engine = plan.cache.read(plan.key)
        if engine is None:
            raise RuntimeUnavailableError(
                f"no engine for this GPU in {options.engine_cache}; `lightfer engine build {path}` builds it"
            )
        self._context = CudaContext(plan.gpu)
        with self._context.active("loading an engine") as cuda:
            try:
                self._engine = _EngineOnGpu(cuda, engine, len(metadata.classes))
            except _RefusedEngine as error:
                command = f"lightfer engine build {path}"
                remedy = f"`{command}` does it"
                if not plan.cache.discard(plan.key):  # there it counts as built
                    remedy = (
                        f"its folder cannot be written: `{command} --rebuild` by who may, or --engine-cache "
                        "with another folder, which engine_cache names then"
                    )
                raise RuntimeUnavailableError(
                    f"{plan.cache.path(plan.key)} does not load and must be built again ({error}); {remedy}"
                ) from error
        self._batch_limit = self._engine.batch_limit

    @classmethod
    def providers(cls, metadata: ModelMetadata, options: RuntimeOptions) -> Tuple[str, ...]:
        """The GPU's own name."""
        return (plan_engine(metadata, options).gpu.name,)

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        with self._context.active("classifying"):
            return self._engine.infer(batch)

    def _release(self) -> None:
        with self._context.active("closing an engine"):
            self._engine.release()
        del self._engine, self._context


class _RefusedEngine(Exception):
    """TensorRT does not take these bytes."""


class _EngineOnGpu:
    """What exists only while the engine is loaded. Make, use and release it inside the active context."""

    def __init__(self, cuda: Any, engine: bytes, classes: int) -> None:
        trt = tensorrt_module()
        self._cuda, self._log = cuda, vendor_log(trt)
        self._runtime = trt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise _RefusedEngine(self._log.last_error)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise RuntimeUnavailableError(f"the engine gets no GPU memory to run in: {self._log.last_error}")
        self._tensors = engine_tensors(trt, self._engine, self._context)
        shape = self._tensors.input_shape()
        self.batch_limit = int(shape[0])
        with contextlib.ExitStack() as undo:
            # page-locked, so that the GPU copies by itself from and to where we write and read
            self._given = cuda.pagelocked_empty(shape, np.float32)
            self._answer = cuda.pagelocked_empty((shape[0], classes), np.float32)
            self._given_on_gpu = cuda.mem_alloc(self._given.nbytes)
            undo.callback(self._given_on_gpu.free)
            self._answer_on_gpu = cuda.mem_alloc(self._answer.nbytes)
            undo.callback(self._answer_on_gpu.free)
            self._stream = cuda.Stream()
            self._buffers = undo.pop_all()

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """Probabilities of 1 to `batch_limit` inputs; the array is overwritten by the next call."""
        count = len(batch)
        given, answer = self._given[:count], self._answer[:count]
        np.copyto(given, batch)
        self._cuda.memcpy_htod_async(self._given_on_gpu, given, self._stream)
        if not self._tensors.enqueue(batch.shape, self._given_on_gpu, self._answer_on_gpu, self._stream):
            self._stream.synchronize()
            raise RuntimeUnavailableError(f"TensorRT refused a batch of {count}: {self._log.last_error}")
        self._cuda.memcpy_dtoh_async(answer, self._answer_on_gpu, self._stream)
        self._stream.synchronize()
        return np.asarray(answer)

    def release(self) -> None:
        """Free all of it, users before what they use."""
        self._stream.synchronize()
        del self._tensors, self._context, self._engine, self._runtime
        self._buffers.close()
        del self._stream, self._given, self._answer
