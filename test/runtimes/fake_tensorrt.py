"""Strict stand-ins for TensorRT 8.2, 8.6, 10 and 11 on a machine without a GPU.

Each has only the calls that its version has and that are not deprecated there, as its published bindings
list them, and refuses what that version refuses. Inference is real: ONNX Runtime computes on the fake GPU's
memory.
"""

from __future__ import annotations

import enum
import json
import threading
import types
from typing import Any, Callable

import numpy as np
import onnx
import onnxruntime

from .fake_pycuda import FakeGpu


class Faults:
    """What goes wrong, by a test's will."""

    no_memory_for_contexts = False
    wrong_answers = False
    refuses_execution = False
    during_build: Callable[[], None] = staticmethod(lambda: None)


def fake_tensorrt(version: str, gpu: FakeGpu) -> types.ModuleType:
    """What `import tensorrt` gives for a version such as "8.2.1"; its `faults` are the test's to set."""
    number = tuple(int(part) for part in version.split(".")[:2])
    module = types.ModuleType("tensorrt")
    module.__version__, module.faults = version, Faults()

    class Bound:
        """An object of the vendor's: made and used under a context, in one thread."""

        def __init__(self) -> None:
            gpu.require_context()
            self._thread = threading.get_ident()

        def _check(self) -> None:
            gpu.require_context()
            assert threading.get_ident() == self._thread, "used in another thread than the one that made it"

    class ILogger:
        Severity = enum.IntEnum(
            "Severity", ["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"], start=0
        )

        def __init__(self) -> None:
            self.initialised = True

    def error(logger: Any, text: str) -> None:
        logger.log(ILogger.Severity.ERROR, text)

    class Tensor:
        __slots__ = ("dtype", "name", "shape")

        def __init__(self, value: onnx.ValueInfoProto) -> None:
            kind = value.type.tensor_type
            self.name = value.name
            self.shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim)
            self.dtype = DataType.FLOAT if kind.elem_type == onnx.TensorProto.FLOAT else DataType.HALF

    class Network:
        __slots__ = ("model",)

        num_inputs = property(lambda self: len(self.model.graph.input))
        num_outputs = property(lambda self: len(self.model.graph.output))

        def get_input(self, index: int) -> Tensor:
            return Tensor(self.model.graph.input[index])

    class OnnxParser(Bound):
        def __init__(self, network: Network, logger: ILogger) -> None:
            super().__init__()
            assert isinstance(network, Network) and logger.initialised
            self._network, self._errors = network, []

        num_errors = property(lambda self: len(self._errors))

        def get_error(self, index: int) -> str:
            return self._errors[index]

        def parse(self, model: bytes) -> bool:
            self._check()
            try:
                parsed = onnx.load_from_string(model)
                onnx.checker.check_model(parsed)
            except Exception as problem:
                self._errors.append(f"Failed to parse ONNX model: {problem}")
                return False
            if number < (8, 4) and parsed.opset_import[0].version > 13:
                self._errors.append("Unsupported ONNX opset")
                return False
            self._network.model = parsed
            return True

    class Profile:
        __slots__ = ("shapes",)

        def set_shape(self, input: str, min: tuple, opt: tuple, max: tuple) -> None:
            assert all(a <= b <= c for a, b, c in zip(min, opt, max))
            self.shapes = (input, min, opt, max)

    class Config:
        # as in pybind, an attribute that is not there cannot be set
        __slots__ = ("flags", "pools", "profiles")
        __slots__ += ("max_workspace_size",) if number < (8, 4) else ()
        __slots__ += ("progress_monitor",) if number >= (10, 0) else ()

        def __init__(self) -> None:
            self.flags, self.profiles, self.pools = set(), [], {}
            if number >= (10, 0):
                self.progress_monitor = None

        def set_flag(self, flag: enum.Enum) -> None:
            self.flags.add(module.BuilderFlag(flag))

        def add_optimization_profile(self, profile: Profile) -> int:
            self.profiles.append(profile.shapes)
            return len(self.profiles) - 1

        if number >= (8, 4):

            def set_memory_pool_limit(self, pool: enum.Enum, pool_size: int) -> None:
                self.pools[module.MemoryPoolType(pool)] = pool_size

    class Builder(Bound):
        def __init__(self, logger: ILogger) -> None:
            super().__init__()
            assert logger.initialised, "ILogger.__init__ was not called"
            self._logger = logger

        def create_network(self, flags: int = 0) -> Network:
            explicit = hasattr(module.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH") and flags & 1
            assert number >= (10, 0) or explicit, "the ONNX parser takes explicit batch only"
            return Network()

        def create_builder_config(self) -> Config:
            return Config()

        def create_optimization_profile(self) -> Profile:
            return Profile()

        def build_serialized_network(self, network: Network, config: Config) -> bytearray | None:
            self._check()
            module.faults.during_build()
            shape = network.get_input(0).shape
            if shape[0] == -1 and not config.profiles:
                return error(self._logger, "Network has dynamic inputs, but no optimization profile")
            if number < (8, 4) and not getattr(config, "max_workspace_size", 0):
                return error(self._logger, "no workspace, no tactic")
            kinds = {node.op_type for node in network.model.graph.node}
            int8 = getattr(module.BuilderFlag, "INT8", None)
            if "QuantizeLinear" in kinds and int8 and int8 not in config.flags:
                return error(self._logger, "Int8 precision has not been set in the builder configuration")
            if getattr(config, "progress_monitor", None):
                config.progress_monitor.phase_start("Timing tactics", None, 2)
                assert all(config.progress_monitor.step_complete("Timing tactics", step) for step in (0, 1))
                config.progress_monitor.phase_finish("Timing tactics")
            profile = config.profiles[0][1:] if config.profiles else (shape, shape, shape)
            header = {
                "version": version,
                "profile": profile,
                "flags": sorted(flag.name for flag in config.flags),
            }
            return bytearray(json.dumps(header).encode() + b"\n" + network.model.SerializeToString())

    class Runtime(Bound):
        def __init__(self, logger: ILogger) -> None:
            super().__init__()
            self._logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> Engine | None:
            self._check()
            header, _, model = bytes(serialized_engine).partition(b"\n")
            fields = json.loads(header)
            if fields["version"] != version:
                return error(self._logger, f"engine of {fields['version']} in TensorRT {version}")
            return Engine(fields["profile"], model, self._logger)

    class Engine(Bound):
        def __init__(self, profile: list, model: bytes, logger: ILogger) -> None:
            super().__init__()
            graph = onnx.load_from_string(model).graph
            self._tensors = [Tensor(graph.input[0]), Tensor(graph.output[0])]
            self._profile, self._logger = [tuple(shape) for shape in profile], logger
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = 1
            self._compute = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])

        def create_execution_context(self) -> Execution | None:
            self._check()
            if module.faults.no_memory_for_contexts:
                return error(self._logger, "OutOfMemory (no further information)")
            return Execution(self)

        if number < (8, 5):
            num_bindings = 2

            def binding_is_input(self, index: int) -> bool:
                return index == 0

            def get_binding_shape(self, index: int) -> tuple[int, ...]:
                return self._tensors[index].shape

            def get_profile_shape(self, profile_index: int, binding: int) -> list[tuple[int, ...]]:
                assert (profile_index, binding) == (0, 0)
                return self._profile

        else:
            num_io_tensors = 2

            def get_tensor_name(self, index: int) -> str:
                return self._tensors[index].name

            def get_tensor_mode(self, name: str) -> enum.Enum:
                first = name == self._tensors[0].name
                return module.TensorIOMode.INPUT if first else module.TensorIOMode.OUTPUT

            def get_tensor_shape(self, name: str) -> tuple[int, ...]:
                return next(t.shape for t in self._tensors if t.name == name)

            def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
                assert (name, profile_index) == (self._tensors[0].name, 0)
                return self._profile

    class Execution(Bound):
        def __init__(self, engine: Engine) -> None:
            super().__init__()
            self._engine, self._shape, self._addresses = engine, None, {}

        def _set_shape(self, shape: tuple[int, ...]) -> bool:
            self._check()
            least, _, most = self._engine._profile
            if not all(a <= b <= c for a, b, c in zip(least, shape, most)):
                error(self._engine._logger, f"shape {shape} is outside the profile {least} to {most}")
                return False
            self._shape = tuple(shape)
            return True

        def _enqueue(self, given: int, answer: int, stream: int) -> bool:
            self._check()
            if self._shape is None or module.faults.refuses_execution:
                error(self._engine._logger, "enqueue was refused")
                return False
            shape, compute = self._shape, self._engine._compute

            def infer() -> None:
                held = gpu.memory[given][: 4 * int(np.prod(shape))]
                name = compute.get_inputs()[0].name
                (result,) = compute.run(None, {name: np.frombuffer(held, np.float32).reshape(shape)})
                result = result[:, ::-1] if module.faults.wrong_answers else result
                gpu.memory[answer][: result.nbytes] = result.tobytes()

            gpu.queues[stream].append(infer)
            return True

        if number < (8, 5):

            def set_binding_shape(self, binding: int, shape: tuple[int, ...]) -> bool:
                assert binding == 0
                return self._set_shape(shape)

            def execute_async_v2(self, bindings: list[int], stream_handle: int) -> bool:
                return self._enqueue(*bindings, stream_handle)

        else:

            def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
                assert name == self._engine._tensors[0].name
                return self._set_shape(shape)

            def set_tensor_address(self, name: str, memory: int) -> bool:
                assert type(memory) is int and memory in gpu.memory
                self._addresses[name] = memory
                return True

            def execute_async_v3(self, stream_handle: int) -> bool:
                return self._enqueue(*(self._addresses[t.name] for t in self._engine._tensors), stream_handle)

    DataType = enum.Enum("DataType", ["FLOAT", "HALF", "INT8"])
    flags = ["TF32"] if number >= (11, 0) else ["TF32", "FP16", "INT8"]
    creation = ["STRONGLY_TYPED"] if number >= (11, 0) else ["EXPLICIT_BATCH"]
    module.ILogger, module.Builder, module.OnnxParser, module.Runtime = ILogger, Builder, OnnxParser, Runtime
    module.DataType, module.BuilderFlag = DataType, enum.Enum("BuilderFlag", flags)
    module.NetworkDefinitionCreationFlag = enum.IntEnum("NetworkDefinitionCreationFlag", creation, start=0)
    if number >= (8, 4):
        module.MemoryPoolType = enum.Enum("MemoryPoolType", ["WORKSPACE"])
    if number >= (8, 5):
        module.TensorIOMode = enum.Enum("TensorIOMode", ["NONE", "INPUT", "OUTPUT"])
    if number >= (10, 0):
        module.IProgressMonitor = type("IProgressMonitor", (), {"__init__": lambda self: None})
    return module
