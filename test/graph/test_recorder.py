"""The recorder: what was published is what an independent reader finds in the bag."""

from __future__ import annotations

import pytest
from ros_graph import Camera

pytest.importorskip("rosbags", reason="recording needs the rosbags package: .[record]")
mcap_reader = pytest.importorskip("mcap.reader", reason="reading back needs mcap-ros2-support")
mcap_ros2 = pytest.importorskip("mcap_ros2.decoder", reason="reading back needs mcap-ros2-support")


def read(bag) -> dict[str, list]:
    """Every message by topic, as an independent MCAP reader decodes it."""
    found: dict[str, list] = {}
    with next(bag.glob("*.mcap")).open("rb") as file:
        reader = mcap_reader.make_reader(file, decoder_factories=[mcap_ros2.DecoderFactory()])
        for _, channel, _, message in reader.iter_decoded_messages():
            found.setdefault(channel.topic, []).append(message)
    return found


def test_emotions_and_diagnostics_are_in_the_bag_as_they_were_published(graph, launch, tmp_path, one_face):
    bag = tmp_path / "bag"
    topic = f"{graph.namespace}/emotions"
    with launch("recorder", output=str(bag)) as recorder, launch("emotion_node"):
        camera = Camera(graph)
        camera.wait_for_listener()
        graph.wait(lambda: graph.node.count_subscribers(topic) == 2, "the recorder listens")
        graph.wait(lambda: graph.node.count_subscribers("/diagnostics") == 2, "the recorder listens")
        for _ in range(5):
            graph.answer_to(camera.send(one_face))
        graph.diagnostics.clear()
        graph.status("input", lambda s: True)
        graph.diagnostics.clear()
        graph.status("input", lambda s: True)
        assert recorder.poll() is None
    recorded = read(bag)
    assert (bag / "metadata.yaml").is_file()
    assert len(recorded[topic]) == 5
    for heard, written in zip(graph.emotions, recorded[topic]):
        assert written.header.stamp.nanosec == heard.header.stamp.nanosec
        assert list(written.emotions[0].probabilities) == list(heard.emotions[0].probabilities)
        assert written.emotions[0].label_name == heard.emotions[0].label_name
    names = {status.name for message in recorded["/diagnostics"] for status in message.status}
    assert f"{graph.namespace.lstrip('/')}/emotion_node: input" in names


def test_a_folder_that_exists_is_never_written_into(launch, tmp_path):
    (tmp_path / "keep").write_text("mine")
    with launch("recorder", expect_exit=2, output=str(tmp_path)) as process:
        process.wait(20)
        assert f"error: bag {tmp_path}: expected a folder that does not exist yet" in process.log()
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".log"] == ["keep"]
