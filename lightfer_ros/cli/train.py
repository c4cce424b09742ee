"""`lightfer train`: FER2013 to a trained network, in a folder that can be resumed."""

from __future__ import annotations

import argparse

from lightfer_ros.cli.extras import require_modules
from lightfer_ros.training import main as training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer train`."""
    training.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train as the recipe says; 0 when the last epoch is done."""
    require_modules("training", "torch", "keras")
    return training.run(args)
