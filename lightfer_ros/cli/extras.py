"""What a command needs that a plain installation lacks, said in one line before anything starts."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Dict

from lightfer_ros.errors import ConfigurationError

EXTRAS: Dict[str, str] = {"torch": "train", "keras": "train", "onnx": "train", "ai_edge_litert": "litert"}
"""Modules that only some commands import, and the extra of setup.py that brings them."""


def require_modules(purpose: str, *modules: str) -> None:
    """Raise ConfigurationError naming the missing modules and the command that installs them."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        extra = EXTRAS[missing[0]]
        checkout = " (in a checkout: `make train` sets up .venv-train)" if extra == "train" else ""
        raise ConfigurationError(
            f"{purpose} needs {', '.join(missing)}, which this Python does not have: "
            f'pip install "lightfer_ros[{extra}]"{checkout}'
        )
