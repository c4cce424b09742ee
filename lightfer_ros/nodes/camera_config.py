"""Every parameter of the camera node."""

from __future__ import annotations

from dataclasses import dataclass

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.perception.settings import check_settings, setting


@dataclass(frozen=True)
class CameraConfig:
    """Where pictures come from, and how they are published."""

    source: str = setting(
        "sample",
        """What to play: sample (the sample video), a camera (0 or /dev/video0), a video, a picture, a folder
        of pictures, or a GStreamer pipeline that ends in appsink.""",
        live=False,
    )
    rate: float = setting(
        0.0,
        "Pictures per second; 0 leaves a video or camera its own.",
        minimum=0.0,
        maximum=1000.0,
        live=False,
    )
    width: int = setting(
        0,
        "Width to ask a camera for, with height, pixels; 0 leaves it its own.",
        minimum=0,
        maximum=10000,
        live=False,
    )
    height: int = setting(
        0,
        "Height to ask a camera for, with width, pixels; 0 leaves it its own.",
        minimum=0,
        maximum=10000,
        live=False,
    )
    loop: bool = setting(False, "Start a video or folder again after its end.", live=False)
    exit_at_end: bool = setting(
        False, "End the process after the last picture instead of waiting.", live=False
    )
    wait_for_subscriber: bool = setting(
        False, "Show the first picture only when somebody listens, so that nobody misses it.", live=False
    )
    frame_id: str = setting("camera_optical_frame", "frame_id of every header.", live=False)
    field_of_view_deg: float = setting(
        60.0,
        "Horizontal field of view that camera_info is made from, of a pinhole without distortion.",
        minimum=1.0,
        maximum=179.0,
        live=False,
    )
    reliability: str = setting(
        "reliable",
        "Reliability offered; best_effort loses raw frames with an untuned Fast DDS.",
        choices=("reliable", "best_effort"),
        live=False,
    )
    jpeg_quality: int = setting(
        90,
        "Quality of image/compressed, which is made only while somebody listens.",
        minimum=1,
        maximum=100,
        live=False,
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if bool(self.width) != bool(self.height):
            raise ConfigurationError(
                f"width is {self.width} and height is {self.height}, expected both, or 0 for both"
            )
