"""The node over thousands of images: memory stays flat, answers stay quick, people keep their ids."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections import Counter
from typing import Iterator

import cv2
import numpy as np
import pytest
from ros_graph import Camera, Graph, image_message
from sensor_msgs.msg import CompressedImage
from visualization_msgs.msg import MarkerArray

from lightfer_ros.benchmark.machine import ProcessLoad
from lightfer_ros.benchmark.scenes import RATE, SCENES, SECONDS, frames
from lightfer_ros.errors import ModelError

SETTLED = 500
"""Images after which everything that is allocated once has been."""

LARGEST_GROWTH_MB = 5.0

FRAME_PERIOD_S = 1 / 30

ONE, SIX = SCENES


def scene(of, every: int = 1, size: tuple[int, int] = (640, 480)) -> list[np.ndarray]:
    """A scene's frames, scaled to a size, as messages carry them."""
    try:
        turn = list(itertools.islice(frames(of), 0, None, every))
    except ModelError as error:
        pytest.skip(str(error))
    return [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in turn]


class Feed:
    """Shows the node a picture after each answer, as fast as it answers, and notes how it fares."""

    def __init__(self, graph: Graph, process) -> None:
        self._graph = graph
        self._process = process
        self._camera = Camera(graph)
        self._camera.wait_for_listener()
        self.memory_mb: list[float] = []
        self.latency_s: list[float] = []

    def show(self, picture: np.ndarray):
        """The answer to one picture."""
        self._graph.emotions.clear()
        start = time.perf_counter()
        stamp = self._camera.send_message(image_message(picture), FRAME_PERIOD_S)
        answer = self._graph.answer_to(stamp)
        self.latency_s.append(time.perf_counter() - start)
        self.memory_mb.append(ProcessLoad.of(self._process.pid).memory_mb)
        return answer

    def growth_mb(self) -> float:
        """How far the memory ever rose above its highest during the first images."""
        return max(self.memory_mb[SETTLED:]) - max(self.memory_mb[:SETTLED])


def test_memory_is_flat_while_sizes_and_faces_change(graph, emotion_node):
    nobody = [np.full((480, 640, 3), shade, np.uint8) for shade in range(0, 240, 8)]
    sights = [
        scene(SIX, every=4),
        scene(ONE, every=4, size=(320, 240)),
        nobody,
        scene(SIX, every=4, size=(800, 600)),
        scene(ONE, every=4),
    ]
    sight_of = itertools.cycle([picture for sight in sights for picture in sight])
    faces = Counter()
    with emotion_node() as process:
        feed = Feed(graph, process)
        for picture in itertools.islice(sight_of, 1500):
            faces[len(feed.show(picture).emotions)] += 1
    assert faces[0] > 100 and faces[1] > 300 and faces[6] > 300
    print(f"{feed.memory_mb[SETTLED]:.1f} MB after {SETTLED} images, then {feed.growth_mb():+.1f} MB")
    assert feed.growth_mb() < LARGEST_GROWTH_MB


SOAK = 60 * 60 * RATE
"""An hour of a camera's pictures, shown as fast as they are answered."""
PROGRESS = 5000
"""After so many images one hears how it goes."""
VISITS = SOAK // (2 * SECONDS * RATE)


def people_come_and_go() -> Iterator[tuple[np.ndarray, int]]:
    """Four people who stay, and two who are there every other turn of the motion; and how many are."""
    four = dataclasses.replace(SIX, people=4, photos=SIX.photos[:1])
    turns = ((scene(SIX), 6), (scene(four), 4))
    for turn, people in itertools.cycle(turns):
        for picture in turn:
            yield picture, people


@pytest.mark.soak
def test_over_an_hour_of_images_memory_latency_and_ids_stay_as_they_are(graph, emotion_node):
    ids_seen = Counter()
    found = Counter()
    # Overlay and markers are made only for listeners, and belong to what must not grow.
    graph.listen(CompressedImage, "emotions/image/compressed", lambda message: None)
    graph.listen(MarkerArray, "emotions/markers", lambda message: None)
    with emotion_node() as process:
        feed = Feed(graph, process)
        for number, (picture, people) in enumerate(itertools.islice(people_come_and_go(), SOAK), 1):
            answer = feed.show(picture)
            ids_seen.update(emotion.track_id for emotion in answer.emotions)
            found[people, len(answer.emotions)] += 1
            if number % PROGRESS == 0:
                p50 = 1000 * np.median(feed.latency_s[-PROGRESS:])
                print(f"{number} of {SOAK} images, {feed.memory_mb[-1]:.1f} MB, p50 {p50:.1f} ms", flush=True)
    early, late = feed.latency_s[SETTLED : SETTLED + 2000], feed.latency_s[-2000:]
    for name, part in (("early", early), ("late", late)):
        p50, p99 = 1000 * np.percentile(part, (50, 99))
        print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    print(f"{feed.memory_mb[SETTLED]:.1f} MB after {SETTLED} images, then {feed.growth_mb():+.1f} MB")
    print(f"faces by people there: {dict(found)}; images by id: {dict(ids_seen)}")
    assert feed.growth_mb() < LARGEST_GROWTH_MB
    assert np.median(late) < 1.5 * np.median(early)
    stayed = [track_id for track_id, images in ids_seen.items() if images > 0.99 * SOAK]
    assert len(stayed) == 4
    # At each visit the two are somebody new, and nobody else ever is.
    assert len(ids_seen) - len(stayed) == 2 * VISITS
