"""Files appear whole or not at all, and nothing stays beside them."""

import os
import time

import pytest

from lightfer_ros.errors import LightferError
from lightfer_ros.files import ABANDONED_S, write_by, write_whole


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, b"before")

    def half(partial):
        partial.write_bytes(b"ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(LightferError, match=r"cannot write .*a\.txt: No space left on device; nothing was"):
        write_by(path, half)
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_goes_with_a_later_writing_and_one_at_work_is_left_alone(tmp_path):
    killed, at_work, other = (tmp_path / f".{name}.partial.pt" for name in ("a[1].7", "a[1].8", "b.7"))
    for partial in (killed, at_work, other):
        partial.write_bytes(b"ha")
    long_ago = time.time() - ABANDONED_S - 1
    for partial in (killed, other):
        os.utime(partial, (long_ago, long_ago))
    write_whole(tmp_path / "a[1].pt", b"whole")
    assert not killed.exists() and at_work.exists() and other.exists()
