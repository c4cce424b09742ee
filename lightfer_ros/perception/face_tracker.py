"""Who is where in each frame: looking everywhere seldom, at known people always."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

import numpy as np

from lightfer_ros.perception.appearance import patches
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.confirmation import WHOLE, Known, confirm, overlapping
from lightfer_ros.perception.detection import Detector, make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.few import among
from lightfer_ros.perception.following import Follower
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor, tilt_deg
from lightfer_ros.perception.misses import MOST_MISSES, Misses
from lightfer_ros.perception.scene_cut import CutDetector
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.tracking import Tracker, box_iou

MOST_SECONDS_BETWEEN_FRAMES = 0.5
"""After a longer gap nobody is followed from where they were: the frame is scanned."""

CONFIRMING = 0.7
"""A detection where a known face is may be less sure than one of a stranger, by this factor."""

SURE, LOST = 0.8, 0.6
"""Likeness of a followed face to itself when it was last detected: from the first on nobody doubts; below the
second it is not the face any more. Living faces keep 0.64 and more for a quarter of a second, a pillar or
another's cheek has less than 0.3 (docs/realtime.md)."""

HIDDEN_S, AGAIN = 0.5, 0.3
"""So long a face that has gone out of sight is believed to be hidden just there; who comes into sight there
is told of when the whole face is seen, or when their likeness to who went is at least AGAIN: who was hidden
appears by halves."""

STAYING = 1.2
"""Where more people are in sight than may be followed, the largest are; a newcomer has to be larger than who
is followed by this factor, lest people of like size take turns."""

MOST_SEARCHES = 2
"""Searches of a frame, for those who are least like themselves; the others wait for the next frame."""


