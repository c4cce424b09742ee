"""The whole way of a frame: faces, landmarks, crops, expressions, smoothed per person."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Callable, Dict, Optional, Tuple, Union

import cv2
import numpy as np

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.face_tracker import FaceTracker
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.looks import Looks
from lightfer_ros.perception.pose import head_poses
from lightfer_ros.perception.predictors import make_predictor
from lightfer_ros.perception.reliability import as_told, judge
from lightfer_ros.perception.settings import settings_of
from lightfer_ros.perception.smoothing import Smoother
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.steady_clock import SteadyClock
from lightfer_ros.perception.turns import Turns
from lightfer_ros.runtimes import Session, load_fastest


class Pipeline:
    """Frames in, faces with expressions out; holds detector, landmark predictor, classifier and the tracks.

    Make it, use it and close it in one thread: a GPU's context belongs to the thread that made it.
    """

    def __init__(
        self,
        config: Optional[PipelineConfig] = None,
        stop_fd: Optional[int] = None,
        session: Optional[Session] = None,
    ) -> None:
        """Load everything and warm up. Raises ModelError, RuntimeUnavailableError naming what is missing.

        stop_fd: as `make_predictor` has it. session: what classifies, if not what the config names.
        """
        self._config = config = config or PipelineConfig()
        self._predictor = make_predictor(config.landmarks, stop_fd)
        cv2.setNumThreads(config.inference_threads)
        if session is None:
            session = load_fastest(manifest.model_path(config.model), config.runtime_options)
        self._session: Session = session
        # Head poses need no Python while they are solved, so that a second thread finds them meanwhile.
        self._beside = ThreadPoolExecutor(1, "pose") if config.threads > 1 else None
        self._tracker = FaceTracker(config, self._predictor)
        self._smoother = Smoother(config.smoothing_time_constant_s)
        self._looks = Looks()
        self._turns = Turns()
        self._faces = Faces.empty()
        self._last_stamp: Optional[float] = None
        self._clock = SteadyClock()
        self._times = StageTimes()
        self._refine_seconds = 0.0
        self._waiting: Optional[Callable[[Faces], Faces]] = None  # who waits until the answer is out
        self._session.warm_up()

    @property
    def config(self) -> PipelineConfig:
        """The settings in force."""
        return self._config

    @property
    def metadata(self) -> ModelMetadata:
        """What the classifier in use is."""
        return self._session.metadata

    @property
    def session(self) -> Session:
        """The inference session in use: its runtime, its provider and what was passed over."""
        return self._session

    @property
    def detector(self) -> str:
        """The name of the detector in use."""
        return self._tracker.detector.name

    @property
    def landmarks(self) -> str:
        """The name of the landmark predictor in use."""
        return self._predictor.name

    @property
    def stage_seconds(self) -> Dict[str, float]:
        """Seconds that each stage of the newest frame took: follow, detect, landmarks (of newcomers, and of
        who was put back), align, classify, pose (with a second thread what is left of it then), reliability;
        refine, once that is done, and then with who was classified after the answer."""
        return dict(self._times.seconds)

    def process(
        self, frame: Union[Frame, np.ndarray], stamp: float, focal_length_px: Optional[float] = None
    ) -> Faces:
        """Find, follow and classify everybody in the frame.

        frame: a Frame, or uint8 [h, w] grey or [h, w, 3] BGR. stamp: the frame's time in seconds; it may
        jump. focal_length_px: the camera's, for head poses; unless known, that of a usual camera. Returns the
        Faces in sight, in this frame's pixels. Raises ImageError for a bad frame.

        A Frame's picture must not change before `refine`; an array is the caller's own again at once.
        """
        if not isinstance(frame, Frame):
            coloured = self._config.answer_ms > 0 and self.metadata.channels == 3
            lent = isinstance(frame, np.ndarray) and (frame.ndim == 2 or coloured)  # `refine` looks at it
            frame = Frame.from_array(frame.copy() if lent else frame)
        began = time.perf_counter()
        self.refine()
        self._refine_seconds = self._times.seconds["refine"]
        self._times = times = StageTimes()
        stamp = self._clock.at(stamp)
        faces = self._tracker.update(frame, stamp, times)
        self._smoother.keep(self._tracker.track_ids)
        self._looks.keep(self._tracker.track_ids)
        faces = self._classify(frame, faces, stamp, focal_length_px, began)
        self._faces, self._last_stamp = faces, stamp
        return as_told(faces).copy()  # the caller's own

    def refine(self) -> None:
        """Do what the newest frame has left to do and no answer waits for: classify whose turn it was and
        for whom `answer_ms` left no time, fit landmarks anew. Raises as the session does.

        Call it when the answer is out; where nobody has, `process` does it first thing.
        """
        waiting, self._waiting = self._waiting, None
        try:
            if waiting is not None:
                self._faces = waiting(self._faces)
        finally:
            with self._times.measure("refine"):
                self._tracker.refine()

    def reconfigure(self, config: PipelineConfig) -> None:
        """Use other settings from the next frame on.

        Raises ConfigurationError where one has changed that is not `live`: that needs a new Pipeline.
        """
        for name, declared in settings_of(PipelineConfig).items():
            before, after = getattr(self._config, name), getattr(config, name)
            if after != before and not declared.live:
                raise ConfigurationError(f"{name} is {after!r}, expected {before!r} while the pipeline lives")
        self._tracker.reconfigure(config)
        self._smoother.time_constant_s = config.smoothing_time_constant_s
        self._looks.keep(())  # where they were off meanwhile, the newest are old
        self._config = config

    def exchange_session(self, session: Session) -> None:
        """Classify with another session of the same network from now on; the old one is closed.

        Everybody stays followed. Raises ConfigurationError where it takes other crops.
        """
        ours, given = self._session.metadata, session.metadata
        if not given.takes_crops_of(ours):
            raise ConfigurationError(f"session runs {given.name}, whose crops are not those of {ours.name}")
        self._session.close()
        self._session = session
        self._looks.keep(())

    def reset(self) -> None:
        """Forget everybody seen so far."""
        self._tracker.reset()
        self._smoother.keep(())
        self._looks.keep(())
        self._waiting = None

    def close(self) -> None:
        """Release the classifier; may be called twice."""
        self._waiting = None
        if self._beside is not None:
            self._beside.shutdown()
            self._beside = None
        self._session.close()

    def _classify(
        self, frame: Frame, faces: Faces, stamp: float, focal_length_px: Optional[float], began: float
    ) -> Faces:
        """Classify those whose turn it is; of the others, what was last said of them and when."""
        config = self._config
        faces = _with_last_view(faces, self._faces)
        stamps, _ = self._smoother.newest(faces.track_id)
        gap = 0.0 if self._last_stamp is None else stamp - self._last_stamp
        spent = self._times.total + self._refine_seconds  # as long as after the frame before
        budget_left = config.budget_ms / 1000.0 - spent if config.budget_ms else math.inf
        # Who has come back after a while is known, but not how they look now: they are as urgent as the new.
        ages = np.where(np.isnan(faces.reliability), np.inf, stamp - stamps)
        chosen = self._turns.choose(ages, gap, config.classification_interval_s, budget_left)
        answer_left = math.inf
        if config.answer_ms:
            answer_left = began + config.answer_ms / 1000.0 - time.perf_counter()
        urgent = self._turns.urgent(ages[chosen], config.classification_interval_s, answer_left)
        now, later = chosen[urgent], chosen[~urgent]
        view = partial(self._viewed, frame, ages=ages, stamp=stamp, focal_length_px=focal_length_px)
        if len(now):
            faces = view(faces, which=now)
        if len(later):
            self._waiting = partial(view, which=later)
        stamps, smoothed = self._smoother.newest(faces.track_id)
        return faces.replace(probabilities=smoothed, classification_age=stamp - stamps)

    def _viewed(
        self,
        frame: Frame,
        everybody: Faces,
        which: np.ndarray,
        ages: np.ndarray,
        stamp: float,
        focal_length_px: Optional[float],
    ) -> Faces:
        """Everybody; those whose indices are given with pose and reliability of this frame, classified in one
        batch, which the smoother is told, and the turns what it cost. ages: of everybody."""
        start, faces = self._times.total, everybody[which]
        metadata = self._session.metadata
        with self._times.measure("align"):
            image = frame.grey if metadata.channels == 1 else cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB)
            crops = to_crops(
                image,
                faces.landmarks,
                metadata.crop_geometry,
                metadata.input_size,
                metadata.normalization,
            )
        poses: Callable[[], Tuple[np.ndarray, np.ndarray]]
        poses = partial(head_poses, faces.landmarks, frame.width, frame.height, focal_length_px)
        if self._beside is not None:
            poses = self._beside.submit(poses).result
        with self._times.measure("classify"):
            lasting_s = self._config.smoothing_time_constant_s
            if self._config.mirrored_looks and lasting_s:
                answers = self._looks.probabilities(
                    self._session, faces.track_id, crops, ages[which], lasting_s
                )
            else:
                answers = self._session.run(crops)
        with self._times.measure("pose"):
            pose, confidence = poses()
        with self._times.measure("reliability"):
            faces = faces.replace(pose=pose, pose_confidence=confidence)
            reliability, reasons = judge(faces, crops, metadata.normalization, frame.width, frame.height)
        self._smoother.update(faces.track_id, answers, stamp, trust=reliability)
        self._turns.spent(len(which), self._times.total - start)
        return _with_view(
            everybody, which, faces.replace(reliability=reliability, unreliable_reasons=reasons)
        )

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_VIEW = ("pose", "pose_confidence", "reliability", "unreliable_reasons")
"""What is known of a face from the frame in which it was last classified."""


def _with_last_view(faces: Faces, before: Faces) -> Faces:
    """Faces with what was known of them in the frame before."""
    now, then = np.nonzero(faces.track_id[:, None] == before.track_id)
    return _with_view(faces, now, before[then])


def _with_view(faces: Faces, which: np.ndarray, viewed: Faces) -> Faces:
    arrays = {}
    for name in _VIEW:
        arrays[name] = getattr(faces, name).copy()
        arrays[name][which] = getattr(viewed, name)
    return faces.replace(**arrays)
