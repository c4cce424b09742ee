"""`lightfer quantize`: Eqs. 2–4 of the paper for any number of bits, and what they cost in accuracy."""

from __future__ import annotations

import argparse
from pathlib import Path

from lightfer_ros.cli import compression_source

FILE_KINDS = {8: "int8", 4: "int4"}
"""Only these have a file format: 8 bits as integers with quantized maps, 4 bits as ONNX's storage type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer quantize`."""
    compression_source.add_arguments(parser)
    add = parser.add_argument
    add("--bits", type=int, default=8, help="b of Eqs. 2 to 4, 2 to 16; default %(default)s")
    add(
        "--per",
        choices=("channel", "tensor"),
        default="channel",
        help="one scale for each output channel, or one for each kernel; default %(default)s",
    )
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="also write the model file there, for 8 bits (maps too) and 4 bits (weights only)",
    )


def run(args: argparse.Namespace) -> int:
    """Say what rounding the weights costs, and write the file where there is one; 0 when all went well."""
    from lightfer_ros.compression.quantize import integer_limit

    integer_limit(args.bits)  # refuses other bits before anything is read
    network, about = compression_source.read(args)
    from lightfer_ros.compression.check import compare_answers
    from lightfer_ros.compression.export import Exporter, QuantizeOptions
    from lightfer_ros.compression.onnx_float import to_onnx
    from lightfer_ros.compression.running import probabilities
    from lightfer_ros.compression.weight_error import rounded, table
    from lightfer_ros.evaluation.metrics import score

    training, check, check_name = compression_source.faces(args, network.input_size)
    network = compression_source.with_calibration(args, network, about, training, check)
    options = QuantizeOptions(
        method=args.method, equalise=not args.no_equalise, per_channel=args.per == "channel"
    )
    exporter = Exporter(network, about, training.images, check, check_name, options)
    coarse, errors = rounded(network, args.bits, options.per_channel)
    print(table(errors))
    answers = probabilities(to_onnx(coarse, "rounded"), exporter.faces)
    found = compare_answers(exporter.source, answers)
    before, after = (score(p, check.labels).accuracy for p in (exporter.source, answers))
    print(
        f"weights in {args.bits} bits per {args.per}, maps in float: accuracy {before:.4f} → {after:.4f} on "
        f"{check_name}, {found.agreement:.2%} of labels as FP32, largest difference {found.largest:.2g}"
    )
    if args.bits not in FILE_KINDS:
        print(f"no file format holds weights of {args.bits} bits: nothing is written")
    elif args.out is not None:
        for made in exporter.write(args.out, [FILE_KINDS[args.bits]]):
            print(f"{made.path}: {made.path.stat().st_size / 1e6:.2f} MB, {made.summary()}")
    return 0
