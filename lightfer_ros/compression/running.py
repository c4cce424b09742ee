"""Run ONNX models in memory on the CPU: all outputs, or every tensor inside, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper

from lightfer_ros.compression.graph import Network
from lightfer_ros.compression.onnx_float import INPUT, OUTPUT, to_onnx
from lightfer_ros.model import Normalization


def to_input(images: np.ndarray, normalization: Normalization) -> np.ndarray:
    """uint8 faces [n, s, s] as the network's input float32 [n, 1, s, s]."""
    scaled = images.astype(np.float32) * np.float32(normalization.scale) + np.float32(normalization.offset)
    return np.asarray(scaled[:, None])


def probabilities(model: onnx.ModelProto, batch: np.ndarray, threads: int = 1, part: int = 64) -> np.ndarray:
    """What a model says of a batch float32 [n, 1, s, s]: float32 [n, 7]."""
    session = _session(model, threads)
    parts = [batch[i : i + part] for i in range(0, len(batch), part)]
    return np.concatenate([session.run([OUTPUT], {INPUT: p})[0] for p in parts])


def in_a_mirror(batch: np.ndarray) -> np.ndarray:
    """Faces float32 [n, c, s, s] seen in a mirror: what a session with `mirrored` metadata looks at too."""
    return np.ascontiguousarray(batch[..., ::-1])


def litert_probabilities(content: bytes, batch: np.ndarray, part: int = 64) -> np.ndarray:
    """What a .tflite file, given by its content, says of a batch float32 [n, c, s, s]: float32 [n, 7]."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    source, answer = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    out = []
    for start in range(0, len(batch), part):
        piece = np.ascontiguousarray(batch[start : start + part].transpose(0, 2, 3, 1))
        interpreter.resize_tensor_input(source, piece.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, piece)
        interpreter.invoke()
        out.append(interpreter.get_tensor(answer))
    return np.concatenate(out)


def every_tensor(
    network: Network, batch: np.ndarray, threads: int = 1, part: int = 64
) -> Iterator[dict[str, np.ndarray]]:
    """The network's tensors by name, in float, for one part of the batch after the other."""
    model = to_onnx(network, "probe")
    shapes = network.shapes()
    names = [op.name for op in network.operations if len(shapes[op.name]) == 3]
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = _session(model, threads)
    for start in range(0, len(batch), part):
        piece = batch[start : start + part]
        values = session.run(names, {INPUT: piece})
        yield {network.input_name: piece, **dict(zip(names, values, strict=True))}


def _session(model: onnx.ModelProto, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
