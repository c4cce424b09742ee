"""A strict stand-in for pycuda.driver on a machine without a GPU.

It has only what pycuda has, and refuses what hardware would punish later: work without a current context
or in another thread than the context's, copies from pageable memory, use after free. Copies and inferences
happen when the stream is synchronized, not before. What is left behind is found by `leaks`.
"""

from __future__ import annotations

import itertools
import threading
import types
from typing import Any, Callable

import numpy as np


class FakeGpu:
    """One GPU with its memory, contexts and streams; `driver` is what `import pycuda.driver` gives.

    Of `count` GPUs those in `others`, by index, are of another kind.
    """

    def __init__(self, name: str = "NVIDIA Orin", compute_capability: tuple[int, int] = (8, 7)) -> None:
        self.name, self.compute_capability = name, compute_capability
        self.cuda, self.count, self.free_bytes = (12, 6, 0), 1, 1 << 30
        self.others: dict[int, tuple[str, tuple[int, int]]] = {}
        self.memory: dict[int, bytearray] = {}
        self.queues: dict[int, list[Callable[[], None]]] = {}
        self.stacks: dict[int, list[Any]] = {}
        self.pagelocked: list[np.ndarray] = []
        self._handles = itertools.count(0x1000, 0x1000)
        self.driver = _driver(self)

    def require_context(self) -> None:
        if not self.stacks.get(threading.get_ident()):
            raise self.driver.LogicError("invalid device context - no currently active context?")

    def new_handle(self) -> int:
        return next(self._handles)

    def leaks(self) -> list[str]:
        """What a process would leave behind."""
        stacked = sum(len(stack) for stack in self.stacks.values())
        left = [f"{len(self.memory)} device allocations"] if self.memory else []
        return left + ([f"{stacked} contexts on a stack: pycuda aborts at exit"] if stacked else [])


def _driver(gpu: FakeGpu) -> types.ModuleType:
    module = types.ModuleType("pycuda.driver")

    class Error(Exception):
        pass

    class LogicError(Error):
        pass

    class MemoryError(Error):
        pass

    class Context:
        def __init__(self) -> None:
            self._thread = threading.get_ident()

        def push(self) -> None:
            if threading.get_ident() != self._thread:
                raise LogicError("cannot activate out-of-thread context")
            gpu.stacks.setdefault(self._thread, []).append(self)

        @staticmethod
        def pop() -> None:
            if not gpu.stacks.get(threading.get_ident()):
                raise LogicError("cannot pop non-current context")
            gpu.stacks[threading.get_ident()].pop()

    class Device:
        def __init__(self, index: int) -> None:
            if not module_state["initialised"]:
                raise LogicError("cuDeviceGet failed: initialization error")
            if not 0 <= index < gpu.count:
                raise LogicError("cuDeviceGet failed: invalid device ordinal")
            self._kind = gpu.others.get(index, (gpu.name, gpu.compute_capability))

        @staticmethod
        def count() -> int:
            return gpu.count

        def name(self) -> str:
            return self._kind[0]

        def compute_capability(self) -> tuple[int, int]:
            return self._kind[1]

        def retain_primary_context(self) -> Context:
            return Context()

    class DeviceAllocation:
        def __init__(self, size: int) -> None:
            gpu.require_context()
            if size > gpu.free_bytes:
                raise MemoryError("cuMemAlloc failed: out of memory")
            self._address = gpu.new_handle()
            gpu.memory[self._address] = bytearray(size)

        def __int__(self) -> int:
            return self._address

        def free(self) -> None:
            gpu.require_context()
            del gpu.memory[self._address]  # KeyError: freed twice

    class Stream:
        def __init__(self) -> None:
            gpu.require_context()
            self.handle = gpu.new_handle()
            gpu.queues[self.handle] = []

        def synchronize(self) -> Stream:
            gpu.require_context()
            queue = gpu.queues[self.handle]
            while queue:
                queue.pop(0)()
            return self

    def pagelocked_empty(shape: Any, dtype: Any) -> np.ndarray:
        gpu.require_context()
        array = np.full(shape, np.nan, dtype)  # what nobody copied shows
        gpu.pagelocked.append(array)
        return array

    def require_pagelocked(array: np.ndarray) -> None:
        if not any(array is locked or array.base is locked for locked in gpu.pagelocked):
            raise LogicError("the copy is not asynchronous: host memory is pageable")
        if not array.flags.c_contiguous:
            raise LogicError("ndarray is not contiguous")

    def memcpy_htod_async(dest: DeviceAllocation, src: np.ndarray, stream: Stream) -> None:
        gpu.require_context()
        require_pagelocked(src)

        def copy() -> None:
            gpu.memory[int(dest)][: src.nbytes] = src.tobytes()

        gpu.queues[stream.handle].append(copy)

    def memcpy_dtoh_async(dest: np.ndarray, src: DeviceAllocation, stream: Stream) -> None:
        gpu.require_context()
        require_pagelocked(dest)

        def copy() -> None:
            held = np.frombuffer(gpu.memory[int(src)][: dest.nbytes], dest.dtype)
            dest[...] = held.reshape(dest.shape)

        gpu.queues[stream.handle].append(copy)

    def init() -> None:
        if not gpu.count:
            raise LogicError("cuInit failed: no CUDA-capable device is detected")
        module_state["initialised"] = True

    module_state = {"initialised": False}
    module.Error, module.LogicError, module.MemoryError = Error, LogicError, MemoryError
    module.init, module.get_version = init, lambda: gpu.cuda
    module.Device, module.Context, module.Stream = Device, Context, Stream
    module.mem_alloc, module.pagelocked_empty = DeviceAllocation, pagelocked_empty
    module.memcpy_htod_async, module.memcpy_dtoh_async = memcpy_htod_async, memcpy_dtoh_async
    return module
