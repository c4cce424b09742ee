"""The worker: one thread that owns its thing and always takes the newest image."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

from lightfer_ros.nodes.worker import Worker


class Thing:
    """Notes which threads touch it."""

    def __init__(self) -> None:
        self.threads = {threading.current_thread().name}
        self.seen: list[int] = []
        self.closed = threading.Event()

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed.set()


def at_work() -> tuple:
    """A worker that has an image in hand until an event is set; the worker, its thing, the event."""
    begun, go = threading.Event(), threading.Event()

    def handle(thing: Thing, image: int) -> None:
        begun.set()
        go.wait(5)

    worker = Worker(Thing, handle)
    thing = worker.start().result(5)
    worker.offer(1)
    assert begun.wait(5)
    return worker, thing, go


def test_the_thing_lives_and_dies_in_one_thread_that_is_not_ours():
    made: list[Thing] = []
    seen = threading.Event()

    def handle(thing: Thing, image: int) -> None:
        thing.threads.add(threading.current_thread().name)
        seen.set()

    worker = Worker(lambda: made.append(Thing()) or made[0], handle)
    assert worker.start().result(5) is made[0]
    worker.offer(1)
    assert seen.wait(5)
    worker.call(lambda thing: thing.threads.add(threading.current_thread().name)).result(5)
    assert worker.stop(5)
    assert made[0].closed.is_set()
    assert made[0].threads == {"perception"}


def test_who_offers_can_let_the_worker_work_but_no_longer_than_they_like():
    begun, go = threading.Event(), threading.Event()

    def handle(thing: Thing, image: int) -> None:
        begun.set()
        if image == 1:
            go.wait(5)
        thing.seen.append(image)

    worker = Worker(Thing, handle)
    thing = worker.start().result(5)
    worker.offer(0)
    worker.let_work(5)
    assert thing.seen == [0]
    begun.clear()
    worker.offer(1)
    assert begun.wait(5)
    worker.let_work(0.01)
    assert thing.seen == [0]
    go.set()
    worker.let_work(5)
    assert thing.seen == [0, 1]
    assert worker.stop(5)


def test_nobody_waits_for_an_image_that_waits_for_another():
    worker, _, go = at_work()
    worker.offer(2)
    start = time.monotonic()
    worker.let_work(5)
    assert time.monotonic() - start < 1
    go.set()
    assert worker.stop(5)


def test_the_newest_image_wins_and_the_replaced_are_counted():
    busy, go, done = threading.Event(), threading.Event(), threading.Event()

    def handle(thing: Thing, image: int) -> None:
        thing.seen.append(image)
        busy.set()
        go.wait(5)
        if image == 9:
            done.set()

    worker = Worker(Thing, handle)
    thing = worker.start().result(5)
    worker.offer(0)
    assert busy.wait(5)
    for image in range(1, 10):
        worker.offer(image)
    go.set()
    assert done.wait(5)
    assert thing.seen == [0, 9]
    assert worker.dropped == 8
    assert worker.stop(5)


def test_a_thing_that_cannot_be_made_is_reported_and_the_thread_ends():
    def fail() -> None:
        raise ValueError("no such model")

    worker = Worker(fail, lambda thing, image: None)
    with pytest.raises(ValueError, match="no such model"):
        worker.start().result(5)
    assert worker.stop(5)


def test_a_task_that_nobody_waits_for_any_more_is_not_done():
    worker, thing, go = at_work()
    asked = worker.call(lambda thing: thing.seen.append(7))
    assert asked.cancel()
    go.set()
    assert worker.call(lambda thing: list(thing.seen)).result(5) == []
    assert worker.stop(5)
    assert thing.seen == []


def test_a_task_that_fails_reports_its_error_and_the_next_one_works():
    worker = Worker(Thing, lambda thing, image: None)
    worker.start().result(5)
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda thing: 1 / 0).result(5)
    assert worker.call(lambda thing: 42).result(5) == 42
    assert worker.stop(5)
    with pytest.raises(RuntimeError, match="stopped"):
        worker.call(lambda thing: 42).result(5)
