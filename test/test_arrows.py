"""The arrows of the house: each room imports only rooms below it, lazily or not; ROS stays in one room."""

import ast
import re
from pathlib import Path
from typing import Iterable, Iterator, Set, Tuple

import pytest

PACKAGE = Path(__file__).parents[1] / "lightfer_ros"

EVERY_ROOM = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
BELOW = {
    "model": set(),
    "runtimes": {"model"},
    "perception": {"model", "runtimes"},
    "nodes": {"model", "runtimes", "perception"},
    "evaluation": {"model", "runtimes"},
    "training": {"model", "evaluation"},
    "compression": {"model", "evaluation"},
    "benchmark": EVERY_ROOM,
    "cli": EVERY_ROOM,
}
"""What each room may import, besides itself and `errors`. Nothing imports benchmark or cli but these two."""

ROS = re.compile(
    r"(rclpy|rcl_interfaces|builtin_interfaces|cv_bridge|ament_index_python|launch|launch_ros|tf2_ros|rosidl_\w+"
    r"|\w+_msgs|\w+_srvs)(\.|$)"
)
MODULE_NAME = re.compile(r"lightfer_ros(\.\w+)+(:\w+)?")


def imports(source: str) -> Iterator[str]:
    """Every module that a source names: import statements anywhere, and strings that are names of ours."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and MODULE_NAME.fullmatch(str(node.value)):
            yield str(node.value).partition(":")[0]


def modules() -> Iterator[Tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if len(parts) > 1:
            yield parts[0], path


def rooms_of(names: Iterable[str]) -> Set[str]:
    parts = [name.split(".") for name in names if name.startswith("lightfer_ros.")]
    return {part[1] for part in parts if part[1] in EVERY_ROOM}


def test_every_room_has_its_place_in_the_house():
    assert set(BELOW) >= EVERY_ROOM


def test_a_module_imports_only_rooms_below_its_own():
    wrong = {
        str(path.relative_to(PACKAGE)): reached
        for room, path in modules()
        for reached in [rooms_of(imports(path.read_text(encoding="utf-8"))) - BELOW[room] - {room}]
        if reached
    }
    assert not wrong


def test_only_the_nodes_room_imports_ros():
    wrong = {
        str(path.relative_to(PACKAGE)): name
        for room, path in modules()
        for name in imports(path.read_text(encoding="utf-8"))
        if room != "nodes" and ROS.match(name)
    }
    assert not wrong


@pytest.mark.parametrize(
    "source, found",
    [
        ("from lightfer_ros.nodes import worker", {"nodes"}),
        ("def later():\n    from lightfer_ros.cli.main import main", {"cli"}),  # lazily
        ("import lightfer_ros.training.run as run", {"training"}),
        ("from lightfer_ros import perception", {"perception"}),
        ("load('lightfer_ros.runtimes.tensorrt:TensorRtSession')", {"runtimes"}),  # by name, at run time
        ("# lightfer_ros.nodes\nfrom lightfer_ros.errors import ModelError", set()),
    ],
)
def test_no_way_of_importing_escapes_this_check(source, found):
    assert rooms_of(imports(source)) == found
