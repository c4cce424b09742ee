"""A user's workspace: the repository cloned into src/, built by colcon, sourced, run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXECUTABLES = ("camera_node", "emotion_node", "fetch", "lightfer", "recorder")


def environment():
    """That of the sourced ROS 2 distribution; where none is, the virtual environment's wheels are one."""
    variables = dict(os.environ)
    if "ROS_DISTRO" not in variables:
        variables["PATH"] = f"{sys.prefix}/bin:{variables['PATH']}"
        variables["AMENT_PREFIX_PATH"] = variables["CMAKE_PREFIX_PATH"] = sys.prefix
    return variables


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace, built. Returns its folder."""
    colcon = shutil.which("colcon", path=environment()["PATH"])
    if colcon is None:
        pytest.skip("colcon is not installed")
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler to build the messages with")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("the sources are not a git checkout, so a clone of them cannot be made")
    folder = tmp_path_factory.mktemp("workspace")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / "src/lightfer" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "src/lightfer" / name)
    # colcon does not look inside a package for another: the messages are a base path of their own.
    # Run by this very Python, because colcon writes the one that runs it into the executables.
    command = [sys.executable, colcon, "build", "--base-paths", "src", "src/lightfer/lightfer_msgs"]
    built = subprocess.run(
        [*command, "--cmake-args", "-DBUILD_TESTING=OFF"],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout
    assert "2 packages finished" in built.stdout
    return folder


def in_workspace(workspace, command):
    """Run a shell command with the workspace sourced."""
    return subprocess.run(
        ["bash", "-c", f". {workspace}/install/local_setup.sh && {command}"],
        cwd=workspace, env=environment(), capture_output=True, text=True,
    )  # fmt: skip


def test_the_executables_lie_where_ros2_run_looks(workspace):
    folder = workspace / "install/lightfer_ros/lib/lightfer_ros"
    assert sorted(path.name for path in folder.iterdir()) == sorted(EXECUTABLES)
    assert all(os.access(path, os.X_OK) for path in folder.iterdir())
    index = workspace / "install/lightfer_ros/share/ament_index/resource_index/packages/lightfer_ros"
    assert index.is_file()


def test_what_the_nodes_read_is_installed_with_them(workspace):
    share = workspace / "install/lightfer_ros/share/lightfer_ros"
    for kind in ("launch/*.launch.py", "config/*.yaml", "config/*.xml", "models/manifest.json"):
        there = {path.name for path in ROOT.glob(kind)}
        assert there and {path.name for path in share.glob(kind)} == there
    assert (share / "package.xml").is_file()


def test_messages_and_code_are_those_of_the_workspace(workspace):
    told = in_workspace(
        workspace,
        f"{sys.executable} -c 'import lightfer_ros as r, lightfer_msgs as m; print(r.__file__, m.__file__)'",
    )
    assert told.returncode == 0, told.stderr
    assert all(path.startswith(str(workspace / "install")) for path in told.stdout.split())


def test_the_installed_command_finds_ros_and_its_messages(workspace):
    told = in_workspace(
        workspace, f"{workspace}/install/lightfer_ros/lib/lightfer_ros/lightfer doctor --json"
    )
    states = {check["name"]: check["state"] for check in json.loads(told.stdout)["checks"]}
    assert states["ROS 2"] == states["lightfer_msgs"] == "OK"
