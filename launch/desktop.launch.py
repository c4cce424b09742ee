"""Camera to /emotions on a desktop or laptop; nano.launch.py is this with other defaults."""

import os

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

CONFIG = os.path.join(get_package_share_directory("lightfer_ros"), "config")

# Fast DDS 3, from Kilted on, calls its variable by its own name and warns of the older one.
OLDER = ("foxy", "galactic", "humble", "iron", "jazzy")
PROFILES_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def generate_launch_description():
    image_topic = LaunchConfiguration("image_topic")
    own_camera = IfCondition(PythonExpression(["'", image_topic, "' == ''"]))
    image = PythonExpression(["'", image_topic, "' or 'image'"])
    common = {"namespace": LaunchConfiguration("namespace"), "output": "screen"}
    params_file = LaunchConfiguration("params_file")
    sim_time = {"use_sim_time": LaunchConfiguration("use_sim_time")}
    return LaunchDescription(
        [
            *fast_dds_profile(),
            DeclareLaunchArgument(
                "source",
                default_value="0",
                description="Camera to play: a V4L2 number (0) or device (/dev/video0), a video, a picture, "
                "a folder of pictures, sample (the sample video), or a GStreamer pipeline that ends in "
                "appsink. Without effect when image_topic is given.",
            ),
            DeclareLaunchArgument(
                "image_topic",
                default_value="",
                description="Topic of a camera that is there already, for example /camera/image_raw; "
                "no camera of ours is started then. Empty: ours, on `image`.",
            ),
            DeclareLaunchArgument(
                "camera_info_topic",
                default_value="camera_info",
                description="Its sensor_msgs/CameraInfo, used for distances; not needed otherwise.",
            ),
            DeclareLaunchArgument(
                "image_transport",
                default_value="raw",
                choices=["raw", "compressed"],
                description="raw: sensor_msgs/Image on image_topic. compressed: "
                "sensor_msgs/CompressedImage on image_topic with /compressed appended.",
            ),
            DeclareLaunchArgument(
                "params_file",
                default_value=os.path.join(CONFIG, "desktop.yaml"),
                description="YAML file with the parameters of the nodes.",
            ),
            DeclareLaunchArgument(
                "namespace",
                default_value="",
                description="Namespace of nodes and topics: with camera_left, the emotions are on "
                "/camera_left/emotions. Empty: /emotions.",
            ),
            DeclareLaunchArgument(
                "record",
                default_value="false",
                choices=["true", "false"],
                description="Record emotions and /diagnostics into a rosbag2 folder (MCAP).",
            ),
            DeclareLaunchArgument(
                "bag",
                default_value="",
                description="Folder to record into; it must not exist yet. Empty: lightfer_bag_ with date "
                "and time, in the folder that the launch was started in.",
            ),
            DeclareLaunchArgument(
                "overlay",
                default_value="false",
                choices=["true", "false"],
                description="Show the picture with faces and emotions drawn in, in a window (needs the "
                "package image_tools). It is on emotions/image in any case.",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="Take the time from /clock, as when a bag is played.",
            ),
            # First: where image_tools is missing, launch stops here and leaves no other process behind.
            Node(
                package="image_tools",
                executable="showimage",
                condition=IfCondition(LaunchConfiguration("overlay")),
                remappings=[("image", "emotions/image")],
                **common,
            ),
            Node(
                package="lightfer_ros",
                executable="camera_node",
                condition=own_camera,
                parameters=[
                    params_file,
                    {"source": ParameterValue(LaunchConfiguration("source"), value_type=str)},
                    sim_time,
                ],
                **common,
            ),
            Node(
                package="lightfer_ros",
                executable="emotion_node",
                parameters=[
                    params_file,
                    {"image_transport": LaunchConfiguration("image_transport")},
                    sim_time,
                ],
                remappings=[
                    ("image", image),
                    ("image/compressed", [image, "/compressed"]),
                    ("camera_info", LaunchConfiguration("camera_info_topic")),
                ],
                **common,
            ),
            Node(
                package="lightfer_ros",
                executable="recorder",
                condition=IfCondition(LaunchConfiguration("record")),
                parameters=[
                    params_file,
                    {"output": ParameterValue(LaunchConfiguration("bag"), value_type=str)},
                    sim_time,
                ],
                **common,
            ),
        ]
    )


def fast_dds_profile():
    """Let raw images through Fast DDS (docs/fastdds.md), unless the user has a profile of their own."""
    if any(name in os.environ for name in PROFILES_VARIABLES):
        return []
    name = PROFILES_VARIABLES[os.environ.get("ROS_DISTRO") not in OLDER]
    return [SetEnvironmentVariable(name, os.path.join(CONFIG, "fastdds.xml"))]
