"""The camera node: what it plays, how it ends, and what it does while its source is not there."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from ros_graph import photo
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures of one colour each, to be told apart, and a file that is none."""
    made = tmp_path / "pictures"
    made.mkdir()
    for number, colour in enumerate(COLOURS):
        cv2.imwrite(str(made / f"{number}.png"), np.full((48, 64, 3), colour, np.uint8))
    (made / "9.jpg").write_text("not a picture")
    return made


def test_a_folder_plays_in_order_at_its_rate_and_the_process_ends_when_asked(graph, launch, folder):
    heard: dict[str, list] = {"image": [], "jpeg": [], "info": []}
    graph.listen(Image, "image", heard["image"].append)
    graph.listen(CompressedImage, "image/compressed", heard["jpeg"].append)
    graph.listen(CameraInfo, "camera_info", heard["info"].append)
    with launch(
        "camera_node",
        source=str(folder),
        rate=2.0,
        exit_at_end=True,
        wait_for_subscriber=True,
        frame_id="eye",
        field_of_view_deg=90.0,
    ) as process:
        assert process.wait(20) == 0
        assert "the source has ended after 4 pictures" in process.log()
        assert "9.jpg" in process.log()
    every_one = len(COLOURS)
    graph.wait(lambda: len(heard["image"]) == len(heard["info"]) == every_one, "every picture is heard")
    assert [tuple(m.data[:3]) for m in heard["image"]] == COLOURS
    stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in heard["image"]]
    # A busy machine may show the first or the last picture late, by three quarters of a second here.
    assert np.diff(stamps).mean() == pytest.approx(0.5, abs=0.25)
    assert [m.header for m in heard["info"]] == [m.header for m in heard["image"]]
    assert heard["image"][0].header.frame_id == "eye"
    assert heard["info"][0].k[0] == pytest.approx(32.0)
    assert bytes(heard["jpeg"][0].data[:2]) == b"\xff\xd8"


def test_it_loops_if_asked(graph, launch, folder):
    heard: list = []
    graph.listen(Image, "image", heard.append)
    with launch("camera_node", source=str(folder), rate=50.0, loop=True, wait_for_subscriber=True):
        graph.wait(lambda: len(heard) > 10, "more pictures than the folder has")
    assert [tuple(m.data[:3]) for m in heard[4:8]] == COLOURS


def test_after_its_last_picture_it_says_so_and_waits(graph, launch, folder):
    with launch("camera_node", source=str(folder), rate=100.0) as process:
        graph.wait(lambda: "the source has ended after 4 pictures" in process.log(), "a last word")
        assert process.poll() is None


def test_a_source_that_is_not_there_is_tried_again_with_growing_pauses_until_it_is(graph, launch, tmp_path):
    heard: list = []
    graph.listen(Image, "image", heard.append)
    path = tmp_path / "late.png"
    with launch("camera_node", source=str(path), loop=True) as process:
        graph.wait(lambda: "trying again in 1 s" in process.log(), "a second try")
        assert "trying again in 0.5 s" in process.log()
        assert str(path) in process.log()
        partial = tmp_path / "partial.png"
        cv2.imwrite(str(partial), np.zeros((48, 64, 3), np.uint8))
        partial.rename(path)
        graph.wait(lambda: heard, "a picture, once there is one")


def test_a_missing_camera_and_a_broken_pipeline_are_named(graph, launch):
    with launch("camera_node", source="/dev/video97") as process:
        graph.wait(lambda: "camera /dev/video97 does not exist" in process.log(), "the reason")
    with launch("camera_node", source="nosuchsrc ! appsink") as process:
        graph.wait(lambda: "GStreamer pipeline 'nosuchsrc ! appsink'" in process.log(), "the reason")


def test_the_emotion_node_outlives_its_camera(graph, launch, tmp_path):
    picture = tmp_path / "face.png"
    cv2.imwrite(str(picture), photo("photo_single_face"))
    with launch("emotion_node", input_timeout_s=0.5):
        with launch("camera_node", source=str(picture), rate=30.0, loop=True):
            graph.wait(lambda: len(graph.emotions) > 5, "answers")
        graph.status("input", lambda s: s.level == s.WARN and "has no publisher" in s.message)
        graph.emotions.clear()
        with launch("camera_node", source=str(picture), rate=30.0, loop=True):
            graph.wait(lambda: len(graph.emotions) > 5, "answers to the next camera")
        assert len(graph.emotions[-1].emotions) == 1
