"""What exists only while the node is configured: the worker, the publishers and the counts."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, Dict, List, Optional

from rclpy.executors import ExternalShutdownException

from lightfer_ros.errors import ImageError
from lightfer_ros.nodes import diagnostics, process
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.diagnostics import Counters
from lightfer_ros.nodes.emotion_output import EmotionOutput
from lightfer_ros.nodes.engine_upgrade import EngineUpgrade
from lightfer_ros.nodes.image_input import ImageInput
from lightfer_ros.nodes.images import to_frame
from lightfer_ros.nodes.log_bridge import LogBridge
from lightfer_ros.nodes.messages import seconds
from lightfer_ros.nodes.worker import Worker
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.runtimes import Session
from lightfer_ros.runtimes.fastest import engine_file

LONGEST_STOP_S = 0.5
LONGEST_WAIT_S = 0.02
"""So long nothing else is done in ROS's thread while an image is worked on."""

LOOK_PERIOD_S = 0.05
"""How often it is looked whether ROS still runs while the pipeline loads."""


class Perceiving:
    """Images offered here come out as emotions, made in a worker thread that owns the pipeline."""

    def __init__(self, node: Any, config: NodeConfig) -> None:
        """Load and warm up in the worker, and wait for it. Raises what Pipeline raises."""
        self._node = node
        self._config = config
        self.source: Optional[ImageInput] = None
        self._counters = Counters()
        self._engine_file: Optional[Path] = None
        self._log = LogBridge(node)
        try:
            self._worker = Worker(self._load, self._perceive)
            pipeline: Pipeline = self._wait(self._worker.start())
        except BaseException:
            self._log.close()
            raise
        session = pipeline.session
        self._use(session)
        self._detector, self._landmarks = pipeline.detector, pipeline.landmarks
        node.get_logger().info(
            f"model {self._model} runs in {self._runtime}, detector {self._detector}, "
            f"landmarks {self._landmarks}"
        )
        self._output = EmotionOutput(node)
        self._engine: Optional[EngineUpgrade] = None
        if self._engine_file is not None:
            self._engine = EngineUpgrade(node, self._worker, self._engine_file, session, self._use)

    def offer(self, message: Any) -> None:
        """Take a newer image; called in the executor's thread."""
        self._worker.offer(message)
        self._worker.let_work(LONGEST_WAIT_S)

    def reconfigure(self, config: NodeConfig, timeout_s: float) -> None:
        """Use other settings from the next image on. Raises LightferError or TimeoutError."""

        def change(pipeline: Pipeline) -> str:
            pipeline.reconfigure(config)
            return pipeline.detector

        future = self._worker.call(change)
        try:
            self._detector = future.result(timeout_s)
        except FutureTimeoutError:
            if future.cancel():
                raise TimeoutError(f"the change was not made within {timeout_s:g} s") from None
            self._detector = future.result()  # it had begun: then it is made
        self._config = config

    def reset(self) -> None:
        """Forget everybody seen so far, before the next image."""
        self._worker.call(lambda pipeline: pipeline.reset())

    def forget(self) -> None:
        """Drop the image that waits; a node that is not active answers no image."""
        self._worker.clear()

    def close(self) -> None:
        """End the worker and any engine build, and take the topics off the graph."""
        if self._engine is not None:
            self._engine.close()
        self._worker.stop(LONGEST_STOP_S)
        self._output.close()
        self._log.close()

    def statuses(self, name: str, now: float) -> List[Any]:
        """The diagnostics of an active node; `now` in the node's clock, seconds."""
        source, counters = self.source, self._counters
        assert source is not None
        about = {
            "model": self._model,
            "runtime": self._runtime,
            "detector": self._detector,
            "landmarks": self._landmarks,
            "passed over": "; ".join(self._passed_over),
        }
        notes = list(self._notes)
        if self._engine is not None:
            about["engine"] = self._engine.state
            if self._engine.failure:
                notes.append(f"no TensorRT engine: {self._engine.failure}")
        return [
            diagnostics.input_status(
                f"{name}: input", source, counters, self._worker.dropped, self._config.input_timeout_s, now
            ),
            diagnostics.perception_status(f"{name}: perception", counters, about, notes, now),
        ]

    def _load(self) -> Pipeline:
        """Make the pipeline, and see whether an engine would serve it better; runs in the worker's thread."""
        pipeline = Pipeline(self._config, process.stop_fd())
        session = pipeline.session
        if self._config.build_engine and session.runtime != "tensorrt":
            self._engine_file = engine_file(session.path, session.options)
        return pipeline

    def _use(self, session: Session) -> None:
        """Tell of this session from now on."""
        self._model = session.metadata.name
        self._runtime = f"{session.runtime} {session.provider}"
        self._passed_over = [f"{name} passed over: {reason}" for name, reason in session.passed_over]
        # What `auto` tries and leaves is as it should be; what was asked for by name is missed.
        named = self._config.runtime != "auto" or self._config.providers
        self._notes = self._passed_over if named else []

    def _wait(self, ready: Future[Pipeline]) -> Pipeline:
        """The pipeline when it is loaded; a stop ends the wait, and the loading as soon as it can."""
        while True:
            try:
                return ready.result(LOOK_PERIOD_S)
            except Exception as error:
                if process.told_to_stop() or not self._node.context.ok():
                    raise ExternalShutdownException() from None
                if not isinstance(error, FutureTimeoutError):
                    raise

    def _perceive(self, pipeline: Pipeline, message: Any) -> None:
        """One image; runs in the worker's thread and never raises."""
        try:
            self._answer(pipeline, message)
        except ImageError as error:
            if self._counters.refusals.add(str(error), self._now()):
                self._node.get_logger().warning(f"image refused (told once, then counted): {error}")
        except Exception as error:
            # Whatever an image can do to a library, the next one gets its chance.
            if not self._node.context.ok() or self.source is None:
                return  # ROS or the topics are being taken away under it
            if self._counters.failures.add(f"{type(error).__name__}: {error}", self._now()):
                self._node.get_logger().error(f"image failed (told once, then counted): {error!r}")

    def _answer(self, pipeline: Pipeline, message: Any) -> None:
        source, config = self.source, self._config
        if source is None:
            return
        start = time.perf_counter()
        frame = to_frame(message, 0 if config.jpeg_reduction == "auto" else int(config.jpeg_reduction))
        _ = frame.grey  # decoding is lazy; its time is its own
        decoded = time.perf_counter()
        focal_length = source.focal_length_px(frame.width)
        faces = pipeline.process(frame, seconds(message.header.stamp), focal_length)
        processed = time.perf_counter()
        if self.source is not source:
            pipeline.refine()  # and keeps no picture of it
            return  # deactivated meanwhile: a node that is not active answers no image
        self._output.publish(faces, frame, message.header, self._model, self._runtime, config, focal_length)
        stages: Dict[str, float] = {
            "decode": decoded - start,
            "publish": time.perf_counter() - processed,
            "total": time.perf_counter() - start,
        }
        now = self._now()
        stages["age at publication"] = now - seconds(message.header.stamp)
        counters = self._counters
        counters.published += 1
        counters.faces = len(faces)
        counters.output_rate.add(now)
        try:
            pipeline.refine()
        finally:
            stages.update(pipeline.stage_seconds)
            counters.stages_ms.add({stage: 1000.0 * duration for stage, duration in stages.items()})

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) * 1e-9
