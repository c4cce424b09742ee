"""What is said in several files is the same in all: version, executables, pins."""

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import lightfer_ros

ROOT = Path(__file__).parents[1]


def setup_py(question):
    told = subprocess.run(
        [sys.executable, "setup.py", "-q", question], cwd=ROOT, capture_output=True, text=True
    )
    return told.stdout.split()[-1]


def test_all_files_tell_the_same_version():
    versions = {
        "package.xml": ElementTree.parse(ROOT / "package.xml").findtext("version"),
        "lightfer_msgs/package.xml": ElementTree.parse(ROOT / "lightfer_msgs/package.xml").findtext(
            "version"
        ),
        "setup.py": setup_py("--version"),
    }
    assert set(versions.values()) == {lightfer_ros.__version__}, versions


def test_every_executable_leads_to_a_function():
    targets = re.findall(r'"\w+=(lightfer_ros[\w.]+):(\w+)"', (ROOT / "setup.py").read_text())
    assert len(targets) == 5
    for module, function in targets:
        tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, module


def test_every_requirement_is_pinned_with_hashes():
    for wanted in (ROOT / "requirements").glob("*.in"):
        locked = wanted.with_suffix(".txt").read_text()
        pins = {match.lower() for match in re.findall(r"(?m)^([\w.-]+)==\S+.*\\$\n +--hash=sha256:", locked)}
        for line in wanted.read_text().splitlines():
            name = re.match(r"[\w.-]+", line)
            if name is not None:
                assert name.group().lower() in pins, f"{name.group()} of {wanted.name}: run `make pin`"
