"""`lightfer benchmark detectors`: what each face detector finds, by size, yaw and tilt, and what it costs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from typing import TextIO

import cv2
import numpy as np

from lightfer_ros.benchmark.backgrounds import background
from lightfer_ros.benchmark.head_views import PLACES, View, poses
from lightfer_ros.benchmark.machine import machine
from lightfer_ros.benchmark.realtime import to_json
from lightfer_ros.benchmark.tracking_metrics import LEAST_IOU
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.detection import DETECTORS, Detector, make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.tracking import box_iou

SIDES_PX = (30, 40, 60, 80, 120, 200, 300)
YAWS_DEG, TILTS_DEG = (15, 30, 45, 60, 75), (15, 30, 45, 60, 90)

BESIDE = 0.25
"""A search begins that many sides beside the face, to the right: a prediction may be off by that."""

# fmt: off
NOBODY = (
    "brick.png", "chelsea.png", "clock_motion.png", "coffee.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg",
)
# fmt: on
"""Photos without people that come with scikit-image. Chelsea is a cat."""


@dataclass(frozen=True)
class Row:
    """What one detector finds of the views of a pose in one size: how many by a scan, and by a search."""

    detector: str
    pose: str
    side_px: int
    views: int
    scanned: int
    searched: int


@dataclass(frozen=True)
class Cost:
    """What one detector takes for it. ms: of processor time, medians of all scans and searches.

    false_boxes: in pictures that show nobody.
    """

    detector: str
    scan_ms: float
    search_ms: float
    pictures: int
    false_boxes: int


class Trial:
    """One detector at work, with the clock running."""

    def __init__(self, detector: Detector) -> None:
        """Nothing is measured yet."""
        self.name = detector.name
        self._detector = detector
        self._scan_s: list[float] = []
        self._search_s: list[float] = []

    def scan(self, frame: Frame) -> Faces:
        """The faces of a frame."""
        start = time.thread_time()
        faces = self._detector.detect(frame)
        self._scan_s.append(time.thread_time() - start)
        return faces

    def search(self, frame: Frame, box: np.ndarray) -> Faces:
        """The faces around a box, float64 [4]."""
        start = time.thread_time()
        faces = self._detector.search(frame, box)
        self._search_s.append(time.thread_time() - start)
        return faces

    def cost(self, nobody: Sequence[np.ndarray]) -> Cost:
        """What all calls took in the median, and what is seen in pictures of nobody, uint8 [h, w, 3] each."""
        scan_ms, search_ms = (1e3 * float(np.median(each)) for each in (self._scan_s, self._search_s))
        false = sum(len(self._detector.detect(Frame.from_array(picture))) for picture in nobody)
        return Cost(self.name, scan_ms, search_ms, len(nobody), false)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark detectors`."""
    add = parser.add_argument
    add("--detector", action="append", choices=DETECTORS, help="only this one; may be repeated")
    for name in ("scale", "threshold"):
        add(f"--{name}", type=float, default=0.0, help=f"detection_{name} (default: each detector's own)")
    add("--json", action="store_true", help="print a JSON object of rows, `found` and `costs`; no table")


def run(args: argparse.Namespace) -> int:
    """Show every view to every detector, print the tables or the JSON."""
    names = dict.fromkeys(args.detector or DETECTORS)
    asked = PipelineConfig(detection_scale=args.scale, detection_threshold=args.threshold)  # or it is refused
    detectors = [make_detector(replace(asked, detector=name).detection) for name in names]
    found, costs = measure(detectors, sys.stderr if args.json else sys.stdout)
    if args.json:
        rows = {"found": [asdict(row) for row in found], "costs": [to_json(cost) for cost in costs]}
        print(json.dumps(rows, indent=2))
    return 0


def measure(detectors: Iterable[Detector], out: TextIO) -> tuple[list[Row], list[Cost]]:
    """Every detector on every view and on pictures of nobody; `out` is told line by line.

    Raises ModelError where a photo or the mesh is missing, DataError without scikit-image.
    """
    cv2.setNumThreads(1)
    trials, found = [Trial(each) for each in detectors], list[Row]()
    where = machine()
    print(f"{where['processor']}, one of {where['cores']} cores; Python {where['python']}", file=out)
    print(f"faces found in 640×480 (IoU {LEAST_IOU}): by a scan, by a search around the place", file=out)
    print(f"{'':14}{'views':>5}  {'':10}" + "".join(f"{side:6} px " for side in SIDES_PX), file=out)
    for pose, views in poses(YAWS_DEG, TILTS_DEG):
        rows = [row for side in SIDES_PX for row in _shown(trials, pose, views, side)]
        for trial in trials:
            cells = "".join(f"{row.scanned:5}{row.searched:4} " for row in rows if row.detector == trial.name)
            print(f"{pose:14}{rows[0].views:5}  {trial.name:10}{cells}", file=out, flush=True)
        found += rows
    nobody = list(pictures_of_nobody())
    costs = [trial.cost(nobody) for trial in trials]
    print("\nms of processor time, median; boxes in pictures without people", file=out)
    for cost in costs:
        print(
            f"{cost.detector:10} scan {cost.scan_ms:6.2f}  search {cost.search_ms:5.2f}  "
            f"{cost.false_boxes} boxes in {cost.pictures} pictures",
            file=out,
        )
    return found, costs


def pictures_of_nobody() -> Iterator[np.ndarray]:
    """Each photo without people, and its four quarters enlarged, uint8 [480, 640, 3] BGR."""
    for name in NOBODY:
        photo = background(name)
        height, width = photo.shape[0] // 2, photo.shape[1] // 2
        yield photo
        for y, x in ((0, 0), (0, width), (height, 0), (height, width)):
            quarter = photo[y : y + height, x : x + width]
            yield np.asarray(cv2.resize(quarter, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def _shown(trials: Sequence[Trial], pose: str, views: Sequence[View], side_px: int) -> list[Row]:
    """The rows of a pose in one size: the views before one background after another."""
    scanned, searched = Counter[str](), Counter[str]()
    for view, (name, x, y) in zip(views, cycle(PLACES)):
        shown = view.before(background(name), x, y, side_px)
        frame = Frame.from_array(shown.picture)
        frame.grey  # noqa: B018 - made before the clock runs: a frame has it anyway
        beside = shown.box + [BESIDE * side_px, 0, BESIDE * side_px, 0]
        for trial in trials:
            scanned[trial.name] += _is_among(shown.box, trial.scan(frame))
            searched[trial.name] += _is_among(shown.box, trial.search(frame, beside))
    return [Row(t.name, pose, side_px, len(views), scanned[t.name], searched[t.name]) for t in trials]


def _is_among(box: np.ndarray, faces: Faces) -> bool:
    return bool((box_iou(faces.boxes, box[None]) >= LEAST_IOU).any())
