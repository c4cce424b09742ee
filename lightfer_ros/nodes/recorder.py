"""`recorder`: writes /emotions and /diagnostics (or any other topics) into a rosbag2 folder."""

from __future__ import annotations

import sys
from typing import Callable, List, Optional

from lightfer_ros.nodes import process


def main(arguments: Optional[List[str]] = None) -> int:
    """Record until told to stop; returns the exit code."""

    def import_node() -> Callable[[], object]:
        from lightfer_ros.nodes.recording import RecorderNode

        return RecorderNode

    return process.run(import_node, arguments)


if __name__ == "__main__":
    sys.exit(main())
