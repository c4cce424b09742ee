"""ONNX model files in ONNX Runtime, on a CPU or on any provider that is built into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Dict, List, Optional, Tuple

import numpy as np
import onnxruntime

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes.onnxruntime_binding import KeptBuffers
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.session import Session

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_DEVICES = {CUDA: "cuda", TENSORRT: "cuda"}
"""Where input and output are kept between inferences, for providers on a device of their own."""
_NOT_LOCAL = ("AzureExecutionProvider",)
"""Built into the plain wheel, but it sends its input to a server: never offered."""


class OnnxRuntimeSession(Session):
    """A model in ONNX Runtime; it never leaves the provider that was asked for without saying so."""

    runtime: ClassVar[str] = "onnxruntime"

    def __init__(self, path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str) -> None:
        super().__init__(path, metadata, options, provider)
        self._session = _open(path, metadata, options, provider)
        actual = self._session.get_providers()
        if actual[0] != provider:  # ONNX Runtime itself falls back in silence
            raise RuntimeUnavailableError(
                f"{provider} was refused; ONNX Runtime would run on {', '.join(actual)}"
            )
        if provider == TENSORRT and metadata.precision != "int8_trt":
            self.arithmetic = options.engine_precision
        self._input, self._output = self._check_signature()
        self._buffers: Optional[KeptBuffers] = None
        if provider in _DEVICES:
            names, classes = (self._input, self._output), len(metadata.classes)
            self._buffers = KeptBuffers(self._session, names, classes, _DEVICES[provider], options.device)

    @classmethod
    def providers(cls, metadata: ModelMetadata, options: RuntimeOptions) -> Tuple[str, ...]:
        """Providers built into this ONNX Runtime, in its own order, the CPU last.

        TensorRT is offered only when named: it builds its engine inside `load`, for minutes, and nothing can
        interrupt it. A file quantized for CPUs goes to the CPU first.
        """
        there = [p for p in onnxruntime.get_available_providers() if p not in _NOT_LOCAL]
        if TENSORRT not in options.providers:
            there = [p for p in there if p != TENSORRT]
        if metadata.precision == "int8":
            there.sort(key=lambda p: p != CPU)
        return tuple(there)

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        try:
            if self._buffers is not None:
                return self._buffers.run(batch)
            return np.asarray(self._session.run([self._output], {self._input: batch})[0])
        except Exception as error:  # its exceptions share no base class
            raise RuntimeUnavailableError(f"ONNX Runtime failed on {self.provider}: {error}") from error

    def _release(self) -> None:
        self._buffers = None
        del self._session

    def _check_signature(self) -> Tuple[str, str]:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"{self.path}: {len(inputs)} inputs and {len(outputs)} outputs, expected one of each"
            )
        wanted = self._file_shape
        if inputs[0].type != "tensor(float)" or list(inputs[0].shape[1:]) != wanted:
            raise ModelError(
                f"{self.path}: input is {inputs[0].type} {inputs[0].shape}, "
                f"expected tensor(float) {['n', *wanted]} by its metadata"
            )
        classes = len(self.metadata.classes)
        if outputs[0].type != "tensor(float)" or list(outputs[0].shape[1:]) != [classes]:
            raise ModelError(
                f"{self.path}: output is {outputs[0].type} {outputs[0].shape}, "
                f"expected tensor(float) {['n', classes]}"
            )
        if inputs[0].shape[0] == 1:
            self._batch_limit = 1
        elif isinstance(inputs[0].shape[0], int):
            raise ModelError(f"{self.path}: batch is fixed at {inputs[0].shape[0]}, expected any or 1")
        return inputs[0].name, outputs[0].name


def _open(
    path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str
) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if options.spinning else "0")
    # with batches of 1 to 16 in turn, arena and plans add 2 to 8 MB to the process and change no time
    settings.enable_cpu_mem_arena = False
    settings.enable_mem_pattern = False
    settings.log_severity_level = 3
    if provider == CPU:
        providers: List[Any] = [CPU]
    else:
        settings.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        providers = [(provider, _provider_options(path, metadata, options, provider))]
        if provider == TENSORRT:  # it passes on what it cannot run
            providers.append((CUDA, _provider_options(path, metadata, options, CUDA)))
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=providers)
    except Exception as error:  # its exceptions share no base class
        if provider == CPU:
            raise ModelError(f"{path}: ONNX Runtime cannot read it ({error})") from error
        raise RuntimeUnavailableError(f"ONNX Runtime cannot run {path} on {provider} ({error})") from error


def _provider_options(
    path: Path, metadata: ModelMetadata, options: RuntimeOptions, provider: str
) -> Dict[str, Any]:
    if provider == CUDA:
        return {
            "device_id": options.device,
            "arena_extend_strategy": "kSameAsRequested",  # a board shares its memory with the GPU
            # the default tries every algorithm whenever the batch changes
            "cudnn_conv_algo_search": "HEURISTIC",
        }
    if provider != TENSORRT:
        return {}
    # its own cache does not notice other weights or another version, so each model gets a folder of its own
    folder = f"{metadata.name}-{metadata.sha256[:16]}-ort{onnxruntime.__version__}"
    cache = str(options.engine_cache / "onnxruntime" / folder)
    name, shape = _open(path, metadata, options, CPU).get_inputs()[0].name, metadata.input_size
    crop = (
        [metadata.channels, shape, shape] if metadata.layout == "nchw" else [shape, shape, metadata.channels]
    )
    least, most = (f"{name}:{'x'.join(str(n) for n in [count, *crop])}" for count in (1, options.max_batch))
    return {
        "device_id": options.device,
        "trt_fp16_enable": options.engine_precision == "fp16",
        "trt_int8_enable": metadata.precision == "int8_trt",
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": cache,
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": cache,
        # without a profile it builds again for every larger batch, while frames wait
        "trt_profile_min_shapes": least,
        "trt_profile_opt_shapes": least,
        "trt_profile_max_shapes": most,
    }
