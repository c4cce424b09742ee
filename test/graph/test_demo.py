"""The demo, on a short video: it ends by itself and leaves what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from ros_graph import DOMAIN, photo

pytest.importorskip("rosbags", reason="the demo records with the rosbags package: .[record]")
pytest.importorskip("matplotlib", reason="the demo draws with matplotlib: .[demo]")


def test_it_ends_by_itself_and_leaves_video_pictures_bag_and_summary(tmp_path):
    video = tmp_path / "video.mp4"
    face, nobody = photo("photo_single_face"), np.full((480, 640, 3), 90, np.uint8)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 15.0, (640, 480))
    for frame in [face] * 30 + [nobody] * 15:
        writer.write(frame)
    writer.release()
    output = tmp_path / "demo"
    command = [sys.executable, "-m", "lightfer_ros.cli.main", "demo"]
    command += ["--source", str(video), "--output", str(output)]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "#1 " in done.stdout and "nobody" in done.stdout
    summary = json.loads((output / "summary.json").read_text())
    # The first frames may be overwritten unread while the node settles; nothing numbers those before.
    assert 40 <= summary["frames_in"] <= 45
    gone = summary["frames_dropped"] + summary["frames_lost"]
    assert summary["arrays_out"] + gone == summary["frames_in"]
    assert [track["track_id"] for track in summary["tracks"]] == [1]
    assert summary["faces_most"] == 1
    assert {"decode", "detect", "landmarks", "align", "classify", "publish"} <= set(summary["stages_ms"])
    assert summary["model"] and "onnxruntime" in summary["runtime"]
    overlay = cv2.VideoCapture(str(output / "emotions.mp4"))
    assert overlay.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(90, abs=6), "three seconds at 30 Hz"
    assert (overlay.get(cv2.CAP_PROP_FRAME_WIDTH), overlay.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (640, 480)
    for name in ("emotions.png", "timeline.png"):
        picture = cv2.imread(str(output / name))
        assert picture is not None and picture.std() > 10
    assert list((output / "bag").glob("*.mcap"))


def test_a_source_or_folder_that_cannot_be_is_told_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for arguments, reason in (
        (["--source", "/no/such.mp4"], "is no camera, file or folder"),
        (["--output", str(tmp_path / "file")], str(tmp_path / "file")),
    ):
        command = [sys.executable, "-m", "lightfer_ros.cli.main", "demo", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 2
        assert reason in done.stderr and "Traceback" not in done.stderr
