"""What a command needs that a plain installation lacks, said in one line before anything starts."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Dict

from lightfer_ros.errors import ConfigurationError

_TRAIN = 'pip install "lightfer_ros[train]" (in a checkout: `make train` sets up .venv-train)'

INSTALL: Dict[str, str] = {
    "torch": _TRAIN,
    "keras": _TRAIN,
    "onnx": _TRAIN,
    "ai_edge_litert": 'pip install "lightfer_ros[litert]"',
    "dlib": "pip install dlib-bin",
}
"""Modules that only some commands import, and what installs them."""


def require_modules(purpose: str, *modules: str) -> None:
    """Raise ConfigurationError naming the modules that are missing and the command that installs them."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"{purpose} needs {', '.join(missing)}, which this Python does not have: {INSTALL[missing[0]]}"
        )
