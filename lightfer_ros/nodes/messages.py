"""Faces as messages, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from lightfer_msgs.msg import BoundingBox, Emotion, EmotionArray, HeadPose
from lightfer_ros.model import EMOTIONS, valence_arousal
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.landmarks import COUNT

NAN = float("nan")


def to_message(
    faces: Faces, header: Any, width: int, height: int, model: str, runtime: str, distance: np.ndarray
) -> EmotionArray:
    """The message for one image; everything that is not known is unset.

    header: the image's own. width, height: of the image, pixels. distance: float [n], metres, NaN unset.
    """
    message = EmotionArray(
        header=header, image_width=width, image_height=height, model=model, runtime=runtime
    )
    valence, arousal = valence_arousal(faces.probabilities)
    label = faces.label
    for i in range(len(faces)):
        known = label[i] >= 0
        x1, y1, x2, y2 = faces.boxes[i].tolist()
        yaw, pitch, roll = faces.pose[i].tolist()
        message.emotions.append(
            Emotion(
                track_id=int(faces.track_id[i]),
                state=int(faces.state[i]),
                box=BoundingBox(x=x1, y=y1, width=x2 - x1, height=y2 - y1),
                detection_confidence=float(faces.confidence[i]),
                landmarks=faces.landmarks[i].reshape(2 * COUNT),
                head_pose=HeadPose(
                    yaw=yaw, pitch=pitch, roll=roll, confidence=float(faces.pose_confidence[i])
                ),
                distance=float(distance[i]),
                distance_source=Emotion.DISTANCE_UNSET
                if np.isnan(distance[i])
                else Emotion.DISTANCE_FACE_WIDTH,
                probabilities=faces.probabilities[i],
                label=int(label[i]) if known else Emotion.UNKNOWN,
                label_name=EMOTIONS[label[i]] if known else "unknown",
                confidence=float(faces.probabilities[i, label[i]]) if known else NAN,
                valence=float(valence[i]),
                arousal=float(arousal[i]),
                reliability=float(faces.reliability[i]),
                unreliable_reasons=int(faces.unreliable_reasons[i]),
                classification_age=float(faces.classification_age[i]),
                time_in_view=float(faces.time_in_view[i]),
            )
        )
    return message


def from_message(message: Any) -> Faces:
    """The faces of an EmotionArray as one value."""
    emotions = message.emotions
    if not emotions:
        return Faces.empty()
    boxes = [(e.box.x, e.box.y, e.box.x + e.box.width, e.box.y + e.box.height) for e in emotions]
    poses = [(e.head_pose.yaw, e.head_pose.pitch, e.head_pose.roll) for e in emotions]
    return Faces(
        boxes=np.array(boxes, np.float32),
        confidence=np.array([e.detection_confidence for e in emotions]),
        landmarks=np.stack([np.asarray(e.landmarks).reshape(COUNT, 2) for e in emotions]),
        track_id=np.array([e.track_id for e in emotions]),
        state=np.array([e.state for e in emotions]),
        probabilities=np.stack([np.asarray(e.probabilities) for e in emotions]),
        pose=np.array(poses, np.float32),
        pose_confidence=np.array([e.head_pose.confidence for e in emotions]),
        reliability=np.array([e.reliability for e in emotions]),
        unreliable_reasons=np.array([e.unreliable_reasons for e in emotions]),
        classification_age=np.array([e.classification_age for e in emotions]),
        time_in_view=np.array([e.time_in_view for e in emotions]),
    )


def seconds(stamp: Any) -> float:
    """A builtin_interfaces/Time in seconds."""
    return float(stamp.sec) + float(stamp.nanosec) * 1e-9
