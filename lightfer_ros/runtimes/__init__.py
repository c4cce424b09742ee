"""Running a model file: `load(path)` gives a session, `session.run(crops)` gives probabilities."""

from lightfer_ros.runtimes.fastest import load_fastest
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.registry import Runtime, load, register, runtimes
from lightfer_ros.runtimes.session import Session

__all__ = ["Runtime", "RuntimeOptions", "Session", "load", "load_fastest", "register", "runtimes"]
