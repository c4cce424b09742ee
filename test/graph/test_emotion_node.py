"""The emotion node in a process of its own, over DDS: what it says about real pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rclpy.qos import ReliabilityPolicy
from ros_graph import Camera, Graph, value
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from visualization_msgs.msg import Marker, MarkerArray

from lightfer_msgs.msg import Emotion
from lightfer_ros.model import EMOTIONS, manifest
from lightfer_ros.model.metadata import read_metadata

EVERYBODY = 5
"""The people in the photo, one of them behind sunglasses."""


def test_every_face_of_a_photo_is_answered_under_the_photos_own_header(graph, emotion_node, several_faces):
    with emotion_node():
        camera = Camera(graph)
        camera.wait_for_listener()
        stamp = camera.send(several_faces)
        answer = graph.answer_to(stamp)
    assert answer.header.frame_id == "camera_optical"
    assert (answer.image_width, answer.image_height) == (1000, 667)
    assert answer.model == read_metadata(manifest.find("default")).name
    assert "onnxruntime" in answer.runtime
    assert len(answer.emotions) == EVERYBODY
    assert [e.track_id for e in answer.emotions] == [1, 2, 3, 4, 5]
    for emotion in answer.emotions:
        assert emotion.state == Emotion.STATE_DETECTED
        points = np.array(emotion.landmarks).reshape(68, 2)
        box = emotion.box
        inside = (points > (box.x - box.width / 4, box.y - box.height / 4)) & (
            points < (box.x + 1.25 * box.width, box.y + 1.35 * box.height)
        )
        assert inside.all()
        assert math.isclose(sum(emotion.probabilities), 1.0, abs_tol=1e-3)
        assert emotion.label_name == EMOTIONS[emotion.label]
        assert emotion.confidence == max(emotion.probabilities)
        assert -1.0 <= emotion.valence <= 1.0 and -1.0 <= emotion.arousal <= 1.0
        assert emotion.classification_age == 0.0
        assert abs(emotion.head_pose.yaw) < 45 and emotion.head_pose.confidence > 0.7
        assert 0.0 <= emotion.reliability <= 1.0
    assert sum(e.label_name == "happy" for e in answer.emotions) >= 3


def test_nobody_in_the_picture_gives_an_empty_array(graph, emotion_node):
    with emotion_node():
        camera = Camera(graph)
        camera.wait_for_listener()
        answer = graph.answer_to(camera.send(np.full((480, 640, 3), 128, np.uint8)))
    assert list(answer.emotions) == []
    assert (answer.image_width, answer.image_height) == (640, 480)


def test_compressed_images_give_what_raw_ones_give(graph, emotion_node, one_face):
    import cv2

    _, png = cv2.imencode(".png", one_face)
    with emotion_node(image_transport="compressed"):
        camera = Camera(graph, kind=CompressedImage, topic="image/compressed")
        camera.wait_for_listener()
        message = CompressedImage(format="png")
        message.data.frombytes(png)
        compressed = graph.answer_to(camera.send_message(message))
    with emotion_node():
        camera = Camera(graph)
        camera.wait_for_listener()
        raw = graph.answer_to(camera.send(one_face))
    assert len(raw.emotions) == len(compressed.emotions) == 1
    assert raw.emotions[0].box == compressed.emotions[0].box
    np.testing.assert_array_equal(raw.emotions[0].probabilities, compressed.emotions[0].probabilities)


def test_a_large_jpeg_is_looked_at_smaller_and_told_of_in_its_own_pixels(graph, emotion_node, one_face):
    import cv2

    large = cv2.resize(one_face, (2560, 1920), interpolation=cv2.INTER_CUBIC)
    message = CompressedImage(format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", large)[1])
    answers = {}
    for reduction in ("auto", "1"):
        with emotion_node(image_transport="compressed", jpeg_reduction=reduction):
            camera = Camera(graph, kind=CompressedImage, topic="image/compressed")
            camera.wait_for_listener()
            answers[reduction] = graph.answer_to(camera.send_message(message))
    reduced, whole = answers["auto"], answers["1"]
    assert (
        (reduced.image_width, reduced.image_height) == (whole.image_width, whole.image_height) == (2560, 1920)
    )
    (one,), (other,) = reduced.emotions, whole.emotions
    assert one.box != other.box, "it was not looked at smaller"
    assert abs(one.box.x - other.box.x) < 0.1 * other.box.width
    assert one.box.width == pytest.approx(other.box.width, rel=0.1)
    landmarks = np.abs(np.asarray(one.landmarks) - np.asarray(other.landmarks))
    assert np.median(landmarks) < 0.03 * other.box.width
    assert one.label == other.label and one.distance == pytest.approx(other.distance, rel=0.1)


def test_overlay_and_markers_are_there_for_those_who_listen(graph, emotion_node, one_face):
    heard: dict[str, list] = {"image": [], "jpeg": [], "markers": []}
    graph.listen(Image, "emotions/image", heard["image"].append)
    graph.listen(CompressedImage, "emotions/image/compressed", heard["jpeg"].append)
    graph.listen(MarkerArray, "emotions/markers", heard["markers"].append)
    info = graph.node.create_publisher(CameraInfo, "camera_info", 1)
    with emotion_node(assumed_face_width_m=0.2):
        camera = Camera(graph)
        camera.wait_for_listener()
        lens = CameraInfo(width=640, height=480, k=[500.0, 0, 320.0, 0, 500.0, 240.0, 0, 0, 1.0])

        def answered_with_everything():
            stamp = camera.send(one_face)
            # With every image, as drivers do: the node hears camera_info best effort, and one that it has not
            # read yet can give way in Fast DDS's shared memory to a raw image, which is larger than that.
            info.publish(lens)
            graph.answer_to(stamp)
            (emotion,) = graph.emotions[-1].emotions
            knows_the_camera = math.isclose(emotion.distance, 500.0 * 0.2 / emotion.box.width, rel_tol=1e-4)
            return knows_the_camera and all(heard.values())

        graph.wait(answered_with_everything, "overlay, its JPEG and markers, with the camera's focal length")
        last = graph.answer_to(camera.send(one_face)).header.stamp
        graph.wait(lambda: heard["markers"][-1].markers[0].header.stamp == last, "the markers of the last")
        graph.wait(lambda: heard["image"][-1].header.stamp == last, "the overlay of the last")
        overlay = heard["image"][-1]
        face = graph.emotions[-1].emotions[0]
    assert (overlay.width, overlay.height, overlay.encoding) == (640, 480, "bgr8")
    drawn = np.frombuffer(overlay.data, np.uint8).reshape(480, 640, 3)
    changed = (drawn != one_face).any(axis=2)
    x, y, w, h = (round(v) for v in (face.box.x, face.box.y, face.box.width, face.box.height))
    assert changed[y : y + h, x : x + w].mean() > 0.02
    assert changed.mean() < 0.5
    assert bytes(heard["jpeg"][-1].data[:2]) == b"\xff\xd8"
    spheres = [m for m in heard["markers"][-1].markers if m.type == Marker.SPHERE]
    assert [m.id for m in spheres] == [face.track_id]
    assert face.distance_source == Emotion.DISTANCE_FACE_WIDTH
    assert math.isclose(face.distance, 500.0 * 0.2 / face.box.width, rel_tol=1e-4)
    assert math.isclose(spheres[0].pose.position.z, face.distance, rel_tol=1e-4)


def test_it_follows_the_reliability_of_the_camera_that_is_there(graph, emotion_node, one_face):
    with emotion_node() as process:
        unreliable = Camera(graph, ReliabilityPolicy.BEST_EFFORT)
        unreliable.wait_for_listener()
        graph.status("input", lambda s: value(s, "reliability") == "best_effort")
        graph.node.destroy_publisher(unreliable.publisher)
        reliable = Camera(graph)
        graph.status("input", lambda s: value(s, "reliability") == "reliable")
        reliable.wait_for_listener()
        graph.answer_to(reliable.send(one_face))
        assert "input reliability is now RELIABLE" in process.log()


def test_two_nodes_work_side_by_side_in_namespaces(graph, emotion_node, one_face):
    other = Graph(graph.namespace + "_other")
    try:
        with emotion_node(), emotion_node(namespace=other.namespace):
            first, second = Camera(graph), Camera(other)
            first.wait_for_listener()
            second.wait_for_listener()
            graph.answer_to(first.send(one_face))
            answer = other.answer_to(second.send(np.zeros_like(one_face)))
            assert list(answer.emotions) == []
            assert len(graph.emotions) == len(other.emotions) == 1
    finally:
        other.close()


def test_the_newest_image_wins_and_those_it_replaces_are_counted(graph, emotion_node, several_faces):
    with emotion_node(detector="dlib_hog", detection_interval_s=0.0, detection_upsampling=2):
        camera = Camera(graph)
        camera.wait_for_listener()
        stamps = [camera.send(several_faces)]
        graph.answer_to(stamps[0])
        stamps += [camera.send(several_faces) for _ in range(12)]
        graph.answer_to(stamps[-1], timeout_s=60)
        answered = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in graph.emotions}

        def all_are_counted(status) -> bool:
            # What the publisher itself had to drop counts as lost, what we dropped as dropped.
            gone = ("images dropped for a newer one", "images lost in transport")
            return sum(int(value(status, key)) for key in gone) == len(stamps) - len(answered)

        graph.status("input", all_are_counted)
    assert stamps[-1] in answered
    assert 1 < len(answered) < len(stamps)


def test_a_track_keeps_its_id_over_images_and_reset_forgets_everybody(graph, emotion_node, one_face):
    from std_srvs.srv import Trigger

    with emotion_node():
        camera = Camera(graph)
        camera.wait_for_listener()
        ids = [graph.answer_to(camera.send(one_face)).emotions[0].track_id for _ in range(5)]
        assert ids == [1] * 5
        assert graph.emotions[-1].emotions[0].time_in_view > 0.5
        answer = graph.call(Trigger, f"{graph.namespace}/emotion_node/reset", Trigger.Request())
        assert answer.success
        again = graph.answer_to(camera.send(one_face)).emotions[0]
    assert again.track_id == 2
    assert again.time_in_view == 0.0
