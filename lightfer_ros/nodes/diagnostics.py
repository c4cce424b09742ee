"""What the node says about itself once a second, and what each level means."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.qos import ReliabilityPolicy

from lightfer_ros.nodes.image_input import ImageInput
from lightfer_ros.nodes.statistics import Percentiles, Rate, Refusals

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
"""OK: does its work. WARN: works, but a person should look. ERROR: does not do its work."""

LOSS_WORTH_A_WARNING = 0.05
"""Share of the published frames that never arrive."""

FAST_DDS_PAGE = "docs/fastdds.md"


class Counters:
    """What the node has done since it was configured."""

    def __init__(self) -> None:
        self.published = 0
        self.faces = 0
        self.refusals = Refusals()
        self.failures = Refusals()
        self.stages_ms = Percentiles()
        self.output_rate = Rate()


def input_status(
    name: str, source: ImageInput, counters: Counters, dropped: int, timeout_s: float, now: float
) -> DiagnosticStatus:
    """How the camera is heard. `now` in the node's own clock, seconds."""
    traffic, rates, silence = source.traffic, source.rates(now), source.silence()
    level, message = OK, "images arrive" if traffic.seen else "waits for the first image"
    if not 0.0 <= silence <= timeout_s:
        level, message = WARN, _silence(source, silence)
    elif rates.lost > LOSS_WORTH_A_WARNING * rates.published:
        level = WARN
        message = (
            f"frames get lost on {source.topic}: {rates.published:.1f} Hz published, "
            f"{rates.seen:.1f} Hz seen; see {FAST_DDS_PAGE}"
        )
    elif counters.refusals.is_news(now):
        level, message = WARN, f"frames were refused: {counters.refusals.last}"
    age = silence if traffic.seen else float("nan")
    return _status(
        name,
        level,
        message,
        {
            "topic": source.topic,
            "reliability": source.reliability.name.lower(),
            "publishers": str(len(source.publishers())),
            "rate published (Hz)": f"{rates.published:.1f}",
            "rate seen (Hz)": f"{rates.seen:.1f}",
            "images published": str(traffic.published),
            "images received": str(traffic.seen),
            "images lost in transport": str(traffic.lost) if source.counts_lost else "not counted here",
            "images dropped for a newer one": str(dropped + source.overwritten),
            "images refused": str(counters.refusals.total),
            "last refusal": counters.refusals.last,
            "age of newest image (s)": f"{age:.3f}",
        },
    )


def perception_status(
    name: str, counters: Counters, about: Dict[str, str], notes: Sequence[str], now: float
) -> DiagnosticStatus:
    """How the work goes: rate, faces, time per stage, and what was passed over to get here."""
    level, message = OK, "emotions are published" if counters.published else "no image answered yet"
    if notes:
        level, message = WARN, "; ".join(notes)
    if counters.failures.is_news(now):
        level, message = ERROR, f"images failed: {counters.failures.last}"
    values = dict(about)
    values["rate out (Hz)"] = f"{counters.output_rate.per_second(now):.1f}"
    values["arrays published"] = str(counters.published)
    values["faces in newest image"] = str(counters.faces)
    values["images failed"] = str(counters.failures.total)
    for stage in counters.stages_ms.names:
        p50, p99 = counters.stages_ms.percentiles(stage, (50, 99))
        values[f"{stage} p50 (ms)"] = f"{p50:.2f}"
        values[f"{stage} p99 (ms)"] = f"{p99:.2f}"
    return _status(name, level, message, values)


def idle_status(name: str, state: str, failure: Optional[str]) -> DiagnosticStatus:
    """A node that is not active: by choice, or because it could not be configured."""
    if failure:
        return _status(name, ERROR, failure, {"state": state})
    return _status(name, OK, f"{state}: does not look at images", {"state": state})


def _silence(source: ImageInput, seconds: float) -> str:
    """Why no image comes: nobody publishes, another type, another reliability, or a silent publisher."""
    since = f"for {seconds:.1f} s" if seconds >= 0.0 else "since the clock jumped back"
    if not source.traffic.seen:
        since = "yet"
    publishers = source.publishers()
    start = f"no image on {source.topic} {since}: it has "
    if not publishers:
        return start + "no publisher"
    start += f"{len(publishers)} publisher{'s' if len(publishers) > 1 else ''}, "
    matching, reasons = _matching(source, publishers)
    if not matching:
        return start + f"none matches: {'; '.join(reasons)}"
    return start + f"{matching} with matching type and QoS, all silent"


def _matching(source: ImageInput, publishers: Sequence[Any]) -> Tuple[int, List[str]]:
    reasons = []
    for info in publishers:
        reliability = info.qos_profile.reliability
        if info.topic_type != source.topic_type:
            reasons.append(f"{info.node_name} publishes {info.topic_type}, expected {source.topic_type}")
        elif (
            source.reliability == ReliabilityPolicy.RELIABLE and reliability == ReliabilityPolicy.BEST_EFFORT
        ):
            reasons.append(f"{info.node_name} offers best effort, we ask for reliable")
    return len(publishers) - len(reasons), reasons


def _status(name: str, level: bytes, message: str, values: Dict[str, str]) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=message, hardware_id="lightfer", values=pairs)
