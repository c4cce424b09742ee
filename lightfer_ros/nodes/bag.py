"""Writing a rosbag2 folder (MCAP) that any ROS 2, Foxglove and plain MCAP readers open."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Dict

from lightfer_ros.errors import DataError

OUR_MESSAGES = "lightfer_msgs"


class BagWriter:
    """One bag being written; messages come serialized (CDR), so nothing is lost or rounded on the way.

    The folder must not exist. It is readable once closed; a killed writer leaves an MCAP file that
    `mcap recover` mends. Needs the `rosbags` package.
    """

    def __init__(self, path: Path) -> None:
        """Raises DataError where the folder exists or cannot be made, or `rosbags` is missing."""
        try:
            from rosbags.rosbag2 import StoragePlugin, Writer
            from rosbags.rosbag2.errors import WriterError
        except ImportError:
            raise DataError("recording needs rosbags: pip install 'lightfer_ros[record]'") from None
        self._typestore = _typestore()
        self._connections: Dict[str, Any] = {}
        self._path = path
        self.written = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Version 8 is the newest whose quality of service older distributions can read.
            self._writer = Writer(path, version=8, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (WriterError, OSError) as error:
            raise DataError(f"bag {path}: expected a folder that does not exist yet ({error})") from None

    def add_topic(self, topic: str, message_type: str) -> None:
        """Announce a topic, its type as ROS names it ("std_msgs/msg/String").

        Raises DataError for a type that is neither one of the common ones nor ours.
        """
        if message_type not in self._typestore.fielddefs:
            raise DataError(f"{message_type} is no common ROS type and none of {OUR_MESSAGES}")
        self._connections[topic] = self._writer.add_connection(topic, message_type, typestore=self._typestore)

    def write(self, topic: str, stamp_ns: int, serialized: bytes) -> None:
        """Write one message; `stamp_ns` is when it was received. Raises DataError where the disk is full."""
        try:
            self._writer.write(self._connections[topic], stamp_ns, serialized)
        except OSError as error:
            raise DataError(f"bag {self._path} cannot be written: {error.strerror}") from None
        self.written += 1

    def close(self) -> None:
        """Finish the bag. Raises DataError where the disk is full."""
        try:
            self._writer.close()
        except OSError as error:
            raise DataError(f"bag {self._path} cannot be finished: {error.strerror}") from None


def _typestore() -> Any:
    """The common ROS types, and ours from the .msg files that were installed with them."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    typestore = get_typestore(Stores.ROS2_JAZZY)
    for definition in sorted(_messages_folder().glob("*.msg")):
        text = definition.read_text(encoding="utf-8")
        typestore.register(get_types_from_msg(text, f"{OUR_MESSAGES}/msg/{definition.stem}"))
    return typestore


def _messages_folder() -> Path:
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    for prefix in prefixes:
        folder = Path(prefix) / "share" / OUR_MESSAGES / "msg"
        if folder.is_dir():
            return folder
    raise DataError(f"the definitions of {OUR_MESSAGES} are not in share/ of any of: {', '.join(prefixes)}")
