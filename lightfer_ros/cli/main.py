"""The command `lightfer`: finds a subcommand's module, and turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Dict, Optional, Sequence

from lightfer_ros import __version__
from lightfer_ros.errors import LightferError

COMMANDS: Dict[str, str] = {
    "demo": "play a video through the node on a real ROS graph; pictures, video and bag in demo/",
    "classify": "find the faces in pictures and classify their expressions",
    "fetch": "get the models and the sample video",
    "models": "list the models: origin, licence, accuracy, verified or not",
    "train": "train the network on FER2013; needs the training extra",
    "export": "write a trained network as model files: ONNX, LiteRT, Keras; FP32, FP16, INT8, INT4",
    "quantize": "quantize a float network to any number of bits, and say what that costs",
    "evaluate": "score a model file on a data set: accuracy, in all and per class, calibration, time",
    "robustness": "plot accuracy under padding, shift, rotation, blur, light, JPEG and face size",
    "register": "add a model file to those that ship: its card, its entry in the manifest",
    "benchmark": "measure this machine: rate, latency, processor, memory",
    "engine": "build TensorRT engines by hand, list them, clear them",
    "doctor": "say what this machine can run, and why not",
}
"""Each subcommand and its line in the help. Its module, `lightfer_ros.cli.<name>`, has
`add_arguments(parser)` and `run(args) -> int`, and is imported only when it is called."""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one subcommand; returns 0 for success, 2 for an error of ours or of usage, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="lightfer",
        description="The facial expressions in front of a robot, in real time.",
        epilog="`lightfer COMMAND --help` explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"lightfer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    words = sys.argv[1:] if arguments is None else list(arguments)
    called = next((word for word in words if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        if name == called:
            _module(name).add_arguments(subparser)
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return 0
    return run_command(_module(args.command), args)


def run_command(module: ModuleType, args: argparse.Namespace) -> int:
    """Run a subcommand's `run(args)`; an error of ours is one line on stderr, Ctrl-C leaves no traceback."""
    try:
        code = int(module.run(args))
        sys.stdout.flush()  # here, where a reader that has gone is no error
        return code
    except LightferError as error:
        print(f"lightfer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a folder that may not be written, a file where a folder should be.
        print(f"lightfer: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return 2


def _module(name: str) -> ModuleType:
    return import_module(f"lightfer_ros.cli.{name}")


if __name__ == "__main__":
    sys.exit(main())
