"""Images per second of the ways to train: `python -m lightfer_ros.training.speed`, on your machine."""

from __future__ import annotations

import argparse
import os
import sys
import time

PLAIN, NATIVE = "Keras layers", "native layers"


def main(argv: list[str] | None = None) -> int:
    """Print a line for every combination of layers and precision; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=0.33, help="of the network (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="faces in a step (default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, default=10, help="to time; the median counts (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    for layers in (PLAIN, NATIVE):
        for precision in ("fp32", "bf16"):
            rate = images_per_second(layers, precision, arguments)
            print(f"{layers}, {precision}: {rate:.0f} images/s", flush=True)
    return 0


def images_per_second(layers: str, precision: str, arguments: argparse.Namespace) -> float:
    """Forward, backward and optimizer step on random faces, one process."""
    import torch

    from lightfer_ros.training.architecture import build_network
    from lightfer_ros.training.native import NATIVE as native_kit
    from lightfer_ros.training.network import LayerKit, NetworkOptions

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    kit = native_kit if layers == NATIVE else LayerKit()
    network = build_network(NetworkOptions(width=arguments.width), kit)
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], fused=True)
    size = network.input.shape[1]
    faces = torch.rand(arguments.batch, size, size, 1) * 2 - 1
    labels = torch.randint(0, 7, (arguments.batch,))
    device = next(iter(network.parameters())).device
    faces, labels = faces.to(device), labels.to(device)

    def step() -> float:
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = network(faces, training=True)
        optimizer.zero_grad(set_to_none=True)
        loss: torch.Tensor = torch.nn.functional.cross_entropy(logits.float(), labels)
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimizer.step()
        float(loss.detach())  # waits for a GPU
        return time.perf_counter() - start

    for _ in range(2):
        step()
    taken = sorted(step() for _ in range(arguments.steps))
    return float(arguments.batch) / taken[len(taken) // 2]


if __name__ == "__main__":
    sys.exit(main())
