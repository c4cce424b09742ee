"""Whatever a camera sends: the node says why it refuses a picture, and answers the next good one."""

from __future__ import annotations

import cv2
import numpy as np
from rclpy.qos import ReliabilityPolicy
from ros_graph import Camera, image_message, value
from sensor_msgs.msg import CompressedImage, Image


def test_every_encoding_of_one_picture_gives_the_same_faces(graph, emotion_node, one_face):
    # dlib_hog looks at grey alone, the same in every encoding; YuNet's boxes vary a little with colour.
    with emotion_node(
        detector="dlib_hog",
        detection_interval_s=0.0,
        classification_interval_s=0.0,
        smoothing_time_constant_s=0.0,
    ):
        camera = Camera(graph)
        camera.wait_for_listener()
        expected = graph.answer_to(camera.send(one_face)).emotions
        assert len(expected) == 1
        for name, message in _encodings(one_face).items():
            found = graph.answer_to(camera.send_message(message)).emotions
            assert len(found) == 1, name
            tolerance = 8.0 if "bayer" in name else 4.0
            assert abs(found[0].box.x - expected[0].box.x) <= tolerance, name
            assert abs(found[0].box.width - expected[0].box.width) <= tolerance, name
            assert found[0].label_name == expected[0].label_name, name
            loosest = 0.15 if "bayer" in name or "yuv" in name or "nv" in name else 0.03
            np.testing.assert_allclose(
                found[0].probabilities, expected[0].probabilities, atol=loosest, err_msg=name
            )


def test_pictures_that_cannot_be_used_are_refused_with_a_reason_and_the_next_is_answered(
    graph, emotion_node, one_face
):
    bad = {
        "encoding is 'klingon8'": image_message(one_face, encoding="klingon8"),
        "100 bytes": image_message(one_face, data=b"x" * 100),
        "0x480": image_message(one_face, width=0),
        "step": image_message(one_face, step=7),
        "megapixels": image_message(one_face, width=10000, height=6000, step=30000, data=b""),
    }
    with emotion_node() as process:
        camera = Camera(graph)
        camera.wait_for_listener()
        for number, (reason, message) in enumerate(bad.items(), start=1):
            camera.send_message(message)
            status = graph.status("input", lambda s, n=number: value(s, "images refused") == str(n))
            assert status.level == status.WARN
            assert reason in value(status, "last refusal")
        camera.send_message(bad["step"])
        graph.status("input", lambda s: value(s, "images refused") == str(len(bad) + 1))
        assert len(graph.answer_to(camera.send(one_face)).emotions) == 1
        assert len(graph.emotions) == 1
        assert process.log().count("image refused") == len(bad), "each reason is told once, then counted"


