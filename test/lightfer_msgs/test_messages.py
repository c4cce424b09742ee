"""The messages are what their comments say, and no field changes on its way over DDS or through a bag."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import numpy as np
import pytest
import rclpy
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from lightfer_msgs.msg import BoundingBox, Emotion, EmotionArray, HeadPose
from lightfer_ros.model.labels import AROUSAL, EMOTIONS, VALENCE

ROOT = Path(__file__).parents[2]
MSG = ROOT / "lightfer_msgs" / "msg"
NAN = math.nan

TYPE_HASHES = {
    "BoundingBox": "RIHS01_92b51c44b18cbae071db516c20b71df73c18eacf15ea6334ebc4e942e4ce8f83",
    "HeadPose": "RIHS01_8db799aa0196d5b2eb2f630a97ddd1caa6a52f35ea0c082ac960d4b8d6ef596d",
    "Emotion": "RIHS01_3afa127030147dc332f1d7a0f8a55b36c963bf012390446fcf2c5e2114465c64",
    "EmotionArray": "RIHS01_a0f17f1b645f044bba9423c4ffbcaca3bd9be19dba9e34b437d34e72ed85c3ce",
}


@pytest.fixture(scope="module")
def typestore() -> Typestore:
    """A type store that knows our messages from the .msg files, not from what was built of them."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in sorted(MSG.glob("*.msg")):
        store.register(get_types_from_msg(path.read_text(encoding="ascii"), f"lightfer_msgs/msg/{path.stem}"))
    return store


def happy_face() -> Emotion:
    """A face with every field set, each to a value of its own that float32 holds exactly."""
    return Emotion(
        track_id=7,
        state=Emotion.STATE_TRACKED,
        box=BoundingBox(x=-12.25, y=30.5, width=80.0, height=96.125),
        detection_confidence=0.875,
        landmarks=np.arange(136, dtype=np.float32) * 1.5 - 10.0,
        head_pose=HeadPose(yaw=-31.5, pitch=12.25, roll=3.0, confidence=0.75),
        distance=1.375,
        distance_source=Emotion.DISTANCE_FACE_WIDTH,
        probabilities=np.array([0.01, 0.02, 0.03, 0.75, 0.05, 0.08, 0.06], np.float32),
        label=Emotion.HAPPY,
        label_name="happy",
        confidence=0.75,
        valence=0.5625,
        arousal=0.4375,
        reliability=0.5,
        unreliable_reasons=Emotion.REASON_TURNED | Emotion.REASON_OCCLUDED,
        classification_age=0.0625,
        time_in_view=12.5,
    )


def unset_face() -> Emotion:
    """A face of which nothing is known: every field holds its documented unset value."""
    return Emotion(
        track_id=0,
        state=Emotion.STATE_UNSET,
        box=BoundingBox(x=NAN, y=NAN, width=NAN, height=NAN),
        detection_confidence=NAN,
        landmarks=np.full(136, NAN, np.float32),
        head_pose=HeadPose(yaw=NAN, pitch=NAN, roll=NAN, confidence=NAN),
        distance=NAN,
        distance_source=Emotion.DISTANCE_UNSET,
        probabilities=np.full(7, NAN, np.float32),
        label=Emotion.UNKNOWN,
        label_name="unknown",
        confidence=NAN,
        valence=NAN,
        arousal=NAN,
        reliability=NAN,
        unreliable_reasons=0,
        classification_age=NAN,
        time_in_view=NAN,
    )


def array_of(faces: List[Emotion]) -> EmotionArray:
    """One image with these faces, taken at 1700000000.123456789 s."""
    message = EmotionArray(image_width=640, image_height=480, model="net", runtime="onnxruntime CPU")
    message.header.stamp.sec = 1_700_000_000
    message.header.stamp.nanosec = 123_456_789
    message.header.frame_id = "camera_optical_frame"
    message.emotions = faces
    return message


def assert_same(expected: Any, actual: Any, where: str = "") -> None:
    """Each field of a ROS message equals the field of that name in a message of any library; NaN is NaN."""
    if hasattr(expected, "get_fields_and_field_types"):
        for name in expected.get_fields_and_field_types():
            assert_same(getattr(expected, name), getattr(actual, name), f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(expected) == len(actual), where
        for i, item in enumerate(expected):
            assert_same(item, actual[i], f"{where}[{i}]")
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=where)


# --- What the messages mean ---------------------------------------------------------------------------------


def test_constants_are_the_class_order_of_the_model() -> None:
    assert [getattr(Emotion, name.upper()) for name in EMOTIONS] == list(range(7))
    assert len(Emotion().probabilities) == len(EMOTIONS)
    assert Emotion.UNKNOWN not in range(7)


def test_the_ratings_quoted_beside_valence_are_those_the_model_room_uses() -> None:
    text = (MSG / "Emotion.msg").read_text(encoding="ascii")
    for name, valence, arousal in zip(EMOTIONS, VALENCE, AROUSAL):
        quoted = re.search(rf"{name} (-?[\d.]+) (-?[\d.]+)", text)
        assert quoted, f"{name} is not rated in Emotion.msg"
        np.testing.assert_allclose([float(v) for v in quoted.groups()], [valence, arousal], atol=1e-6)


def test_reasons_are_bits_that_can_be_added() -> None:
    reasons = [getattr(Emotion, name) for name in dir(type(Emotion)) if name.startswith("REASON_")]
    assert sorted(reasons) == [1 << i for i in range(8)]