class _Newcomers(NamedTuple):
    """Who has come into sight, n of them; track_id is 0 unless they are known again.

    patch: float32 [n, k], what they look like. alike: float [n], how much they look like themselves, −1 to 1.
    half: bool [n], who is half hidden.
    """

    faces: Faces
    patch: np.ndarray
    alike: np.ndarray
    half: np.ndarray

    def of(self, which: np.ndarray) -> _Newcomers:
        """Those of them that a boolean mask [n] picks."""
        return _Newcomers(self.faces[which], self.patch[which], self.alike[which], self.half[which])


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
        self._follower = Follower(self._predictor)
        self._tracker = Tracker(config.track_timeout_s)
        self._cuts = CutDetector()
        self._faces = Faces.empty()
        self._misses = Misses()
        self._halves = np.empty(0, np.int64)  # track_ids of who is followed, but half hidden
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
        faces = self._identified(grey, known, detected, looked_for, stamp, times)
        self._follower.remember(faces, grey, stamp)
        self._calm = len(faces) > 0 and not doubted.any() and not self._tracker.out_of_sight
        self._faces, self._last_stamp = faces, stamp
        self._unrefined = _Picture(grey, stamp, gap)
        return faces[~among(faces.track_id, self._halves)]

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
        self._follower, self._unrefined = Follower(self._predictor), None
        self._faces, self._misses, self._last_scan = Faces.empty(), Misses(), None
        self._halves = self._halves[:0]

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
        alone = overlapping(boxes, self._tracker.expected_boxes(stamp)) <= 1
        cut = alone & self._follower.cut(faces.track_id, alike < SURE, grey, gap)
        return Known(faces.replace(boxes=boxes), patch, np.where(cut, -1.0, alike), alone, cut)

    def _doubted(self, known: Known) -> np.ndarray:
        """bool [n]: who is to be searched unless the whole frame is scanned."""
        doubted: np.ndarray = (known.alike < SURE) | (self._misses.of(known.faces.track_id) > 0)
        doubted[np.argsort(np.where(doubted, known.alike, np.inf))[MOST_SEARCHES:]] = False
        return doubted

    def _scan(self, frame: Frame, known: Known, stamp: float) -> Faces:
        """Everybody that the detector sees; weak detections only where somebody known is."""
        self._last_scan = stamp
        found = self._detector.detect(frame, CONFIRMING * self._detector.threshold)
        found = self._without_weak_strangers(found, known)
        near = overlapping(found.boxes, known.faces.boxes) > 0
        return found[near | _largest(np.where(near, 0.0, _sides(found)), self._config.max_faces)]

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

    def _whole(self, detected: Faces) -> np.ndarray:
        """bool [n]: whether the detector is sure to see a whole face.

        Who has shrunk and is not seen like that is half hidden, and their box is of the other half: they are
        followed, and not told of.
        """
        threshold = self._detector.threshold
        return np.asarray(detected.confidence >= threshold + WHOLE * (1.0 - threshold))

    def _identified(
        self,
        grey: np.ndarray,
        known: Known,
        detected: Faces,
        looked_for: np.ndarray,
        stamp: float,
        times: StageTimes,
    ) -> Faces:
        """Followed and detected faces with their track_ids, without those that are followed no longer."""
        faces, seen, whole, confirmed, strayed, replaced, strangers = confirm(
            known, detected, self._whole(detected), LOST, SURE
        )
        self._tracker.end(faces.track_id[replaced])
        patch = known.patch
        if strayed.any():
            with times.measure("landmarks"):
                faces = self._follower.found_elsewhere(faces, strayed, grey)
            patch = patches(grey, faces.landmarks)
        misses = self._misses.count(faces.track_id, looked_for, seen)
        stays = confirmed | ((known.alike >= LOST) & (misses < MOST_MISSES))
        come = self._newcomers(grey, strangers, faces.track_id[stays], stamp, times)
        strangers = come.faces
        stays &= ~among(faces.track_id, strangers.track_id)
        if len(strangers):
            stays &= seen | (box_iou(faces.boxes, strangers.boxes).max(axis=1, initial=0.0) < 0.5)
        sides = np.concatenate([np.where(stays, STAYING * _sides(faces), 0.0), _sides(strangers)])
        followed = _largest(sides, self._config.max_faces)
        stays &= followed[: len(faces)]
        come = come.of(followed[len(faces) :])
        patch = np.concatenate([patch[stays], come.patch])
        sure = np.concatenate(
            [((known.alike >= SURE) | (confirmed & known.alone))[stays], come.alike >= SURE]
        )
        learns = (confirmed & (known.alone | (known.alike >= SURE)))[stays]
        learns = np.concatenate([learns, come.alike >= LOST])
        halves = np.where(
            seen, ~whole & self._tracker.shrunk(faces, self._halves), among(faces.track_id, self._halves)
        )
        halves = np.concatenate([halves[stays], come.half])
        self._misses.found(come.faces.track_id[come.faces.track_id > 0])
        faces = self._tracker.update(Faces.merge([faces[stays], come.faces]), stamp, sure)
        self._tracker.learn(faces[learns], patch[learns], stamp)
        self._halves = faces.track_id[halves]
        self._misses.keep(faces.track_id)
        return faces[np.argsort(faces.track_id)]

    def _newcomers(
        self, grey: np.ndarray, strangers: Faces, taken: np.ndarray, stamp: float, times: StageTimes
    ) -> _Newcomers:
        """Those of the detections that nobody in view has claimed who are faces, and whole or known again.

        taken: int64 [k], the track_ids of who stays in view.
        """
        if not len(strangers):
            return _Newcomers(strangers, patches(grey, strangers.landmarks), np.empty(0), np.empty(0, bool))
        with times.measure("landmarks"):
            strangers = strangers.replace(landmarks=self._predictor.predict(grey, strangers.boxes))
        patch = patches(grey, strangers.landmarks)
        strangers = self._tracker.identify(strangers, taken, stamp, patch)
        alike = self._tracker.likeness(strangers, patch)
        known_again, whole = strangers.track_id > 0, self._whole(strangers)
        shrunk = self._tracker.shrunk(strangers, self._halves)
        here = (known_again & (alike >= AGAIN)) | (whole & ~shrunk)
        here |= ~self._tracker.hidden_at(strangers.boxes, stamp, HIDDEN_S)
        # A weak detection says that somebody known is still there, and not that somebody has come.
        here &= known_again | (strangers.confidence >= self._detector.threshold)
        return _Newcomers(strangers[here], patch[here], alike[here], (~whole & shrunk)[here])


def _sides(faces: Faces) -> np.ndarray:
    return np.asarray(faces.boxes[:, 2] - faces.boxes[:, 0])


def _largest(sides: np.ndarray, most: int) -> np.ndarray:
    """bool [n]: the `most` largest."""
    return among(np.arange(len(sides)), np.argsort(-sides, kind="stable")[:most])
