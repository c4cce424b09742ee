"""Who is who in a frame: whom a detection confirms, who has come, who is followed no longer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lightfer_ros.perception.appearance import patches
from lightfer_ros.perception.confirmation import LOST, SURE, WHOLE, Confirmed, Known, confirm
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.few import among, largest
from lightfer_ros.perception.following import Follower
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.misses import MOST_MISSES, Misses
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.tracking import Tracker, box_iou

HIDDEN_S, AGAIN = 0.5, 0.3
"""So long a face that has gone out of sight is believed to be hidden just there; who comes into sight there
is told of when the whole face is seen, or when their likeness to who went is at least AGAIN: who was hidden
appears by halves."""

STAYING = 1.2
"""Where more people are in sight than may be followed, the largest are; a newcomer has to be larger than who
is followed by this factor, lest people of like size take turns."""

REPLACED = 0.5
"""Who is not seen, and overlaps with somebody who has come by so much (IoU), is followed no longer."""


class _InView(NamedTuple):
    """Some of those in view, n of them, and what is to be remembered of each.

    faces: track_id is 0 of who is new. patch: float32 [n, k], what they look like. sure, learns: bool [n],
    whose place is to be believed, and whose looks are. half: bool [n], who is half hidden.
    """

    faces: Faces
    patch: np.ndarray
    sure: np.ndarray
    learns: np.ndarray
    half: np.ndarray

    def of(self, which: np.ndarray) -> _InView:
        """Those of them that a boolean mask [n] picks."""
        return _InView(self.faces[which], *(array[which] for array in self[1:]))

    def and_others(self, others: _InView) -> _InView:
        """These, and then the others."""
        if not len(others.faces):
            return self
        arrays = (np.concatenate(both) for both in zip(self[1:], others[1:]))
        return _InView(Faces.merge([self.faces, others.faces]), *arrays)


class Association:
    """Gives every face in a frame the track_id that is theirs."""

    def __init__(self, tracker: Tracker, follower: Follower, predictor: LandmarkPredictor) -> None:
        """It tells tracker and follower what it finds."""
        self._tracker = tracker
        self._follower = follower
        self._predictor = predictor
        self._misses = Misses()
        self._halves = np.empty(0, np.int64)  # track_ids

    def half_hidden(self, track_ids: np.ndarray) -> np.ndarray:
        """bool [n]: who of these is followed, but half hidden."""
        return among(track_ids, self._halves)

    def missed(self, track_ids: np.ndarray) -> np.ndarray:
        """bool [n]: whom of these the detector did not see when it last looked."""
        return self._misses.of(track_ids) > 0

    def identified(
        self,
        grey: np.ndarray,
        known: Known,
        detected: Faces,
        looked_for: np.ndarray,
        threshold: float,
        most: int,
        stamp: float,
        times: StageTimes,
    ) -> Faces:
        """Followed and detected faces, by ascending track_id, without those that are followed no longer.

        grey: uint8 [h, w], this frame. looked_for: bool [n], for whom of the known the detector has looked.
        threshold: the detector's. most: so many may be followed.
        """
        asked = len(detected) > 0 or looked_for.any()
        if not asked and 0 < len(known.faces) <= most and (known.alike >= SURE).all():
            return self._tracker.update(known.faces, stamp)  # as in most frames: nothing is in question
        confirmed = confirm(known, detected, _whole(detected, threshold))
        self._tracker.end(confirmed.faces.track_id[confirmed.replaced])
        followed = self._followed(grey, known, confirmed, times)
        faces = followed.faces
        misses = self._misses.count(faces.track_id, looked_for, confirmed.seen)
        stays = confirmed.confirmed | ((known.alike >= LOST) & (misses < MOST_MISSES))
        coming = self._coming(grey, confirmed.strangers, faces.track_id[stays], threshold, stamp, times)
        if len(coming.faces):  # who is not seen, and somebody else there is, has gone
            overlap = box_iou(faces.boxes, coming.faces.boxes).max(axis=1, initial=0.0)
            stays &= confirmed.seen | (overlap < REPLACED)
        fits = largest(
            np.concatenate([np.where(stays, STAYING * faces.sides, 0.0), coming.faces.sides]), most
        )
        coming = coming.of(fits[len(faces) :])
        self._misses.found(coming.faces.track_id[coming.faces.track_id > 0])
        return self._remembered(followed.of(stays & fits[: len(faces)]).and_others(coming), stamp)

    def _followed(self, grey: np.ndarray, known: Known, confirmed: Confirmed, times: StageTimes) -> _InView:
        """All who were known, those put back who strayed from where the detector sees them."""
        faces, patch, strayed = confirmed.faces, known.patch, confirmed.strayed
        if strayed.any():
            with times.measure("landmarks"):
                faces = self._follower.found_elsewhere(faces, strayed, grey)
            patch = patches(grey, faces.landmarks)
        like_themselves = known.alike >= SURE
        return _InView(
            faces,
            patch,
            sure=like_themselves | (confirmed.confirmed & known.alone),
            learns=confirmed.confirmed & (known.alone | like_themselves),
            half=np.where(
                confirmed.seen,
                ~confirmed.whole & self._tracker.shrunk(faces, self._halves),
                self.half_hidden(faces.track_id),
            ),
        )

    def _coming(
        self,
        grey: np.ndarray,
        strangers: Faces,
        taken: np.ndarray,
        threshold: float,
        stamp: float,
        times: StageTimes,
    ) -> _InView:
        """Those of the detections that nobody in view has claimed who are faces, and whole or known again.

        taken: int64 [k], the track_ids of who stays in view.
        """
        if not len(strangers):
            nobody = np.empty(0, bool)
            return _InView(strangers, patches(grey, strangers.landmarks), nobody, nobody, nobody)
        with times.measure("landmarks"):
            strangers = strangers.replace(landmarks=self._predictor.predict(grey, strangers.boxes))
        patch = patches(grey, strangers.landmarks)
        strangers = self._tracker.identify(strangers, taken, stamp, patch)
        alike = self._tracker.likeness(strangers, patch)
        known_again, whole = strangers.track_id > 0, _whole(strangers, threshold)
        shrunk = self._tracker.shrunk(strangers, self._halves)
        here = (known_again & (alike >= AGAIN)) | (whole & ~shrunk)
        here |= ~self._tracker.hidden_at(strangers.boxes, stamp, HIDDEN_S)
        # A weak detection says that somebody known is still there, and not that somebody has come.
        here &= known_again | (strangers.confidence >= threshold)
        come = _InView(strangers, patch, sure=alike >= SURE, learns=alike >= LOST, half=~whole & shrunk)
        return come.of(here)

    def _remembered(self, everybody: _InView, stamp: float) -> Faces:
        """Everybody in view, by ascending track_id, new tracks of the new among them."""
        faces = self._tracker.update(everybody.faces, stamp, everybody.sure)
        self._tracker.learn(faces[everybody.learns], everybody.patch[everybody.learns], stamp)
        self._halves = faces.track_id[everybody.half]
        self._misses.keep(faces.track_id)
        return faces[np.argsort(faces.track_id)]


def _whole(detected: Faces, threshold: float) -> np.ndarray:
    """bool [n]: whether the detector is sure to see a whole face.

    Who has shrunk and is not seen like that is half hidden, and their box is of the other half: they are
    followed, and not told of.
    """
    return np.asarray(detected.confidence >= threshold + WHOLE * (1.0 - threshold))