def test_a_corrupt_jpeg_is_refused_and_the_next_is_answered(graph, emotion_node, one_face):
    _, jpeg = cv2.imencode(".jpg", one_face)
    data = jpeg.tobytes()
    with emotion_node(image_transport="compressed"):
        camera = Camera(graph, kind=CompressedImage, topic="image/compressed")
        camera.wait_for_listener()

        def send(content: bytes) -> tuple[int, int]:
            message = CompressedImage(format="jpeg")
            message.data.frombytes(content)
            return camera.send_message(message)

        for count, content in enumerate((b"", b"\xff\xd8\xff nothing", data[: len(data) // 2]), start=1):
            send(content)
            graph.status("input", lambda s, n=count: value(s, "images refused") == str(n))
        assert len(graph.answer_to(send(data)).emotions) == 1


def test_silence_is_explained_by_topic_publishers_and_qos(graph, emotion_node):
    with emotion_node(input_timeout_s=0.5, input_reliability="reliable"):
        topic = f"{graph.namespace}/image"
        status = graph.status("input", lambda s: "has no publisher" in s.message)
        assert status.level == status.WARN
        assert topic in status.message
        Camera(graph, ReliabilityPolicy.BEST_EFFORT)
        status = graph.status("input", lambda s: "none matches" in s.message)
        assert "offers best effort, we ask for reliable" in status.message
        assert "it has 1 publisher" in status.message
        Camera(graph)
        status = graph.status("input", lambda s: "all silent" in s.message)
        assert "it has 2 publishers, 1 with matching type and QoS" in status.message


def test_a_camera_of_the_wrong_type_is_named(graph, emotion_node):
    with emotion_node(input_timeout_s=0.5, image_transport="compressed"):
        graph.node.create_publisher(Image, "image/compressed", 1)
        status = graph.status("input", lambda s: "none matches" in s.message)
        assert "publishes sensor_msgs/msg/Image, expected sensor_msgs/msg/CompressedImage" in status.message


def test_frames_lost_between_camera_and_node_are_counted_and_explained(graph, emotion_node, one_face):
    """Best effort over UDP with a raw frame far larger than the socket's buffers loses most of them."""
    big = cv2.resize(one_face, (1920, 1080))
    with emotion_node(input_reliability="best_effort"):
        camera = Camera(graph, ReliabilityPolicy.BEST_EFFORT)
        camera.wait_for_listener()

        def warned() -> bool:
            for _ in range(5):
                camera.send(big)
            status = graph.diagnostics.get(f"{graph.namespace.lstrip('/')}/emotion_node: input")
            return status is not None and "frames get lost" in status.message

        graph.wait(warned, "a warning about lost frames")
        status = graph.status("input", lambda s: "frames get lost" in s.message)
    assert float(value(status, "rate published (Hz)")) > float(value(status, "rate seen (Hz)"))
    assert "docs/fastdds.md" in status.message


def _encodings(bgr: np.ndarray) -> dict[str, Image]:
    """One picture as cameras send it."""
    height, width = bgr.shape[:2]
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    yuv = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    luma = yuv[:height]
    u, v = (plane.reshape(height // 2, width // 2) for plane in yuv[height:].reshape(2, -1))
    chroma_rows = [np.repeat(plane, 2, axis=0) for plane in (u, v)]
    yuyv = np.empty((height, width, 2), np.uint8)
    yuyv[:, :, 0] = luma
    yuyv[:, 0::2, 1], yuyv[:, 1::2, 1] = chroma_rows
    bayer = np.empty_like(grey)
    bayer[0::2, 0::2], bayer[1::2, 1::2] = bgr[0::2, 0::2, 2], bgr[1::2, 1::2, 0]
    bayer[0::2, 1::2], bayer[1::2, 0::2] = bgr[0::2, 1::2, 1], bgr[1::2, 0::2, 1]
    padded = np.zeros((height, 3 * width + 64), np.uint8)
    padded[:, : 3 * width] = bgr.reshape(height, -1)
    deep = grey.astype(np.uint16) * 257

    def message(encoding: str, array: np.ndarray, bytes_per_pixel: int, **fields: object) -> Image:
        return image_message(
            bgr, encoding=encoding, step=bytes_per_pixel * width, data=array.tobytes(), **fields
        )

    return {
        "rgb8": message("rgb8", bgr[:, :, ::-1], 3),
        "bgra8": message("bgra8", cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA), 4),
        "rgba8": message("rgba8", cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA), 4),
        "mono8": message("mono8", grey, 1),
        "mono16": message("mono16", deep, 2),
        "mono16 big-endian": message("mono16", deep.byteswap(), 2, is_bigendian=1),
        "yuv422_yuy2": message("yuv422_yuy2", yuyv, 2),
        "yuv422 (uyvy)": message("yuv422", yuyv[:, :, ::-1], 2),
        "nv12": message("nv12", np.concatenate([luma.ravel(), np.stack([u, v], -1).ravel()]), 1),
        "nv21": message("nv21", np.concatenate([luma.ravel(), np.stack([v, u], -1).ravel()]), 1),
        "bayer_rggb8": message("bayer_rggb8", bayer, 1),
        "padded bgr8": image_message(bgr, step=3 * width + 64, data=padded.tobytes()),
    }
