"""`lightfer demo`: a video through the node on a real ROS graph, shown here and kept in a folder."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Optional

from lightfer_ros.errors import LightferError
from lightfer_ros.model import EMOTIONS, manifest
from lightfer_ros.model.metadata import metadata_path
from lightfer_ros.nodes.statistics import STAGES

RESULTS = ("emotions.mp4", "emotions.png", "timeline.png", "bag", "summary.json")
LINE_PERIOD_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer demo`."""
    parser.add_argument("--source", default="sample", help="what to play: sample, a video, a camera, …")
    parser.add_argument(
        "--output", type=Path, default=Path("demo"), help="folder of the results (default: demo)"
    )
    parser.add_argument("--detector", default="auto", help="auto (default), yunet or dlib_hog")
    parser.add_argument("--model", default="default", help="classifier by name or path (default: default)")


def run(args: argparse.Namespace) -> int:
    """Play, show, write the results; 0 when every process did its work and ended cleanly."""
    try:
        import matplotlib  # noqa: F401  draws the timeline, when all has been played

        from lightfer_ros.nodes import demo
    except ImportError as error:
        raise LightferError(
            f"the demo needs ROS 2, lightfer_msgs and matplotlib ({error}); `make setup` brings them"
        ) from None
    from lightfer_ros.cli import demo_pictures
    from lightfer_ros.cli.overlay_video import OverlayVideo
    from lightfer_ros.perception.video import open_source

    open_source(args.source).close()  # a source that is not there is told before anything starts
    _clear(args.output)
    parts = _parts(args.source)
    video = OverlayVideo(args.output / "emotions.mp4")
    parameters = {"model": args.model, "detector": args.detector}
    domain = demo.isolate()
    print(f"playing {args.source} through emotion_node on ROS_DOMAIN_ID={domain}; Ctrl-C ends it early")
    recording = demo.run(args.source, args.output / "bag", parameters, _Printer().show, video.add)
    print("writing the pictures …")
    video.close()
    summary = summarize(recording)
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    (args.output / "summary.json").write_text(text, encoding="utf-8")
    demo_pictures.contact_sheet(video.pictures, parts, args.output / "emotions.png")
    demo_pictures.timeline(recording.answers, parts, args.output / "timeline.png")
    for name in RESULTS:
        print(f"  {args.output / name}")
    print(_last_line(summary))
    failed = {name: code for name, code in summary["exit_codes"].items() if code != 0}
    if failed or not summary["arrays_out"]:
        raise LightferError(
            f"the demo did not end well: exit codes {failed}, {summary['arrays_out']} answers"
        )
    return 130 if recording.interrupted else 0


def _last_line(summary: Dict[str, Any]) -> str:
    median = summary["stages_ms"].get("total", {}).get("p50", float("nan"))
    lost = summary["frames_lost"] if summary["frames_lost"] is not None else "?"
    return (
        f"{summary['frames_in']} frames in, {summary['arrays_out']} answered, "
        f"{summary['frames_dropped']} dropped for newer ones, {lost} lost in transport, "
        f"{len(summary['tracks'])} tracks, {median} ms a frame (median), "
        f"{summary['model']} in {summary['runtime']}"
    )


def _counted(value: str) -> Optional[int]:
    """A diagnostic's number; None where it says that it is not counted, as ROS 2 before Iron cannot."""
    return int(value) if value.isdigit() else None


def summarize(recording: Any) -> Dict[str, Any]:
    """What `summary.json` holds, from what the viewer recorded."""
    heard = recording.diagnostics.get("input", {})
    worked = recording.diagnostics.get("perception", {})
    tracks: Dict[int, List[Any]] = {}
    for at, faces in recording.answers:
        for track_id, label in zip(faces.track_id.tolist(), faces.label.tolist()):
            tracks.setdefault(track_id, []).append((at, EMOTIONS[label] if label >= 0 else "unknown"))
    from lightfer_ros.nodes.statistics import SAMPLES

    stages = {
        stage: {p: float(worked[f"{stage} {p} (ms)"]) for p in ("p50", "p99")}
        for stage in (*STAGES, "age at publication")
        if f"{stage} p50 (ms)" in worked
    }
    return {
        "frames_in": int(heard.get("images published", 0)),
        "arrays_out": len(recording.answers),
        "frames_dropped": int(heard.get("images dropped for a newer one", 0)),
        "frames_lost": _counted(heard.get("images lost in transport", "0")),
        "frames_refused": int(heard.get("images refused", 0)),
        "faces_most": max((len(faces) for _, faces in recording.answers), default=0),
        "tracks": [
            {
                "track_id": track_id,
                "from_s": round(rows[0][0], 2),
                "to_s": round(rows[-1][0], 2),
                "labels": {
                    name: sum(1 for _, n in rows if n == name) for name in sorted({n for _, n in rows})
                },
            }
            for track_id, rows in sorted(tracks.items())
        ],
        "stages_ms": stages,
        "stages_ms_are_over": f"the newest {SAMPLES} frames at most",
        "runtime": worked.get("runtime", ""),
        "model": worked.get("model", ""),
        "detector": worked.get("detector", ""),
        "exit_codes": recording.exit_codes,
    }


class _Printer:
    """Says in the terminal what is seen, a line every half second."""

    def __init__(self) -> None:
        self._last = -LINE_PERIOD_S

    def show(self, at: float, faces: Any) -> None:
        if at - self._last < LINE_PERIOD_S:
            return
        self._last = at
        said = [
            f"#{track_id} {EMOTIONS[label]} {faces.probabilities[i, label]:.0%}"
            if label >= 0
            else f"#{track_id} …"
            for i, (track_id, label) in enumerate(zip(faces.track_id.tolist(), faces.label.tolist()))
        ]
        print(f"{at:6.1f} s  {'   '.join(said) or 'nobody'}", flush=True)


def _parts(source: str) -> List[Any]:
    """The sample's parts by name, start and end; nothing for other videos."""
    if source != "sample":
        return []
    record = metadata_path(manifest.find("sample"))
    values = json.loads(record.read_text(encoding="utf-8"))
    return [(part["name"], part["start"], part["end"]) for part in values["parts"]]


def _clear(output: Path) -> None:
    """Make the folder, without the results of an earlier demo; anything else in it stays."""
    output.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        path = output / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            os.remove(path)
