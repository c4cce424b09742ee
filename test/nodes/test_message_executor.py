"""Messages are taken at once; what may wait meanwhile waits a quarter of a second and no longer."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.task import Future
from std_srvs.srv import Trigger

from lightfer_msgs.msg import EmotionArray
from lightfer_ros.nodes import message_executor
from lightfer_ros.nodes.message_executor import LOOK_PERIOD_S, MessageExecutor, Patient

from ..support.ros_graph import DOMAIN

LONGEST_S = 20.0


class Talker:
    """A node that hears itself on two topics and calls its own service; time stands until moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(message_executor, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.context = Context()
        self.context.init(domain_id=DOMAIN)
        self.node = Node("talker", context=self.context)
        self.executor = MessageExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard = {"images": 0, "infos": 0, "calls": 0}
        self.patient = Patient()
        self.publisher = {
            name: self.node.create_publisher(EmotionArray, name, 1) for name in ("images", "infos")
        }
        self.images = self.node.create_subscription(EmotionArray, "images", self._hear("images"), 1)
        self.infos = self.node.create_subscription(
            EmotionArray, "infos", self._hear("infos"), 1, callback_group=self.patient
        )
        self.service = self.node.create_service(Trigger, "service", self._serve)
        self.client = self.node.create_client(Trigger, "service")
        self.spin_until(
            lambda: (
                self.client.service_is_ready()
                and all(publisher.get_subscription_count() for publisher in self.publisher.values())
            )
        )

    def _hear(self, name):
        def hear(_) -> None:
            self.heard[name] += 1

        return hear

    def _serve(self, _, response):
        self.heard["calls"] += 1
        return response

    def publish(self, name: str) -> None:
        self.publisher[name].publish(EmotionArray())

    def spin_until(self, condition) -> None:
        """Work until the condition holds, with no time passing for the executor."""
        deadline = time.monotonic() + LONGEST_S
        while not condition():
            assert time.monotonic() < deadline
            self.executor.spin_once(timeout_sec=0.05)

    def hear(self, images: int) -> None:
        """Publish so many images, each when the one before has been heard."""
        for _ in range(images):
            count = self.heard["images"] + 1
            self.publish("images")
            self.spin_until(lambda count=count: self.heard["images"] == count)
            self.settle()

    def settle(self) -> None:
        """Work until a look that is due is over."""
        for _ in range(3):
            self.executor.spin_once(timeout_sec=0.0)


@pytest.fixture
def talker(monkeypatch):
    talker = Talker(monkeypatch)
    yield talker
    talker.executor.shutdown()
    talker.node.destroy_node()
    talker.context.try_shutdown()


def test_while_messages_come_a_service_waits_until_the_last_look_is_a_quarter_of_a_second_old(talker):
    talker.hear(1)
    future = talker.client.call_async(Trigger.Request())
    talker.hear(20)
    assert talker.heard["calls"] == 0
    talker.now += LOOK_PERIOD_S
    talker.spin_until(future.done)
    assert talker.heard["calls"] == 1


def test_it_is_served_at_once_where_messages_have_ended(talker):
    talker.hear(1)
    talker.now += LOOK_PERIOD_S
    future = talker.client.call_async(Trigger.Request())
    talker.spin_until(future.done)
    assert talker.heard == {"images": 1, "infos": 0, "calls": 1}


def test_messages_of_a_patient_subscription_wait_as_well(talker):
    talker.patient.can_wait = True
    talker.hear(1)
    talker.publish("infos")
    talker.hear(20)
    assert talker.heard["infos"] == 0
    talker.now += LOOK_PERIOD_S
    talker.spin_until(lambda: talker.heard["infos"] == 1)


def test_and_do_not_where_it_has_not_said_so(talker):
    talker.hear(1)
    talker.publish("infos")
    talker.hear(20)
    talker.spin_until(lambda: talker.heard["infos"] == 1)


@pytest.mark.parametrize("images_go_on", [True, False])
def test_a_look_is_at_everything_however_many_topics_have_messages(talker, images_go_on):
    talker.patient.can_wait = not images_go_on
    talker.hear(1)
    for call in range(1, 6):
        talker.client.call_async(Trigger.Request())
        called = talker.now
        while talker.heard["calls"] < call:
            assert talker.now - called <= LOOK_PERIOD_S + 2 / 30
            talker.publish("infos")
            if images_go_on:
                talker.hear(1)
            talker.settle()
            talker.now += 1 / 30
    assert talker.heard["infos"] >= 5


@pytest.mark.parametrize("slow_s", [0.06, 0.2, 0.3])
def test_a_look_is_finished_however_long_callbacks_take(talker, slow_s):
    def hear_slowly(_) -> None:
        talker.now += slow_s
        talker.publish("images")  # one always waits

    talker.images.callback = hear_slowly
    talker.publish("images")
    for call in range(1, 4):
        talker.client.call_async(Trigger.Request())
        called = talker.now
        talker.spin_until(lambda call=call: talker.heard["calls"] == call)
        assert talker.now - called <= LOOK_PERIOD_S + 3 * slow_s


def test_who_asks_for_it_ends_the_wait_for_messages(talker):
    talker.hear(1)
    for _ in range(3):
        asked = Future(executor=talker.executor)
        talker.executor.create_task(asked.set_result, True)  # from any thread
        began = time.monotonic()
        talker.spin_until(asked.done)
        assert time.monotonic() - began < LOOK_PERIOD_S / 2
        talker.settle()


@pytest.mark.parametrize("timeout_s", [None, -1.0, 2 * LONGEST_S])
def test_no_wait_for_messages_is_longer_than_until_the_next_look(talker, timeout_s):
    talker.hear(2)
    rescue = threading.Timer(LONGEST_S, talker.publish, ["images"])  # from a wait without end
    rescue.start()
    began = time.monotonic()
    talker.executor.spin_once(timeout_s)
    rescue.cancel()
    assert time.monotonic() - began < 2 * LOOK_PERIOD_S


@pytest.mark.skipif(
    not hasattr(Subscription, "CallbackType"), reason="ROS before Iron tells the message alone"
)
def test_a_callback_is_told_of_the_message_what_it_asks_for(talker):
    told = []
    talker.node.create_subscription(EmotionArray, "images", lambda *given: told.append(given), 1)
    talker.node.create_subscription(
        EmotionArray, "images", lambda message, info: told.append((message, info)), 1
    )
    talker.spin_until(lambda: talker.publisher["images"].get_subscription_count() == 3)
    talker.hear(1)
    told.clear()
    talker.hear(1)
    talker.spin_until(lambda: len(told) == 2)
    alone, with_info = sorted(told, key=len)
    assert [type(each) for each in alone] == [EmotionArray]
    assert type(with_info[0]) is EmotionArray and with_info[1]["source_timestamp"] > 0


def test_what_a_callback_raises_is_raised(talker):
    def refuse(_) -> None:
        raise RuntimeError("not this one")

    talker.hear(1)
    talker.images.callback = refuse
    talker.publish("images")
    with pytest.raises(RuntimeError, match="not this one"):
        talker.spin_until(lambda: False)


def test_where_nobody_hears_any_more_the_rest_goes_on_at_once(talker):
    talker.hear(1)
    for subscription in (talker.images, talker.infos):
        talker.node.destroy_subscription(subscription)
    future = talker.client.call_async(Trigger.Request())
    talker.spin_until(future.done)


def test_a_message_of_who_has_just_been_sent_away_goes_nowhere(talker):
    told = []

    def send_away(_) -> None:
        told.append("first")
        talker.node.destroy_subscription(second)

    talker.node.destroy_subscription(talker.images)
    talker.node.create_subscription(EmotionArray, "images", send_away, 1)
    second = talker.node.create_subscription(EmotionArray, "images", lambda _: told.append("second"), 1)
    talker.spin_until(lambda: talker.publisher["images"].get_subscription_count() == 2)
    talker.publish("images")
    talker.spin_until(lambda: told)
    assert told == ["first"]


@pytest.mark.skipif(message_executor.WAIT_SET is None, reason="ROS before Galactic waits in another way")
def test_where_ros_is_shut_down_during_the_wait_for_messages_it_is_said_as_rclpy_does(talker, monkeypatch):
    class ShutDownMeanwhile(message_executor.WAIT_SET):
        def wait(self, _: int) -> None:
            talker.context.shutdown()

    talker.hear(1)
    monkeypatch.setattr(message_executor, "WAIT_SET", ShutDownMeanwhile)
    with pytest.raises(ExternalShutdownException):
        talker.executor.spin_once(timeout_sec=0.01)


def test_an_rclpy_that_waits_in_another_way_is_left_to_itself(talker, monkeypatch):
    monkeypatch.setattr(message_executor, "WAIT_SET", None)
    talker.hear(1)
    future = talker.client.call_async(Trigger.Request())
    talker.spin_until(future.done)
    talker.hear(20)
