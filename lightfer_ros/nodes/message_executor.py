"""An executor that takes messages at once, and looks after everything else four times a second meanwhile."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any, Optional

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.subscription import Subscription

LOOK_PERIOD_S = 0.25
"""So long at most a service, a timer, an event waits while messages come."""


try:
    from rclpy.impl.implementation_singleton import rclpy_implementation

    WAIT_SET: Any = rclpy_implementation.WaitSet  # what rclpy itself waits with
except (ImportError, AttributeError):  # before Galactic
    WAIT_SET = None


class Patient(MutuallyExclusiveCallbackGroup):  # type: ignore[misc]  # rclpy is untyped here
    """The group of a subscription whose messages may wait like services do while `can_wait` is set."""

    can_wait = False


class MessageExecutor(SingleThreadedExecutor):  # type: ignore[misc]
    """rclpy's own, but for what it waits for from one message to the next.

    For each wait rclpy enters every service, timer and event of a node anew, of a lifecycle node some thirty,
    and makes a task of what comes, which takes longer than an image takes through ROS. So the wait behind a
    message is for messages alone, and hands them over itself, unless the last look at everything is
    `LOOK_PERIOD_S` old; any other wait is rclpy's. Callbacks of subscriptions are plain functions.
    """

    def __init__(self, *, context: Any = None) -> None:
        super().__init__(context=context)
        self._looked = -LOOK_PERIOD_S
        self._message_came = False

    def spin_once(self, timeout_sec: Optional[float] = None) -> None:
        """Do what is next, as rclpy has it. Waits up to `timeout_sec`, None: for ever."""
        now = time.monotonic()
        left = self._looked + LOOK_PERIOD_S - now
        if self._message_came and 0.0 < left <= LOOK_PERIOD_S and WAIT_SET is not None:
            self._message_came = self._hand_over(left if timeout_sec is None else min(timeout_sec, left))
            return
        self._looked, self._message_came = now, False
        super().spin_once(timeout_sec)

    def wait_for_ready_callbacks(self, *arguments: Any, **options: Any) -> Any:
        """What is to be done next, as rclpy has it; called by its `spin_once`."""
        work = super().wait_for_ready_callbacks(*arguments, **options)
        self._message_came = isinstance(work[1], Subscription)
        return work

    def _hand_over(self, longest_s: float) -> bool:
        """Wait for messages and call back with one of each subscription that has some; whether any came."""
        waiting = [each for node in self.get_nodes() for each in node.subscriptions if self._is_urgent(each)]
        if not waiting or not self.context.ok():
            return False
        with ExitStack() as held:
            for each in (self.context, *waiting):
                held.enter_context(each.handle)
            wait_set = WAIT_SET(len(waiting), 0, 0, 0, 0, 0, self.context.handle)
            wait_set.clear_entities()
            for each in waiting:
                wait_set.add_subscription(each.handle)
            wait_set.wait(round(longest_s * 1e9))
            if not self.context.ok():
                raise ExternalShutdownException()
            ready = wait_set.get_ready_entities("subscription")
            came = [each for each in waiting if each.handle.pointer in ready]
            taken = [each.handle.take_message(each.msg_type, each.raw) for each in came]
        for each, message in zip(came, taken):
            if message is not None:
                each.callback(*(message if _wants_info(each) else message[:1]))
        return bool(came)

    def _is_urgent(self, subscription: Any) -> bool:
        can_wait = getattr(subscription.callback_group, "can_wait", False)
        return not can_wait and bool(self.can_execute(subscription))


def _wants_info(subscription: Any) -> bool:
    """Whether its callback takes what is known of the message beside it: none does before Iron."""
    kinds = getattr(Subscription, "CallbackType", None)
    return kinds is not None and subscription._callback_type is kinds.WithMessageInfo
