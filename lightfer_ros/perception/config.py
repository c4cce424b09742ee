"""Every setting of the path from frame to expressions, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from lightfer_ros.perception.detection import AUTO, DETECTORS, DetectionOptions
from lightfer_ros.perception.predictors import PREDICTORS
from lightfer_ros.perception.settings import check_settings, setting
from lightfer_ros.runtimes import RuntimeOptions


@dataclass(frozen=True)
class PipelineConfig:
    """Settings of a `Pipeline`; the node's parameters of the same names come from here."""

    model: str = setting(
        "default",
        """Classifier: a name that `lightfer models` lists, or the path of a model file with its metadata
        beside it.""",
        live=False,
    )
    runtime: str = setting(
        "auto",
        """Inference engine: auto takes the best that truly works on this machine and says why it passed
        over others; onnxruntime, tensorrt and litert name one.""",
        choices=("auto", "onnxruntime", "tensorrt", "litert"),
        live=False,
    )
    threads: int = setting(
        2,
        """CPU threads that compute: 1 does everything, a second finds head poses while faces are classified,
        and from 3 on the inference engine and OpenCV have the others as well.""",
        minimum=1,
        maximum=16,
        live=False,
    )
    detector: str = setting(
        AUTO,
        """Face detector: auto takes yunet where its file and ONNX Runtime are here, else dlib_hog, and says
        so; dlib_hog is the paper's and finds upright faces; yunet also finds turned and small ones, in less
        time.""",
        choices=(AUTO, *DETECTORS),
    )
    detection_scale: float = setting(
        0.0,
        """Size of the picture that the detector scans, as a fraction of the frame; smaller is faster and
        misses small faces. 0 leaves it to the detector: yunet takes half, for faces from 40 px, and less for
        frames over 1280x960; dlib_hog the whole frame, for faces from 80 px.""",
        minimum=0.0,
        maximum=2.0,
    )
    detection_upsampling: int = setting(
        0,
        """How many times dlib_hog doubles the picture before it scans: 0 finds faces from about 80 px, 1 from
        about 40 px at four times the cost.""",
        minimum=0,
        maximum=2,
    )
    detection_threshold: float = setting(
        0.0,
        """Detections with a confidence below this are dropped; where somebody known is, 0.7 of it is enough.
        0 leaves it to the detector: 0.75 for yunet, 0.5 for dlib_hog.""",
        minimum=0.0,
        maximum=1.0,
    )
    detection_interval_s: float = setting(
        0.2,
        """Seconds between two scans of the whole frame while everybody known is followed well; half of it
        while nobody is known, or somebody has just been lost. 0 scans every frame.""",
        minimum=0.0,
        maximum=10.0,
    )
    track_timeout_s: float = setting(
        2.0,
        """Seconds that a track_id is kept for a face that is no longer seen. Who is hidden for a second is
        half hidden, and unseen, for half a second before and after.""",
        minimum=0.0,
        maximum=60.0,
    )
    landmarks: str = setting(
        AUTO,
        """Predictor of the 68 landmarks: auto takes dlib's for faces that look ahead and the mesh for heads
        turned to the side or tilted, and says so where it has to do without the mesh; dlib is the paper's,
        good to about 30 degrees; mesh is MediaPipe's, good to about 60.""",
        choices=(AUTO, *PREDICTORS),
        live=False,
    )
    classification_interval_s: float = setting(
        0.1,
        """At most so many seconds pass between two classifications of a face, if frames come that fast; 0
        classifies every face in every frame.""",
        minimum=0.0,
        maximum=10.0,
    )
    budget_ms: float = setting(
        100.0,
        """Milliseconds that a frame may take: where finding, following and fitting landmarks leave no time to
        classify everybody anew, faces take turns, and classification_age grows. At least one face a frame is
        classified, and who is new or has come back. 0: no limit.""",
        minimum=0.0,
        maximum=10000.0,
    )
    answer_ms: float = setting(
        0.0,
        """Milliseconds from the decoded picture for finding, following and classifying: where that
        would take longer, known faces are classified when the answer is out, and told of in the next; not who
        is new, or would be told of with an older classification than classification_interval_s and a tenth.
        0: everybody whose turn it is, before the answer.""",
        minimum=0.0,
        maximum=10000.0,
    )
    max_faces: int = setting(
        32, "At most so many faces of a frame are followed, the largest first.", minimum=1, maximum=256
    )
    smoothing_time_constant_s: float = setting(
        0.3,
        """Time constant of the smoothing of probabilities over time, for an answer of one half in a good
        view; a surer one counts for more, up to 16 times as much. 0 turns it off.""",
        minimum=0.0,
        maximum=10.0,
    )
    mirrored_looks: bool = setting(
        True,
        """Look at each face and at its mirror image by turns and take the mean of the two, which is right
        more often; only where smoothing is on, and a look counts as long as its time constant.""",
    )

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def detection(self) -> DetectionOptions:
        """What the detector itself needs to know."""
        return DetectionOptions(
            self.detector, self.detection_scale, self.detection_upsampling, self.detection_threshold
        )

    @property
    def inference_threads(self) -> int:
        """CPU threads of the inference engine and of OpenCV."""
        return max(1, self.threads - 1)

    @property
    def runtime_options(self) -> RuntimeOptions:
        """How the classifier is to be run."""
        return RuntimeOptions(runtime=self.runtime, threads=self.inference_threads)
