"""Every parameter of the recorder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from lightfer_ros.perception.settings import check_settings, setting


@dataclass(frozen=True)
class RecorderConfig:
    """What is recorded, and into which folder."""

    topics: Tuple[str, ...] = setting(
        ("emotions", "/diagnostics"),
        "Topics to record, each from the moment it has a publisher.",
        live=False,
    )
    output: str = setting(
        "",
        "Folder of the bag, which must not exist; empty: lightfer_bag_ with date and time.",
        live=False,
    )

    def __post_init__(self) -> None:
        check_settings(self)
