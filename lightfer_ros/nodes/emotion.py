"""The emotion node: parameters, lifecycle and diagnostics around one perception worker."""

from __future__ import annotations

from typing import Any, List, Optional

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import ExternalShutdownException
from std_srvs.srv import Trigger

from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.nodes import diagnostics, parameters
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.image_input import ImageInput
from lightfer_ros.nodes.lifecycle import LifecycleNode, TransitionCallbackReturn
from lightfer_ros.nodes.perceiving import Perceiving

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE

DIAGNOSTICS_PERIOD_S = 1.0
LONGEST_CHANGE_S = 3.0
"""A change of settings is made between two images; a detector's file takes longest to load."""


class EmotionNode(LifecycleNode):  # type: ignore[misc]
    """Publishes `emotions` for the newest image on `image`, and tells how it fares."""

    def __init__(self) -> None:
        super().__init__("emotion_node")
        self._config = parameters.declare(self, NodeConfig)
        self._perceiving: Optional[Perceiving] = None
        self._input: Optional[ImageInput] = None
        self._failure: Optional[str] = None
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(DIAGNOSTICS_PERIOD_S, self._publish_diagnostics)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self.add_on_set_parameters_callback(self._on_parameters)

    def start(self) -> None:
        """Configure and activate, unless `autostart` is false; a failure is told, and can be tried again."""
        if self._config.autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def close(self) -> None:
        """Let go of camera and model."""
        self._stop_hearing()
        if self._perceiving is not None:
            self._perceiving.close()
            self._perceiving = None

    def destroy_node(self) -> None:
        """Leave the graph at once, shared memory included, and not when Python collects its garbage."""
        super().destroy_node()
        # rclpy's own leaves the state machine, which holds the node and so the whole DDS participant.
        machine = getattr(self, "_state_machine", None)
        if machine is not None:
            machine.destroy_when_not_in_use()

    def on_configure(self, _: Any) -> Any:
        """Load and warm up."""
        try:
            self._perceiving = Perceiving(self, self._config)
        except ExternalShutdownException:
            raise
        except Exception as error:  # rclpy would swallow it without a word
            self._failure = f"cannot be configured: {_words(error)}"
            self.get_logger().error(self._failure)
            return FAILURE
        self._failure = None
        return SUCCESS

    def on_activate(self, state: Any) -> Any:
        """Subscribe to the camera."""
        assert self._perceiving is not None
        config = self._config
        self._input = ImageInput(
            self, config.image_transport, config.input_reliability, self._perceiving.offer
        )
        self._perceiving.source = self._input
        self.get_logger().info(f"looking at {self._input.topic}")
        return SUCCESS

    def on_deactivate(self, state: Any) -> Any:
        """Free the camera."""
        self._stop_hearing()
        return SUCCESS

    def on_cleanup(self, _: Any) -> Any:
        """Unload."""
        self.close()
        return SUCCESS

    def on_shutdown(self, _: Any) -> Any:
        """Unload for good."""
        self.close()
        return SUCCESS

    def _stop_hearing(self) -> None:
        if self._input is None:
            return
        self._input.close()
        self._input = None
        if self._perceiving is not None:
            self._perceiving.source = None
            self._perceiving.forget()

    def _on_parameters(self, changes: List[Any]) -> SetParametersResult:
        try:
            config, fixed = parameters.changed(self._config, changes)
            if fixed and self._perceiving is not None:
                raise ConfigurationError(
                    f"parameter {', '.join(fixed)} may change only while the node is unconfigured: "
                    "deactivate and clean it up first"
                )
            if self._perceiving is not None:
                self._perceiving.reconfigure(config, LONGEST_CHANGE_S)
        except ExternalShutdownException:
            raise
        except Exception as error:  # whatever a change does to a library, the node goes on as it was
            self.get_logger().warning(f"refused: {_words(error)}")
            return SetParametersResult(successful=False, reason=_words(error))
        self._config = config
        return SetParametersResult(successful=True)

    def _on_reset(self, _: Any, response: Any) -> Any:
        if self._perceiving is None:
            response.success, response.message = False, "the node is not configured"
        else:
            self._perceiving.reset()
            response.success, response.message = True, "everybody is forgotten"
        return response

    def _publish_diagnostics(self) -> None:
        now = self.get_clock().now()
        name = self.get_fully_qualified_name().lstrip("/")
        if self._perceiving is None or self._input is None:
            state = "unconfigured" if self._perceiving is None else "inactive"
            statuses = [diagnostics.idle_status(f"{name}: perception", state, self._failure)]
        else:
            statuses = self._perceiving.statuses(name, now.nanoseconds * 1e-9)
        self._diagnostics.publish(DiagnosticArray(header=_header(now), status=statuses))


def _words(error: Exception) -> str:
    """What to tell of an error: ours are written for users, others need their type."""
    ours = isinstance(error, (LightferError, TimeoutError))
    return str(error) if ours else f"{type(error).__name__}: {error}"


def _header(now: Any) -> Any:
    from std_msgs.msg import Header

    return Header(stamp=now.to_msg())
