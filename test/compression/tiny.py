"""A tiny network with every operation that exporters know, and a slow plain executor of it."""

from dataclasses import replace

import numpy as np

from lightfer_ros.compression.graph import (
    Add,
    Conv,
    Dense,
    GlobalAverage,
    MaxPool,
    Network,
    Relu,
)


def tiny_network(seed: int = 0, size: int = 16) -> Network:
    rng = np.random.default_rng(seed)

    def kernel(*shape):
        fan_in = np.prod(shape[1:])
        return rng.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)

    def bias(n):
        return rng.normal(0, 0.2, n).astype(np.float32)

    same, behind = (1, 1, 1, 1), (0, 0, 1, 1)
    # Channels of very different loudness, as trained networks have them
    loud = np.geomspace(0.05, 3, 8).astype(np.float32)[:, None, None, None]
    operations = (
        Conv("stem", ("x",), kernel(8, 1, 3, 3), bias(8), 2, behind),
        Relu("stem_relu", ("stem",)),
        Conv("dw1", ("stem_relu",), kernel(8, 1, 3, 3), bias(8), 1, same, 8),
        Conv("pw1", ("dw1",), kernel(8, 8, 1, 1) * loud, bias(8) * loud.reshape(-1)),
        Relu("pw1_relu", ("pw1",)),
        Conv("dw2", ("pw1_relu",), kernel(8, 1, 3, 3) / loud, bias(8), 1, same, 8),
        Conv("pw2", ("dw2",), kernel(12, 8, 1, 1), bias(12)),
        MaxPool("pool1", ("pw2",), 3, 2, behind),
        Conv("shortcut", ("stem_relu",), kernel(12, 8, 1, 1), bias(12), 2),
        Add("add", ("pool1", "shortcut")),
        Relu("last", ("add",)),
        GlobalAverage("mean", ("last",)),
        Dense("logits", ("mean",), rng.normal(0, 1, (12, 7)).astype(np.float32), bias(7)),
    )
    return _spread(Network(operations, "x", size, 1), rng)


def _spread(network: Network, rng: np.random.Generator) -> Network:
    """Centre and scale the logits, so that faces get different labels and confidences."""
    last = network.logits
    logits = np.log(run_slowly(network, rng.uniform(-1, 1, (50, 1, *[network.input_size] * 2))))
    logits -= logits.mean(1, keepdims=True)
    gain = (1.5 / (logits - logits.mean(0)).std()).astype(np.float32)
    centred = replace(
        last, kernel=last.kernel * gain, bias=(last.bias - logits.mean(0).astype(np.float32)) * gain
    )
    return network.with_operations({last.name: centred})


def run_slowly(network: Network, batch: np.ndarray) -> np.ndarray:
    """Probabilities float64 [n, 7] of a batch [n, 1, s, s], loop by loop."""
    at = {network.input_name: batch.astype(np.float64)}
    for op in network.operations:
        x = at[op.inputs[0]]
        if isinstance(op, Conv):
            at[op.name] = _convolve(x, op)
        elif isinstance(op, Relu):
            at[op.name] = np.maximum(x, 0)
        elif isinstance(op, MaxPool):
            windows = _windows(x, op.size, op.stride, op.pads, -np.inf)
            at[op.name] = windows.max((-1, -2))
        elif isinstance(op, Add):
            at[op.name] = x + at[op.inputs[1]]
        elif isinstance(op, GlobalAverage):
            at[op.name] = x.mean((2, 3))
        else:
            at[op.name] = x @ op.kernel + op.bias
    logits = at[network.logits.name]
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def faces(n: int, seed: int = 1, size: int = 16) -> np.ndarray:
    """uint8 [n, size, size]: smooth random pictures."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (n, size // 4, size // 4))
    return np.kron(coarse, np.ones((4, 4))).astype(np.uint8)


def _convolve(x, op):
    windows = _windows(x, op.kernel.shape[2], op.stride, op.pads, 0.0)
    n, c, h, w = windows.shape[:4]
    parts = windows.reshape(n, op.groups, c // op.groups, h, w, *op.kernel.shape[2:])
    kernel = op.kernel.reshape(op.groups, -1, *op.kernel.shape[1:])
    out = np.einsum("ngchwij,gocij->ngohw", parts, kernel).reshape(n, -1, h, w)
    return out + op.bias[:, None, None]


def _windows(x, size, stride, pads, fill):
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return view[:, :, ::stride, ::stride]
