"""Camera to /emotions on a Jetson Nano: desktop.launch.py with the defaults that a Nano wants."""

import os

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.launch_description_sources import get_launch_description_from_python_launch_file

from launch import LaunchDescription

SHARE = get_package_share_directory("lightfer_ros")

CSI = (
    "nvarguscamerasrc ! video/x-raw(memory:NVMM), width=1280, height=720, framerate=30/1 "
    "! nvvidconv ! video/x-raw, width=640, height=360, format=BGRx "
    "! videoconvert ! video/x-raw, format=BGR ! appsink drop=true max-buffers=1"
)


def generate_launch_description():
    # Not an IncludeLaunchDescription: Foxy shows no arguments of included files.
    desktop = get_launch_description_from_python_launch_file(
        os.path.join(SHARE, "launch", "desktop.launch.py")
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source",
                default_value=CSI,
                description="Camera to play: the CSI camera (this default, a GStreamer pipeline), or a USB "
                "camera by its V4L2 number (0) or device (/dev/video0), a video, a picture, a folder of "
                "pictures, or sample. Without effect when image_topic is given.",
            ),
            DeclareLaunchArgument(
                "params_file",
                default_value=os.path.join(SHARE, "config", "nano.yaml"),
                description="YAML file with the parameters of the nodes.",
            ),
            *desktop.entities,  # of an argument declared twice, the first default holds
        ]
    )
