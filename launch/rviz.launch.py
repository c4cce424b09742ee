"""RViz with the overlay and the faces in space; runs beside the nodes, on any machine of the network."""

import os

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

LAYOUT = os.path.join(get_package_share_directory("lightfer_ros"), "config", "lightfer.rviz")


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "namespace",
                default_value="",
                description="Namespace of the emotion node: camera_left shows /camera_left/emotions/image.",
            ),
            DeclareLaunchArgument(
                "frame",
                default_value="camera_optical_frame",
                description="frame_id of the camera's images; faces are shown as it sees them. Needs no tf.",
            ),
            DeclareLaunchArgument("layout", default_value=LAYOUT, description="RViz configuration to open."),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="Take the time from /clock, as when a bag is played.",
            ),
            Node(
                package="rviz2",
                executable="rviz2",
                namespace=LaunchConfiguration("namespace"),
                arguments=["-d", LaunchConfiguration("layout"), "-f", LaunchConfiguration("frame")],
                # The layout names topics at the root.
                remappings=[
                    ("/emotions/image", "emotions/image"),
                    ("/emotions/markers", "emotions/markers"),
                ],
                parameters=[{"use_sim_time": LaunchConfiguration("use_sim_time")}],
                output="screen",
            ),
        ]
    )
