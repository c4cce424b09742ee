"""What the demo makes of a recording's diagnostics."""

from types import SimpleNamespace

import pytest

from lightfer_ros.cli.demo import summarize


@pytest.mark.parametrize(("told", "lost"), [("3", 3), ("0", 0), ("not counted here", None)])
def test_losses_are_a_number_or_unknown(told, lost):
    diagnostics = {"input": {"images lost in transport": told}}
    recording = SimpleNamespace(diagnostics=diagnostics, answers=[], exit_codes={})
    assert summarize(recording)["frames_lost"] == lost
