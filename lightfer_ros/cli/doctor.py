"""`lightfer doctor`: what this machine can run, and what stands in the way of the rest."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import List, Sequence

from lightfer_ros.cli.checks import Check, State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer doctor`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.epilog = "Exit code: 0 when the node can run here, 1 when something that it needs is missing."


def run(args: argparse.Namespace) -> int:
    """Check everything and say it; 0 when the node could run here, 1 otherwise."""
    checks = examine()
    runs = not any(check.stops_the_node for check in checks)
    if args.json:
        print(json.dumps({"node_can_run": runs, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print(checks, runs)
    return 0 if runs else 1


def examine() -> List[Check]:
    """All checks, in the order of a frame's way."""
    from lightfer_ros.cli import checks

    return [
        *checks.machine(),
        *checks.ros(),
        *checks.cameras(),
        *checks.libraries(),
        *checks.runtimes(),
        *checks.models(),
    ]


def _print(checks: Sequence[Check], runs: bool) -> None:
    for check in checks:
        print(f"{check.state:8}{check.name}: {check.text}")
        if check.cure:
            print(f"{'':8}-> {check.cure}")
    missing = ", ".join(check.name for check in checks if check.stops_the_node)
    warnings = sum(check.state == State.WARN for check in checks)
    print("The node can run here" if runs else f"The node cannot run here: {missing}", end="")
    print(f"; {warnings} warning{'s' if warnings > 1 else ''}." if warnings else ".")
