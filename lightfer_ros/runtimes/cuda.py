"""The NVIDIA GPU, through pycuda: which one it is, and its context, held by the thread that uses it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Any, Iterator, Tuple

from lightfer_ros.errors import RuntimeUnavailableError


@dataclass(frozen=True)
class Gpu:
    """What an engine is built for. compute_capability: the SM version, (5, 3) on the original Nano."""

    index: int
    name: str
    compute_capability: Tuple[int, int]
    cuda: str

    @property
    def has_int8(self) -> bool:
        """Whether it multiplies 8-bit integers: since SM 6.1, but not 6.2 (the TX2)."""
        return self.compute_capability >= (6, 1) and self.compute_capability != (6, 2)


def cuda_driver() -> Any:
    """pycuda's driver module, initialised. Raises RuntimeUnavailableError where that fails."""
    try:
        import pycuda.driver as cuda

        cuda.init()  # never pycuda.autoinit: its context belongs to the importing thread and aborts at exit
    except Exception as error:  # ImportError, or CUDA's own, by what is missing
        raise RuntimeUnavailableError(f"pycuda finds no GPU ({type(error).__name__}: {error})") from error
    return cuda


def find_gpu(index: int) -> Gpu:
    """Describe a GPU. Raises RuntimeUnavailableError when there is none of this index."""
    cuda = cuda_driver()
    count = cuda.Device.count()
    if index >= count:
        raise RuntimeUnavailableError(f"there is no GPU {index}; this machine has {count}")
    device = cuda.Device(index)
    version = ".".join(str(part) for part in cuda.get_version()[:2])
    return Gpu(index, device.name(), tuple(device.compute_capability()), version)


def find_gpus() -> Tuple[Gpu, ...]:
    """Describe every GPU of this machine. Raises RuntimeUnavailableError where CUDA cannot be used."""
    return tuple(find_gpu(index) for index in range(cuda_driver().Device.count()))


class CudaContext:
    """A GPU's primary context, shared with every other library, for use by the thread that made it.

    pycuda ties what it allocates to a thread: freed from another one, it leaks with only a warning.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._cuda = cuda_driver()
        self._thread = threading.current_thread()
        with _in_named_errors(self._cuda, "making its context"):
            self._context = self._cuda.Device(gpu.index).retain_primary_context()

    @contextlib.contextmanager
    def active(self, doing: str) -> Iterator[Any]:
        """Make the context current for a block that gets pycuda's driver; `doing` names the block in errors.

        It is left again at the end of the block: pycuda aborts a process that ends with a context pushed.
        Raises RuntimeUnavailableError in another thread and for CUDA's errors.
        """
        if threading.current_thread() is not self._thread:
            raise RuntimeUnavailableError(
                f"{doing} on the GPU in thread {threading.current_thread().name}, "
                f"expected the one that loaded it, {self._thread.name}"
            )
        with _in_named_errors(self._cuda, doing):
            self._context.push()
            try:
                yield self._cuda
            finally:
                self._cuda.Context.pop()


@contextlib.contextmanager
def _in_named_errors(cuda: Any, doing: str) -> Iterator[None]:
    try:
        yield
    except cuda.MemoryError as error:
        raise RuntimeUnavailableError(
            f"{doing} on the GPU needs more memory than is free ({error})"
        ) from error
    except cuda.Error as error:
        raise RuntimeUnavailableError(f"{doing} on the GPU failed ({error})") from error
