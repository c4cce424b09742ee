"""Every parameter of the emotion node: those of the pipeline and those of its place in a ROS graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.settings import retuned, setting
from lightfer_ros.runtimes import RuntimeOptions
from lightfer_ros.runtimes.options import ENGINE_PRECISIONS, default_engine_cache


@dataclass(frozen=True)
class NodeConfig(PipelineConfig):
    """The pipeline's settings, and how the node hears and speaks."""

    answer_ms: float = retuned(PipelineConfig, "answer_ms", 6.0)
    providers: str = setting(
        "",
        """Execution providers to try first, in this order, by the names the engine has for them, separated by
        commas; empty leaves the engine's own order.""",
        live=False,
    )
    allow_fallback: bool = setting(
        True,
        """Whether an engine or provider that was not named may be used where those named fail; log and
        diagnostics say so.""",
        live=False,
    )
    engine_precision: str = setting(
        RuntimeOptions.engine_precision,
        "What a TensorRT engine made of a float model computes in, before TensorRT 11.",
        choices=ENGINE_PRECISIONS,
        live=False,
    )
    engine_cache: str = setting(
        "",
        """Folder of the TensorRT engines built on this machine; empty is lightfer/engines in the user's
        cache.""",
        live=False,
    )
    build_engine: bool = setting(
        True,
        """Build a TensorRT engine that is missing or stale in a process beside the node, which meanwhile runs
        on what comes next, and take it when it is there.""",
        live=False,
    )
    autostart: bool = setting(
        True,
        "Configure and activate at start-up; false leaves it to a lifecycle manager.",
        live=False,
    )
    image_transport: str = setting(
        "raw",
        """Type of the `image` topic: raw is sensor_msgs/Image, compressed is sensor_msgs/CompressedImage on
        `image/compressed`.""",
        choices=("raw", "compressed"),
        live=False,
    )
    jpeg_reduction: str = setting(
        "auto",
        """By how much JPEGs are decoded smaller than they are, in width and height: quicker, and faces have
        to be so much larger. auto reduces as far as 1280x960 pixels are left: 4K by 2. Messages stay in the
        pixels of what was sent; the overlay is as small as what was looked at.""",
        choices=("auto", "1", "2", "4", "8"),
    )
    input_reliability: str = setting(
        "auto",
        """Reliability asked of the camera: auto follows the publisher that is there. Best effort loses raw
        frames with an untuned Fast DDS.""",
        choices=("auto", "reliable", "best_effort"),
        live=False,
    )
    input_timeout_s: float = setting(
        2.0,
        "Seconds without an image after which diagnostics warn.",
        minimum=0.1,
        maximum=3600.0,
    )
    overlay_jpeg_quality: int = setting(
        80, "JPEG quality of emotions/image/compressed.", minimum=1, maximum=100
    )
    assumed_face_width_m: float = setting(
        0.15,
        """Width of a face (the box from temple to temple), in metres, from which the distance is estimated
        where there is no depth.""",
        minimum=0.01,
        maximum=1.0,
    )
    assumed_field_of_view_deg: float = setting(
        60.0,
        """Horizontal field of view that the distance is estimated with until a camera_info with a focal
        length has come.""",
        minimum=10.0,
        maximum=170.0,
    )

    @property
    def runtime_options(self) -> RuntimeOptions:
        """How the classifier is to be run."""
        return RuntimeOptions(
            runtime=self.runtime,
            providers=tuple(name.strip() for name in self.providers.split(",") if name.strip()),
            threads=self.inference_threads,
            allow_fallback=self.allow_fallback,
            engine_precision=self.engine_precision,
            engine_cache=Path(self.engine_cache) if self.engine_cache else default_engine_cache(),
        )
