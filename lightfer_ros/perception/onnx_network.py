"""A small network of the frame's way, run by ONNX Runtime on one thread."""

from __future__ import annotations

from typing import Any

from lightfer_ros.errors import ModelError, RuntimeUnavailableError


def one_thread_session(content: bytes, what: str, otherwise: str) -> Any:
    """An onnxruntime.InferenceSession on one CPU thread.

    content: the file's bytes. what: names network and file in errors. otherwise: what serves in its place.
    Raises RuntimeUnavailableError without ONNX Runtime, ModelError where it cannot load the network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        name = what.partition(" file ")[0]
        raise RuntimeUnavailableError(
            f"{name} needs onnxruntime ({error}): pip install onnxruntime, or use {otherwise}"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # it would warn of every size that is not the file's
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{what} cannot be loaded by ONNX Runtime: {error}") from None
