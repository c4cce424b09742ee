"""`lightfer benchmark ros`: rate, latency, processor and memory of the node on a real ROS graph."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.benchmark.busy import busy_processes
from lightfer_ros.benchmark.machine import ProcessLoad, machine
from lightfer_ros.benchmark.options import check_pipeline_threads
from lightfer_ros.benchmark.ros_table import Played, SceneResult, Table
from lightfer_ros.benchmark.scenes import SCENES, Scene, write_video
from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.nodes.statistics import STAGES

WARM_UP_S = 3.0
LEAST_SIDE, MOST_BUSY = 96, 64

PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark ros`."""
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time a scene (default: 20)")
    parser.add_argument("--size", default="640x480", metavar="WxH", help="of the pictures (default: 640x480)")
    parser.add_argument(
        "--transport", default="raw", choices=("raw", "compressed"), help="how they travel (default: raw)"
    )
    parser.add_argument(
        "--busy", type=int, default=0, metavar="N", help="beside N processes that only count (default: 0)"
    )
    parser.add_argument(
        "--threads", type=int, default=2, help="the node's parameter (default: 2, the node's own default)"
    )
    parser.add_argument("--detector", default="auto", help="auto (default), yunet or dlib_hog")
    parser.add_argument("--model", default="default", help="classifier by name or path (default: default)")
    parser.add_argument(
        "--plain-fastdds",
        action="store_true",
        help="leave Fast DDS without the profile that the launch files set",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")


def run(args: argparse.Namespace) -> int:
    """Measure every scene, and print a table while it runs, or one JSON object at the end."""
    if not args.seconds >= 1.0:
        raise ConfigurationError(f"--seconds is {args.seconds:g}, expected at least 1")
    size = read_size(args.size)
    if not 0 <= args.busy <= MOST_BUSY:
        raise ConfigurationError(f"--busy is {args.busy}, expected 0 to {MOST_BUSY}")
    check_pipeline_threads(args.threads)
    profile = prepare_environment(args.plain_fastdds)
    where = machine()
    table = Table(sys.stderr if args.json else sys.stdout, args.busy)
    table.begin(where, Played(*size, args.transport, args.seconds, args.threads), profile)
    parameters = {
        "detector": args.detector,
        "model": args.model,
        "image_transport": args.transport,
        "threads": args.threads,
    }
    results = []
    for scene in SCENES:
        results.append(measure(scene, size, parameters, args.seconds, args.busy, table.progress))
        table.row(results[-1])
    table.end(results)
    if args.json:
        scenes = [asdict(result) for result in results]
        conditions = {name: getattr(args, name) for name in ("size", "transport", "threads", "busy")}
        about = {"machine": where, "fastdds_profile": profile, **conditions}
        print(json.dumps({**about, "scenes": scenes}, indent=2))
    return 0


def read_size(text: str) -> tuple[int, int]:
    """Width and height from "WxH". Raises ConfigurationError for anything else, and for odd or tiny ones."""
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(size) < LEAST_SIDE or size[0] % 2 or size[1] % 2:
        raise ConfigurationError(
            f"--size is {text!r}, expected WxH in pixels, both even and {LEAST_SIDE} to 9998, as 1280x720"
        )
    return size


def prepare_environment(plain_fastdds: bool) -> str:
    """Keep ROS to this machine, and give Fast DDS the profile that the launch files give it.

    A profile of the user's own stays. Returns the path of the profile in use, empty where there is none.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    own = next((os.environ[name] for name in PROFILE_VARIABLES if os.environ.get(name)), "")
    if own or plain_fastdds:
        return own
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    folders = [Path(__file__).resolve().parents[2], *(Path(p) / "share" / "lightfer_ros" for p in prefixes)]
    for path in (folder / "config" / "fastdds.xml" for folder in folders):
        if path.is_file():
            os.environ.update(dict.fromkeys(PROFILE_VARIABLES, str(path)))
            return str(path)
    return ""


def measure(
    scene: Scene,
    size: tuple[int, int],
    parameters: dict[str, Any],
    seconds: float,
    busy: int,
    progress: Callable[[Scene, Any], None],
) -> SceneResult:
    """Play a scene through a fresh node.

    size: width and height of its pictures. busy: how many processes only count meanwhile. progress: called
    each second with the scene and what was seen.

    Raises LightferError where there is no ROS, or a process failed.
    """
    try:
        from lightfer_ros.nodes import measuring
    except ImportError as error:
        raise LightferError(
            f"this benchmark needs ROS 2 and lightfer_msgs ({error}); `make setup` brings them"
        ) from None
    with tempfile.TemporaryDirectory(prefix="lightfer-benchmark-") as folder:
        video = Path(folder) / "scene.mp4"
        write_video(scene, video, *size)
        with busy_processes(busy):
            heard = measuring.measure(
                str(video), parameters, WARM_UP_S, seconds, ProcessLoad.of, lambda h: progress(scene, h)
            )
    return summarize(scene, heard)


def summarize(scene: Scene, heard: Any) -> SceneResult:
    """The result of a scene from a `measuring.Measurement`. Raises LightferError without answers."""
    if not heard.latency_s:
        raise LightferError(f"{scene.name}: none of {len(heard.published)} images was answered")
    latency_ms = 1000.0 * np.array(list(heard.latency_s.values()))
    p50, p99 = np.percentile(latency_ms, (50, 99))
    first, last = heard.probes
    about = heard.diagnostics.get("perception", {})
    return SceneResult(
        scene=scene.name,
        people=scene.people,
        faces_found=dict(sorted(Counter(heard.faces.values()).items())),
        seconds=round(heard.seconds, 2),
        images=len(heard.published),
        answers=len(latency_ms),
        dropped=len(heard.published) - len(latency_ms),
        rate_hz=round(len(latency_ms) / heard.seconds, 2),
        latency_p50_ms=round(float(p50), 2),
        latency_p99_ms=round(float(p99), 2),
        latency_max_ms=round(float(latency_ms.max()), 2),
        oldest_ms=round(1000.0 * oldest(heard.latency_s), 2),
        cpu_percent=round(last.cpu_percent_since(first), 1),
        memory_mb=round(last.memory_mb, 1),
        peak_memory_mb=round(last.peak_memory_mb, 1),
        stages_ms={
            stage: {p: float(about[f"{stage} {p} (ms)"]) for p in ("p50", "p99")}
            for stage in STAGES
            if f"{stage} p50 (ms)" in about
        },
        model=about.get("model", ""),
        runtime=about.get("runtime", ""),
        detector=about.get("detector", ""),
    )


def oldest(latency_s: dict[tuple[int, int], float]) -> float:
    """How old, in seconds, the newest answer ever was: just before the next one came.

    latency_s: from an image's stamp (seconds, nanoseconds) to its answer received, by stamp.
    """
    stamps = np.array([sec + 1e-9 * nanosec for sec, nanosec in latency_s])
    came = stamps + np.array(list(latency_s.values()))
    order = np.argsort(came)
    ages = came[order][1:] - np.maximum.accumulate(stamps[order])[:-1]
    return float(ages.max(initial=0.0)) or next(iter(latency_s.values()))
