"""The page of all parameters, made from their declarations; `python3 -m` this module prints it."""

from __future__ import annotations

from typing import List

from lightfer_ros.nodes.camera_config import CameraConfig
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.recorder_config import RecorderConfig
from lightfer_ros.perception.settings import settings_of

_HEAD = """# Parameters

Made from the declarations by `python3 -m lightfer_ros.nodes.parameter_page > docs/parameters.md`; a test
holds the two together. A value outside its range is refused with the parameter's name, the value and the
range, at start-up and while running. *live* parameters take effect with the next image; the others may change
only while the node is unconfigured (`ros2 lifecycle set /emotion_node deactivate`, then `cleanup`).
camera_node and recorder have no lifecycle: they read theirs when they start, and refuse later changes.
"""


def page() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    nodes = (("emotion_node", NodeConfig), ("camera_node", CameraConfig), ("recorder", RecorderConfig))
    for title, kind in nodes:
        lines += [f"## {title}\n", "| name | default | allowed | live | meaning |", "|---|---|---|---|---|"]
        lines += [*_rows(kind), ""]
    return "\n".join(lines)


def _rows(kind: type) -> List[str]:
    rows = []
    for declared in settings_of(kind).values():
        default = str(declared.default).lower() if declared.kind is bool else declared.default
        if declared.kind is tuple:
            default = f"[{', '.join(declared.default)}]"
        live = "yes" if declared.live else "no"
        rows.append(
            f"| `{declared.name}` | `{default}` | {declared.allowed} | {live} | {declared.description} |"
        )
    return rows


if __name__ == "__main__":
    print(page(), end="")
