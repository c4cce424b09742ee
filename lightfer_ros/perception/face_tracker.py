"""Who is where in each frame: looking everywhere seldom, at known people always."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

import numpy as np

from lightfer_ros.perception.appearance import patches
from lightfer_ros.perception.association import Association
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.confirmation import SURE, Known, are_alone, overlapping
from lightfer_ros.perception.detection import Detector, make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.few import largest
from lightfer_ros.perception.following import Follower
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor, tilt_deg
from lightfer_ros.perception.scene_cut import CutDetector
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.tracking import Tracker, box_iou

MOST_SECONDS_BETWEEN_FRAMES = 0.5
"""After a longer gap nobody is followed from where they were: the frame is scanned."""

CONFIRMING = 0.7
"""A detection where a known face is may be less sure than one of a stranger, by this factor."""

MOST_SEARCHES = 2
"""Searches of a frame, for those who are least like themselves; the others wait for the next frame."""


class _Picture(NamedTuple):
    """A frame's picture, uint8 [h, w], its time, and that since the frame before, seconds."""

    grey: np.ndarray
    stamp: float
    gap: float


class FaceTracker:
    """Finds and follows everybody: boxes, 68 landmarks and track_ids, frame after frame."""

    def __init__(self, config: PipelineConfig, predictor: LandmarkPredictor) -> None:
        """Load the detector. Raises ModelError, RuntimeUnavailableError."""
        self._config = config
        self._predictor = predictor
        self._detector = make_detector(config.detection)
        self._tracker = Tracker(config.track_timeout_s)
        self._follower = Follower(predictor)
        self._association = Association(self._tracker, self._follower, predictor)
        self._cuts = CutDetector()
        self._faces = Faces.empty()
        self._calm = False
        self._unrefined: Optional[_Picture] = None
        self._last_stamp: Optional[float] = None
        self._last_scan: Optional[float] = None
        self._size = (0, 0)

    @property
    def detector(self) -> Detector:
        """The detector in use."""
        return self._detector

    @property
    def track_ids(self) -> List[int]:
        """The tracks that are alive, in view or only just out of it."""
        return self._tracker.track_ids

    def update(self, frame: Frame, stamp: float, times: StageTimes) -> Faces:
        """Everybody in sight in this frame, by ascending track_id; `stamp` in seconds, may jump."""
        self.refine()
        grey = frame.grey
        if (frame.width, frame.height) != self._size:
            self.reset()
            self._size = (frame.width, frame.height)
        if self._cuts.is_cut(grey):
            self._forget()
        self._tracker.forget(stamp)
        gap = 0.0 if self._last_stamp is None else stamp - self._last_stamp
        # A stamp that stands still may be a driver that never sets it: then only scanning is safe.
        continuous = 0.0 < gap <= MOST_SECONDS_BETWEEN_FRAMES
        with times.measure("follow"):
            known = self._follow(self._faces if continuous else Faces.empty(), grey, stamp, gap)
        doubted = self._doubted(known)
        with times.measure("detect"):
            if not continuous or self._scan_is_due(stamp):
                detected, looked_for = self._scan(frame, known, stamp), np.ones(len(known.faces), bool)
            else:
                found = self._search(frame, known, doubted) if doubted.any() else Faces.empty()
                detected, looked_for = found, doubted
        threshold, most = self._detector.threshold, self._config.max_faces
        faces = self._association.identified(grey, known, detected, looked_for, threshold, most, stamp, times)
        self._follower.remember(faces, grey, stamp)
        self._calm = len(faces) > 0 and not doubted.any() and not self._tracker.out_of_sight
        self._faces, self._last_stamp = faces, stamp
        self._unrefined = _Picture(grey, stamp, gap)
        return faces[~self._association.half_hidden(faces.track_id)]

    def refine(self) -> None:
        """Fit landmarks anew in the newest frame, for whom it is time; once a frame, and at the latest in the
        next `update`. What that one finds is the same."""
        if self._unrefined is not None:
            grey, stamp, gap = self._unrefined
            self._unrefined = None
            self._faces = self._follower.refine(self._faces, grey, stamp, gap)

    def reconfigure(self, config: PipelineConfig) -> None:
        """Use other settings from the next frame on. Raises what making a detector raises."""
        if config.detection != self._config.detection:
            self._detector = make_detector(config.detection)
        self._tracker.timeout_s = config.track_timeout_s
        self._config = config

    def reset(self) -> None:
        """Forget everybody seen so far, and the picture."""
        self._forget()
        self._cuts.reset()

    def _forget(self) -> None:
        self._tracker.reset()
        self._follower = Follower(self._predictor)
        self._association = Association(self._tracker, self._follower, self._predictor)
        self._faces, self._unrefined, self._last_scan = Faces.empty(), None, None

    def _scan_is_due(self, stamp: float) -> bool:
        """Often while nobody is known or somebody is missed, seldom while everybody is followed well."""
        if self._last_scan is None:
            return True
        interval = self._config.detection_interval_s * (1.0 if self._calm else 0.5)
        return not 0.0 <= stamp - self._last_scan < interval - 1e-6

    def _follow(self, before: Faces, grey: np.ndarray, stamp: float, gap: float) -> Known:
        """Those who were in view, where they are now, and how much they still look like themselves."""
        expected = self._tracker.expected(before, stamp)
        faces, believable = self._follower.follow(before, expected, grey, stamp, gap)
        patch = patches(grey, faces.landmarks)
        alike = np.where(believable, self._tracker.likeness(faces, patch), -1.0)
        doubted = alike < SURE
        if doubted.any():
            again, believable = self._follower.refit(before, expected, doubted, grey, stamp, gap)
            again_patch = patches(grey, again.landmarks)
            alike[doubted] = np.where(believable, self._tracker.likeness(again, again_patch), -1.0)
            patch[doubted] = again_patch
            order = np.argsort(np.concatenate([np.flatnonzero(~doubted), np.flatnonzero(doubted)]))
            faces = Faces.merge([faces[~doubted], again])[order]
        # Who does not look like themselves, half hidden perhaps, is rather where they were going to be.
        boxes = np.where((alike >= SURE)[:, None], faces.boxes, expected.boxes)
        alone = are_alone(boxes, self._tracker.expected_boxes(stamp))
        cut = alone & self._follower.cut(faces.track_id, alike < SURE, grey, gap)
        return Known(faces.replace(boxes=boxes), patch, np.where(cut, -1.0, alike), alone, cut)

    def _doubted(self, known: Known) -> np.ndarray:
        """bool [n]: who is to be searched unless the whole frame is scanned."""
        doubted: np.ndarray = (known.alike < SURE) | self._association.missed(known.faces.track_id)
        if np.count_nonzero(doubted) > MOST_SEARCHES:
            doubted[np.argsort(np.where(doubted, known.alike, np.inf))[MOST_SEARCHES:]] = False
        return doubted

    def _scan(self, frame: Frame, known: Known, stamp: float) -> Faces:
        """Everybody that the detector sees; weak detections only where somebody known is."""
        self._last_scan = stamp
        found = self._detector.detect(frame, CONFIRMING * self._detector.threshold)
        found = self._without_weak_strangers(found, known)
        near = overlapping(found.boxes, known.faces.boxes) > 0
        return found[near | largest(np.where(near, 0.0, found.sides), self._config.max_faces)]

    def _search(self, frame: Frame, known: Known, doubted: np.ndarray) -> Faces:
        """What the detector sees around those who are doubted."""
        least = CONFIRMING * self._detector.threshold
        each = zip(known.faces.boxes[doubted], tilt_deg(known.faces.landmarks[doubted]).tolist())
        found = Faces.merge(self._detector.search(frame, box, least, tilt) for box, tilt in each)
        if len(found) > 1:  # neighbours see each other
            found = found[~np.triu(box_iou(found.boxes, found.boxes) > 0.5, 1).any(axis=0)]
        return self._without_weak_strangers(found, known)

    def _without_weak_strangers(self, found: Faces, known: Known) -> Faces:
        weak = found.confidence < self._detector.threshold
        if not weak.any():
            return found
        near: np.ndarray = overlapping(found.boxes, known.faces.boxes) > 0
        return found[~weak | near]
