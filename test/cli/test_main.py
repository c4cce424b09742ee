"""The command `lightfer`: quick help, one line for an error of ours, and the exit codes of its trade."""

import argparse
import subprocess
import sys
import types

import pytest

from lightfer_ros.cli import main as command
from lightfer_ros.errors import ConfigurationError


def lightfer(*arguments, interpreter=()):
    """The command in a process of its own."""
    words = [sys.executable, *interpreter, "-m", "lightfer_ros.cli.main", *arguments]
    return subprocess.run(words, capture_output=True, text=True)


def test_the_help_names_every_command_and_imports_nothing_heavy():
    result = lightfer("--help", interpreter=["-X", "importtime"])
    assert result.returncode == 0
    assert all(name in result.stdout for name in command.COMMANDS)
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert imported.isdisjoint({"numpy", "cv2", "dlib", "onnxruntime", "rclpy"})


@pytest.mark.parametrize("name", command.COMMANDS)
def test_every_command_explains_its_options(name, capsys):
    with pytest.raises(SystemExit) as end:
        command.main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: lightfer {name}" in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_those_there_are():
    result = lightfer("dance")
    assert result.returncode == 2
    assert "dance" in result.stderr and "doctor" in result.stderr


def run_command(action):
    return command.run_command(types.SimpleNamespace(run=action), argparse.Namespace())


def test_an_error_of_ours_is_one_line_and_exit_code_2(capsys):
    def refuse(args):
        raise ConfigurationError("threads is 0, expected 1 to 64")

    assert run_command(refuse) == 2
    assert capsys.readouterr().err == "lightfer: threads is 0, expected 1 to 64\n"


def test_ctrl_c_ends_with_130_and_without_a_traceback(capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    assert run_command(interrupted) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_any_other_error_keeps_its_traceback():
    def broken(args):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command(broken)


def test_a_reader_that_goes_away_early_is_no_error():
    pipe = f"{sys.executable} -m lightfer_ros.cli.main models --json | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", pipe], stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (0, "")
