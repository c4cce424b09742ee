"""`emotion_node`: camera images in, the expressions of the people in them out. `main` is light on purpose."""

from __future__ import annotations

import sys
from typing import Callable, List, Optional

from lightfer_ros.nodes import process


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the node until it is told to stop; returns the exit code."""

    def import_node() -> Callable[[], object]:
        from lightfer_ros.nodes.emotion import EmotionNode

        return EmotionNode

    return process.run(import_node, arguments)


if __name__ == "__main__":
    sys.exit(main())
