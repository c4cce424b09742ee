"""Children end when they are asked to, the deaf ones in the end too."""

import subprocess
import sys

import pytest

from lightfer_ros.nodes import children
from lightfer_ros.nodes.children import Children

INTERRUPTED = -2
"""What Python's own answer to SIGINT leaves as exit code; a background job of a shell has none by itself."""
DEAF = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
{}
print('ready', flush=True)
signal.pause()
signal.pause()
signal.pause()
"""


def child(deaf_to):
    ignore = "; ".join(f"signal.signal(signal.{name}, signal.SIG_IGN)" for name in deaf_to) or "pass"
    process = subprocess.Popen([sys.executable, "-c", DEAF.format(ignore)], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


@pytest.mark.parametrize(
    ("deaf_to", "code"), [((), INTERRUPTED), (("SIGINT",), -15), (("SIGINT", "SIGTERM"), -9)]
)
def test_who_does_not_hear_the_first_signal_gets_another(monkeypatch, deaf_to, code):
    monkeypatch.setattr(children, "LONGEST_END_S", 0.5)
    family = Children()
    family._processes = {"first": child(deaf_to), "second": child(())}
    codes = family.end()
    assert codes == {"first": code, "second": INTERRUPTED}
