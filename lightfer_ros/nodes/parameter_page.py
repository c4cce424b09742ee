"""The page of all parameters, made from their declarations; `python3 -m` this module prints it."""

from __future__ import annotations

from typing import List

from lightfer_ros.nodes.camera_config import CameraConfig
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.perception.settings import settings_of

_HEAD = """# Parameters

Made from the declarations by `python3 -m lightfer_ros.nodes.parameter_page > docs/parameters.md`; a test
holds the two together. A value outside its range is refused with the parameter's name, the value and the
range, at start-up and while running. *live* parameters take effect with the next image; the others may change
only while the node is unconfigured (`ros2 lifecycle set /emotion_node deactivate`, then `cleanup`).
"""

_READ_ONLY = (
    "| `autostart` | `true` | true or false | no | Configure and activate at start-up; false leaves it to a "
    "lifecycle manager. Read-only. |"
)


def page() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for title, kind, more in (
        ("emotion_node", NodeConfig, [_READ_ONLY]),
        ("camera_node", CameraConfig, []),
    ):
        lines += [f"## {title}\n", "| name | default | allowed | live | meaning |", "|---|---|---|---|---|"]
        lines += [*_rows(kind), *more, ""]
    lines += [
        "## recorder\n",
        "| name | default | meaning |",
        "|---|---|---|",
        '| `topics` | `["emotions", "/diagnostics"]` | What to record, from when it has a publisher. |',
        "| `output` | `lightfer_bag_<date>` | Folder of the bag; must not exist. |",
        "",
    ]
    return "\n".join(lines)


def _rows(kind: type) -> List[str]:
    rows = []
    for declared in settings_of(kind).values():
        default = str(declared.default).lower() if declared.kind is bool else declared.default
        live = "yes" if declared.live else "no"
        rows.append(
            f"| `{declared.name}` | `{default}` | {declared.allowed} | {live} | {declared.description} |"
        )
    return rows


if __name__ == "__main__":
    print(page(), end="")
