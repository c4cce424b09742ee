"""The whole way of a frame: faces, landmarks, crops, expressions, smoothed per person."""

from __future__ import annotations

from typing import Dict, Optional, Union

import cv2
import numpy as np

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.detection import make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.following import follow
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.settings import settings_of
from lightfer_ros.perception.smoothing import Smoother
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.tracking import Tracker
from lightfer_ros.runtimes import Session, load_fastest

MOST_SECONDS_BETWEEN_FRAMES = 0.5
"""After a longer gap nobody is followed from where they were: the frame is scanned."""


class Pipeline:
    """Frames in, faces with expressions out; holds detector, landmark predictor, classifier and the tracks.

    Make it, use it and close it in one thread: a GPU's context belongs to the thread that made it.
    """

    def __init__(self, config: Optional[PipelineConfig] = None) -> None:
        """Load everything and warm up. Raises ModelError, RuntimeUnavailableError naming what is missing."""
        self._config = config = config or PipelineConfig()
        landmark_path = manifest.find("shape_predictor_68")
        manifest.verify(landmark_path, manifest.read_manifest()["shape_predictor_68"])
        cv2.setNumThreads(config.threads)
        self._session: Session = load_fastest(manifest.model_path(config.model), config.runtime_options)
        self._detector = make_detector(config.detection)
        self._predictor = LandmarkPredictor(landmark_path)
        self._tracker = Tracker(config.track_timeout_s)
        self._smoother = Smoother(config.smoothing_time_constant_s)
        self._faces = Faces.empty()
        self._last_stamp: Optional[float] = None
        self._last_scan: Optional[float] = None
        self._size = (0, 0)
        self._times = StageTimes()
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
    def stage_seconds(self) -> Dict[str, float]:
        """Seconds that each stage of the newest frame took: detect, landmarks, align, classify."""
        return dict(self._times.seconds)

    def process(self, frame: Union[Frame, np.ndarray], stamp: float) -> Faces:
        """Find, follow and classify everybody in the frame.

        frame: a Frame, or uint8 [h, w] grey or [h, w, 3] BGR. stamp: the frame's time in seconds; it may
        jump. Returns the Faces in sight, in this frame's pixels. Raises ImageError for a bad frame.
        """
        if not isinstance(frame, Frame):
            frame = Frame.from_array(frame)
        self._times = StageTimes()
        if (frame.width, frame.height) != self._size:
            self.reset()
            self._size = (frame.width, frame.height)
        faces = self._scan(frame) if self._scan_is_due(stamp) else self._follow(frame)
        faces = self._tracker.update(faces, stamp)
        faces = self._classify(frame, faces[np.argsort(faces.track_id)], stamp)
        self._smoother.keep(self._tracker.track_ids)
        self._faces, self._last_stamp = faces, stamp
        return faces

    def reconfigure(self, config: PipelineConfig) -> None:
        """Use other settings from the next frame on.

        Raises ConfigurationError where one has changed that is not `live`: that needs a new Pipeline.
        """
        for name, declared in settings_of(PipelineConfig).items():
            before, after = getattr(self._config, name), getattr(config, name)
            if after != before and not declared.live:
                raise ConfigurationError(f"{name} is {after!r}, expected {before!r} while the pipeline lives")
        if config.detection != self._config.detection:
            self._detector = make_detector(config.detection)
        self._tracker.timeout_s = config.track_timeout_s
        self._smoother.time_constant_s = config.smoothing_time_constant_s
        self._config = config

    def exchange_session(self, session: Session) -> None:
        """Classify with another session of the same network from the next frame on; the old one is closed.

        Everybody stays followed. Raises ConfigurationError where it takes other crops.
        """
        ours, given = self._session.metadata, session.metadata
        if (given.input_size, given.channels, given.normalization, given.crop_geometry) != (
            (ours.input_size, ours.channels, ours.normalization, ours.crop_geometry)
        ):
            raise ConfigurationError(f"session runs {given.name}, whose crops are not those of {ours.name}")
        self._session.close()
        self._session = session

    def reset(self) -> None:
        """Forget everybody seen so far."""
        self._tracker.reset()
        self._smoother.keep(())
        self._faces, self._last_scan = Faces.empty(), None

    def close(self) -> None:
        """Release the classifier; may be called twice."""
        self._session.close()

    def _scan_is_due(self, stamp: float) -> bool:
        if self._last_stamp is None or self._last_scan is None:
            self._last_scan = stamp
            return True
        gap = stamp - self._last_stamp
        since_scan = stamp - self._last_scan
        # A stamp that stands still may be a driver that never sets it: then only scanning is safe.
        due = not 0.0 < gap <= MOST_SECONDS_BETWEEN_FRAMES or since_scan >= self._config.detection_interval_s
        if due:
            self._last_scan = stamp
        return due

    def _scan(self, frame: Frame) -> Faces:
        with self._times.measure("detect"):
            faces = self._detector.detect(frame)
        side = faces.boxes[:, 2] - faces.boxes[:, 0]
        faces = faces[np.argsort(-side, kind="stable")[: self._config.max_faces]]
        with self._times.measure("landmarks"):
            return faces.replace(landmarks=self._predictor.predict(frame.grey, faces.boxes))

    def _follow(self, frame: Frame) -> Faces:
        with self._times.measure("landmarks"):
            return follow(self._faces, frame.grey, self._predictor)

    def _classify(self, frame: Frame, faces: Faces, stamp: float) -> Faces:
        if not len(faces):
            return faces
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
        with self._times.measure("classify"):
            probabilities = self._session.run(crops)
        smoothed = self._smoother.update(faces.track_id, probabilities, stamp)
        age = np.zeros(len(faces), np.float32)
        return faces.replace(probabilities=smoothed, classification_age=age)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