def test_a_new_message_has_no_label() -> None:
    assert (Emotion().label, Emotion().label_name) == (Emotion.UNKNOWN, "unknown")


def test_every_field_is_on_the_documentation_page() -> None:
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    for message in (EmotionArray, Emotion, HeadPose, BoundingBox):
        section = page.split(f"## {message.__name__}\n")[1].split("\n## ")[0]
        for field in message.get_fields_and_field_types():
            assert f"| `{field}` |" in section, f"docs/messages.md lacks {message.__name__}.{field}"


def test_the_types_are_the_ones_that_recorded_bags_hold(typestore: Typestore) -> None:
    hashes = {name: typestore.hash_rihs01(f"lightfer_msgs/msg/{name}") for name in TYPE_HASHES}
    assert hashes == TYPE_HASHES, "a message changed: bags recorded before cannot be replayed any more"
    assert {path.stem for path in MSG.glob("*.msg")} == set(TYPE_HASHES)


# --- Over DDS -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def domain_id() -> int:
    """A DDS domain that other runs on this machine hardly use."""
    return 1 + os.getpid() % 100


@pytest.fixture(scope="module")
def echo(domain_id: int) -> Iterator[None]:
    """Another process that returns on `back` what it gets on `there`."""
    program = Path(__file__).with_name("echo_node.py")
    process = subprocess.Popen([sys.executable, str(program), str(domain_id)])
    yield
    process.terminate()
    process.wait(timeout=10)


@pytest.mark.parametrize(
    "faces",
    [
        [],  # looked and saw nobody
        [happy_face()],
        [unset_face()],
        [happy_face(), unset_face()],
    ],
    ids=["nobody", "all set", "all unset", "both"],
)
def test_every_field_survives_dds_between_two_processes(
    echo: None, domain_id: int, faces: List[Emotion]
) -> None:
    latched = QoSProfile(
        depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
    )
    sent = array_of(faces)
    sent.model = f"{len(faces)} {[face.label_name for face in faces]}"  # tells it from earlier, latched ones
    returned: rclpy.Future = rclpy.Future()

    def on_back(message: EmotionArray) -> None:
        if message.model == sent.model:
            returned.set_result(message)

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    try:
        node = rclpy.create_node("asker", context=context)
        node.create_subscription(EmotionArray, "back", on_back, latched)
        node.create_publisher(EmotionArray, "there", latched).publish(sent)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        executor.spin_until_future_complete(returned, timeout_sec=30.0)
        assert returned.done(), "nothing came back within 30 s"
        assert_same(sent, returned.result())
        executor.shutdown()
        node.destroy_node()
    finally:
        context.try_shutdown()


# --- In bags ------------------------------------------------------------------------------------------------

floats = st.floats(width=32)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@st.composite
def emotions(draw: st.DrawFn) -> Emotion:
    """Any message at all that the types allow, sensible or not."""
    byte, short, word = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
    return Emotion(
        track_id=draw(word),
        state=draw(byte),
        box=BoundingBox(x=draw(floats), y=draw(floats), width=draw(floats), height=draw(floats)),
        detection_confidence=draw(floats),
        landmarks=np.array(draw(st.lists(floats, min_size=2, max_size=2)) * 68, np.float32),
        head_pose=HeadPose(yaw=draw(floats), pitch=draw(floats), roll=draw(floats), confidence=draw(floats)),
        distance=draw(floats),
        distance_source=draw(byte),
        probabilities=np.array(draw(st.lists(floats, min_size=7, max_size=7)), np.float32),
        label=draw(byte),
        label_name=draw(names),
        confidence=draw(floats),
        valence=draw(floats),
        arousal=draw(floats),
        reliability=draw(floats),
        unreliable_reasons=draw(short),
        classification_age=draw(floats),
        time_in_view=draw(floats),
    )


@settings(max_examples=50, derandomize=True, deadline=None)
@given(faces=st.lists(emotions(), max_size=3))
def test_what_ros_writes_is_what_a_library_without_ros_reads(
    typestore: Typestore, faces: List[Emotion]
) -> None:
    sent = array_of(faces)
    read = typestore.deserialize_cdr(serialize_message(sent), "lightfer_msgs/msg/EmotionArray")
    assert_same(sent, read)


def written_bag(folder: Path, typestore: Typestore, messages: List[Tuple[int, EmotionArray]]) -> Path:
    """A rosbag2 folder in MCAP with /emotions; returns the .mcap file in it."""
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        topic = bag.add_connection("/emotions", "lightfer_msgs/msg/EmotionArray", typestore=typestore)
        for time_ns, message in messages:
            bag.write(topic, time_ns, serialize_message(message))
    (mcap,) = folder.glob("*.mcap")
    return mcap


def test_a_bag_gives_an_independent_reader_the_same_values(tmp_path: Path, typestore: Typestore) -> None:
    messages = [(1, array_of([])), (2, array_of([happy_face(), unset_face()]))]
    mcap = written_bag(tmp_path / "bag", typestore, messages)
    with mcap.open("rb") as file:
        read = list(make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages())
    assert [(channel.topic, schema.name) for schema, channel, _, _ in read] == [
        ("/emotions", "lightfer_msgs/msg/EmotionArray")
    ] * 2
    for (_, sent), (_, _, _, got) in zip(messages, read):
        assert_same(sent, got)
