"""`camera_node`: a camera for those who have no driver. `main` is light on purpose."""

from __future__ import annotations

import sys
from typing import Callable, List, Optional

from lightfer_ros.nodes import process


def main(arguments: Optional[List[str]] = None) -> int:
    """Publish until told to stop; returns the exit code."""

    def import_node() -> Callable[[], object]:
        from lightfer_ros.nodes.camera import CameraNode

        return CameraNode

    return process.run(import_node, arguments)


if __name__ == "__main__":
    sys.exit(main())
