"""TensorRT's Python API in its styles: bindings (8.0–8.4), named tensors (8.5–10), strong types (11).

Checked against the bindings' sources of 8.2, 8.4, 8.5, 8.6, 10.0, 10.3, 10.16 and 11.1.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from typing import Any, Callable, Tuple

from lightfer_ros.errors import RuntimeUnavailableError

Version = Tuple[int, int]

_log = logging.getLogger(__name__)

_WORKSPACE_BYTES = 256 << 20
"""Room for one layer's scratch memory. 8.2 starts at none and later ones at all there is, which on a board
is everybody's; no layer of ours wants more."""


def tensorrt_module() -> Any:
    """NVIDIA's module. Raises RuntimeUnavailableError with the reason where it is not, or not usable."""
    try:
        import tensorrt

        tensorrt.Builder, tensorrt.__version__  # noqa: B018  an empty stub of the same name has neither
    except Exception as error:  # ImportError, or whatever a broken library raises
        raise RuntimeUnavailableError(
            f"tensorrt cannot be imported ({type(error).__name__}: {error}); "
            "on a Jetson it comes with JetPack, elsewhere from NVIDIA"
        ) from error
    return tensorrt


def version_of(trt: Any) -> Version:
    """Major and minor version, (8, 2)."""
    major, minor = trt.__version__.split(".")[:2]
    return int(major), int(minor)


@functools.lru_cache(maxsize=None)
def vendor_log(trt: Any) -> Any:
    """A TensorRT logger that writes to Python's. One per process: TensorRT keeps the first it is given.

    Its `last_error` is the text of the newest error, for the exceptions that TensorRT does not raise.
    """
    severity = trt.ILogger.Severity
    levels = {
        severity.INTERNAL_ERROR: logging.ERROR,
        severity.ERROR: logging.ERROR,
        severity.WARNING: logging.WARNING,
        severity.INFO: logging.DEBUG,  # TensorRT's INFO tells of every allocation
    }

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last_error = "TensorRT gave no reason"

        def log(self, severity: Any, msg: str) -> None:
            with contextlib.suppress(Exception):  # called from noexcept C++: an exception ends the process
                level = levels.get(severity, logging.NOTSET)
                if level == logging.ERROR:
                    self.last_error = msg
                if level:
                    _log.log(level, "TensorRT: %s", msg)

    return Log()


def create_network(trt: Any, builder: Any) -> Any:
    """An empty network whose batch is a dimension like any other: asked for before 10, always so since."""
    if version_of(trt) < (10, 0):
        return builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    return builder.create_network(0)


def create_config(trt: Any, builder: Any, precision: str, with_fp16: bool) -> Any:
    """Build settings: workspace, and the precision by flags, which 11 has no more.

    precision: "fp32", "fp16", or "int8_trt" for a network with Q/DQ nodes. with_fp16: whether those layers of
    an INT8 network that stay float may be FP16.
    """
    config, version = builder.create_builder_config(), version_of(trt)
    if version < (8, 4):
        config.max_workspace_size = _WORKSPACE_BYTES
    else:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    if version < (11, 0):
        if precision == "int8_trt":
            config.set_flag(trt.BuilderFlag.INT8)
        if precision == "fp16" or (precision == "int8_trt" and with_fp16):
            config.set_flag(trt.BuilderFlag.FP16)
    return config


def watch_progress(trt: Any, config: Any, report: Callable[[str], None]) -> None:
    """Have the build call `report` with its phase and step; before 10 TensorRT has no such call."""
    if version_of(trt) < (10, 0):
        return

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps = {}  # type: ignore[var-annotated]

        def phase_start(self, phase_name: str, parent_phase: Any, num_steps: int) -> None:
            self.steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            report(f"{phase_name}: {step + 1} of {self.steps.get(phase_name, '?')}")
            return True

        def phase_finish(self, phase_name: str) -> None:
            self.steps.pop(phase_name, None)

    config.progress_monitor = Monitor()


def engine_tensors(trt: Any, engine: Any, context: Any) -> EngineTensors:
    """The one input and one output of an engine, in the style of this TensorRT."""
    kind = EngineTensors if version_of(trt) >= (8, 5) else EngineBindings
    return kind(trt, engine, context)


class EngineTensors:
    """Named tensors, 8.5 and later."""

    def __init__(self, trt: Any, engine: Any, context: Any) -> None:
        self._trt, self._engine, self._context = trt, engine, context
        self._input, self._output = self._find()

    def _find(self) -> Tuple[Any, Any]:
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        mode = self._trt.TensorIOMode.INPUT
        inputs = [name for name in names if self._engine.get_tensor_mode(name) == mode]
        (first,), (last,) = inputs, [name for name in names if name not in inputs]
        return first, last

    def input_shape(self) -> Tuple[int, ...]:
        """The input's shape; its first dimension is the largest batch that the engine takes."""
        shape = tuple(self._engine.get_tensor_shape(self._input))
        return shape if shape[0] != -1 else tuple(self._engine.get_tensor_profile_shape(self._input, 0)[2])

    def enqueue(self, shape: Tuple[int, ...], given: Any, answer: Any, stream: Any) -> bool:
        """Start an inference on device memory; False when TensorRT refuses, with its reason in its log."""
        return bool(
            self._context.set_input_shape(self._input, shape)
            and self._context.set_tensor_address(self._input, int(given))
            and self._context.set_tensor_address(self._output, int(answer))
            and self._context.execute_async_v3(stream.handle)
        )


class EngineBindings(EngineTensors):
    """Numbered bindings, before 8.5."""

    def _find(self) -> Tuple[Any, Any]:
        (first,) = [i for i in range(self._engine.num_bindings) if self._engine.binding_is_input(i)]
        (last,) = [i for i in range(self._engine.num_bindings) if not self._engine.binding_is_input(i)]
        return first, last

    def input_shape(self) -> Tuple[int, ...]:
        shape = tuple(self._engine.get_binding_shape(self._input))
        return shape if shape[0] != -1 else tuple(self._engine.get_profile_shape(0, self._input)[2])

    def enqueue(self, shape: Tuple[int, ...], given: Any, answer: Any, stream: Any) -> bool:
        addresses = [0, 0]
        addresses[self._input], addresses[self._output] = int(given), int(answer)
        return bool(
            self._context.set_binding_shape(self._input, shape)
            and self._context.execute_async_v2(addresses, stream.handle)
        )
