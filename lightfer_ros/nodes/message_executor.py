"""An executor that takes messages at once, and looks after everything else ten times a second meanwhile."""

from __future__ import annotations

import time
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.subscription import Subscription

LOOK_PERIOD_S = 0.1
"""So long at most a service, a timer, an event waits while messages come."""


class Patient(MutuallyExclusiveCallbackGroup):  # type: ignore[misc]  # rclpy is untyped here
    """The group of a subscription whose messages may wait like services do while `can_wait` is set."""

    can_wait = False


class MessageExecutor(SingleThreadedExecutor):  # type: ignore[misc]
    """rclpy's own, but for what it waits for from one message to the next.

    For each wait rclpy enters every service, timer and event of a node anew: of a lifecycle node some
    thirty, which takes longer than an image takes through ROS. So the wait behind a message is for messages
    alone, unless the last look at everything is `LOOK_PERIOD_S` old; any other wait is for everything.
    Where messages end, the wait for them ends with the timeout of `spin_once`.
    """

    def __init__(self, *, context: Any = None) -> None:
        super().__init__(context=context)
        self._looked = -LOOK_PERIOD_S
        self._message_came = False
        self._messages_alone = False

    def can_execute(self, entity: Any) -> bool:
        """Whether the wait that begins is for this entity; called by rclpy."""
        waits = not isinstance(entity, Subscription) or getattr(entity.callback_group, "can_wait", False)
        return not (self._messages_alone and waits) and bool(super().can_execute(entity))

    def wait_for_ready_callbacks(self, *arguments: Any, **options: Any) -> Any:
        """What is to be done next, as rclpy has it; called by `spin_once`."""
        now = time.monotonic()
        self._messages_alone = self._message_came and now - self._looked < LOOK_PERIOD_S
        if not self._messages_alone:
            self._looked = now
        self._message_came = False
        work = super().wait_for_ready_callbacks(*arguments, **options)
        self._message_came = isinstance(work[1], Subscription)
        return work
