"""A missing TensorRT engine is built beside the node, and its worker takes it between two images."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from rclpy.clock import Clock, ClockType

from lightfer_ros.nodes.worker import Worker
from lightfer_ros.runtimes import Session, load
from lightfer_ros.runtimes.engine_build import EngineBuild
from lightfer_ros.runtimes.fastest import seconds_a_face

LOOK_PERIOD_S = 1.0
NEWS_PERIOD_S = 30
"""Between two lines of the log; diagnostics have the newest always."""


class EngineUpgrade:
    """One build, watched from the executor's thread; the exchange happens in the worker's.

    The build is a process of its own: it ends with the node, or when it is done.
    """

    def __init__(
        self, node: Any, worker: Worker, file: Path, session: Session, adopt: Callable[[Session], None]
    ) -> None:
        """Start the build of a file's engine with the options of the session that does the work meanwhile.

        adopt: called in the worker's thread with the session that now works.
        """
        self._node, self._worker, self._adopt = node, worker, adopt
        self._path, self._options = file, session.options
        self._looks = 0
        self._build: Optional[EngineBuild] = EngineBuild(file, session.options)
        self._state = "is being built"
        self.failure = ""
        """Why there will be no engine; empty while there may be."""
        # the system's clock: simulated time may stand still, a build does not
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(LOOK_PERIOD_S, self._look, clock=clock)
        self._say(
            f"{session.metadata.name} gets a TensorRT engine; until it is built it runs in {session.runtime}"
        )

    @property
    def state(self) -> str:
        """How the engine fares, in words for the diagnostics."""
        if self.failure:
            return f"failed: {self.failure}"
        return f"{self._state}: {self._build.progress}" if self._build is not None else self._state

    def close(self) -> None:
        """Watch no more; a build that still runs is ended and leaves nothing."""
        self._node.destroy_timer(self._timer)
        if self._build is not None:
            self._build.cancel()
            self._build = None

    def _look(self) -> None:
        if self._build is None:
            return
        done, progress = self._build.poll(), self._build.progress
        self._looks += 1
        if done is None:
            if self._looks % NEWS_PERIOD_S == 0:
                self._say(f"engine is being built: {progress}")
            return
        self._build = None
        self._timer.cancel()
        if done:
            self._state = "is being loaded"
            self._worker.call(self._exchange)
        else:
            self._fail(progress)

    def _exchange(self, pipeline: Any) -> None:
        """Runs in the worker's thread, between two images; those of some seconds give way to the newest."""
        try:
            session = load(self._path, self._options)
        except Exception as error:  # the session at work stays at work, whatever the vendor's library does
            self._fail(f"{type(error).__name__}: {error}")
            return
        if session.runtime != "tensorrt":
            reasons = "; ".join(f"{name}: {reason}" for name, reason in session.passed_over)
            session.close()
            self._fail(reasons or f"{session.runtime} was preferred")
            return
        current = pipeline.session
        if current.path != self._path:  # of the float sibling: INT8 on the CPU may be faster than a small GPU
            seconds, engines = seconds_a_face([current, session])
            if engines > seconds:
                session.close()
                now = f"{current.metadata.name} in {current.runtime} takes {1e3 * seconds:.2f}"
                self._fail(f"it takes {1e3 * engines:.2f} ms a face, {now}")
                return
        pipeline.exchange_session(session)
        self._state = "in use"
        self._adopt(session)
        self._say(f"{session.metadata.name} now runs in {session.runtime} {session.provider}")

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._node.get_logger().warning(f"no TensorRT engine: {reason}")

    def _say(self, text: str) -> None:
        self._node.get_logger().info(text)
