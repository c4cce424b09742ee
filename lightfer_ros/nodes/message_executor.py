"""An executor that takes messages at once, and looks after everything else four times a second meanwhile."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any, Optional

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import ExternalShutdownException, InvalidHandle, SingleThreadedExecutor
from rclpy.subscription import Subscription

LOOK_PERIOD_S = 0.25
"""So long at most a service, a timer, an event waits while messages come, and for callbacks before it."""

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
    and makes a task of what comes, which takes longer than an image takes through ROS. So while messages come
    (one in every `LOOK_PERIOD_S` at least) it waits for messages alone and hands them over itself; as often
    it looks, without waiting, for anything else to do. Otherwise it waits as rclpy does. Callbacks of
    subscriptions are plain functions.
    """

    def __init__(self, *, context: Any = None) -> None:
        super().__init__(context=context)
        self._heard = -LOOK_PERIOD_S  # when the newest message came
        self._looked = -LOOK_PERIOD_S
        self._looking = False
        self._found_work = False
        self._woke_itself = False

    def spin_once(self, timeout_sec: Optional[float] = None) -> None:
        """Do what is next, if there is anything: messages that came together, or one thing as rclpy has it.

        Waits up to `timeout_sec`, for ever where it is None or negative, but while messages come up to
        `LOOK_PERIOD_S`.
        """
        now = time.monotonic()
        until_look = self._looked + LOOK_PERIOD_S - now
        if WAIT_SET is None or not (self._looking or now - self._heard < LOOK_PERIOD_S):
            # Of all that it finds rclpy does one thing. Where that is a message, a look is due at once.
            super().spin_once(timeout_sec)
        elif self._looking or until_look <= 0.0:
            self._look(now)
        else:
            bounded = timeout_sec is not None and timeout_sec >= 0.0
            self._hand_over(min(timeout_sec, until_look) if bounded else until_look)

    def wait_for_ready_callbacks(self, *arguments: Any, **options: Any) -> Any:
        """What is to be done next, as rclpy has it; called by its `spin_once`."""
        work = super().wait_for_ready_callbacks(*arguments, **options)
        _, entity, _ = work
        self._found_work = True
        if entity is not None:  # but a task
            self._woke_itself = True  # when that is done, in case another thread waits
        if isinstance(entity, Subscription):
            self._heard = time.monotonic()
        return work

    def _look(self, now: float) -> None:
        """Do one thing of those there are to do; where there is none left, the look is over."""
        self._looking, self._found_work = True, False
        super().spin_once(0.0)  # without waiting rclpy goes once through everything, one thing a call
        if not self._found_work:
            self._looked, self._looking = now, False

    def _hand_over(self, longest_s: float) -> None:
        """Wait for messages, and call back with one of each subscription that has some."""
        waiting = [each for node in self.get_nodes() for each in node.subscriptions if self._is_urgent(each)]
        if not waiting or not self.context.ok():
            self._heard = -LOOK_PERIOD_S  # there is nobody to hear
            return
        # By these rclpy ends a wait where another thread or a signal asks for it.
        guards = [getattr(self, name, None) for name in ("_guard", "_sigint_gc")]
        guards = [each for each in guards if each is not None]
        with ExitStack() as held:
            for each in (self.context, *waiting, *guards):
                held.enter_context(each.handle)
            wait_set = WAIT_SET(len(waiting), len(guards), 0, 0, 0, 0, self.context.handle)
            wait_set.clear_entities()
            for each in waiting:
                wait_set.add_subscription(each.handle)
            for each in guards:
                wait_set.add_guard_condition(each.handle)
            wait_set.wait(round(longest_s * 1e9))
            if not self.context.ok():
                raise ExternalShutdownException()
            ready = wait_set.get_ready_entities("subscription")
            came = [each for each in waiting if each.handle.pointer in ready]
            asked = bool(wait_set.get_ready_entities("guard_condition")) and not self._woke_itself
        self._woke_itself = False
        if asked:
            self._looked = -LOOK_PERIOD_S  # for a look
        if came:
            self._heard = time.monotonic()
        for each in came:
            _take(each)

    def _is_urgent(self, subscription: Any) -> bool:
        can_wait = getattr(subscription.callback_group, "can_wait", False)
        return not can_wait and bool(self.can_execute(subscription))


def _take(subscription: Any) -> None:
    """Call back with its message, unless another callback has just destroyed it."""
    try:
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
    except InvalidHandle:
        return
    if taken is not None:
        # None takes what is known of a message beside it before Iron.
        kinds = getattr(Subscription, "CallbackType", None)
        with_info = kinds is not None and subscription._callback_type is kinds.WithMessageInfo
        subscription.callback(*(taken if with_info else taken[:1]))
