"""The command-line face of training: options in, a finished run folder out."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from lightfer_ros.errors import LightferError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; imports nothing heavy, so that --help is quick."""
    parser.add_argument("--recipe", type=Path, required=True, help="YAML file that decides the run")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, history and record")
    parser.add_argument(
        "--data",
        help="FER2013 CSV (.csv, .csv.xz, .csv.gz), or a folder with Training/ and PublicTest/ (the recipe's "
        "data.train_split and data.validation_split), each with a folder per class; default: the recipe's "
        "data.path",
    )
    parser.add_argument("--votes", help="FER+ votes (fer2013new.csv); default: the recipe's data.votes")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one field of the recipe otherwise, as network.width=0.5; may be repeated",
    )
    parser.add_argument("--epochs", type=int, help="default: the recipe's schedule.epochs")
    parser.add_argument(
        "--threads", type=int, help="CPU threads; 0: all cores; default: the recipe's threads"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument(
        "--from",
        dest="start_from",
        default="last.pt",
        help="with --resume: the checkpoint in --out to go on from (default: %(default)s; "
        "plateau.pt, with more epochs, extends a finished run)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train as the arguments say; return 0. Raises LightferError with a text fit for the user."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from lightfer_ros.training.finale import play
    from lightfer_ros.training.recipe import read_recipe
    from lightfer_ros.training.run import train

    recipe = read_recipe(arguments.recipe, arguments.set)
    data = replace(
        recipe.data, path=arguments.data or recipe.data.path, votes=arguments.votes or recipe.data.votes
    )
    recipe = replace(recipe, data=data)
    if arguments.threads is not None:
        recipe = replace(recipe, threads=arguments.threads)
    if arguments.epochs is not None:
        recipe = replace(recipe, schedule=replace(recipe.schedule, epochs=arguments.epochs))
    trainer = train(recipe, arguments.out, arguments.resume, arguments.start_from)
    if recipe.finale.seeds:
        play(trainer, arguments.out)
    return 0


def main(argv: list[str] | None = None) -> int:
    """`python -m lightfer_ros.training`: 0 on success, 2 with one line on a known error, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="lightfer train", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except LightferError as error:
        print(f"lightfer train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lightfer train: stopped; --resume goes on after the last epoch in last.pt", file=sys.stderr)
        return 130
