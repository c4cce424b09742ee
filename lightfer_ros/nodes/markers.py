"""Faces in space for RViz: a sphere and a label each, at a distance assumed from the face's width."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.palette import COLOURS_BGR

LIFETIME = Duration(sec=0, nanosec=500_000_000)
"""A marker whose face is not seen again fades from RViz after this, also when the node stops."""

HEAD_RADIUS_M = 0.1


def focal_length_of(width: int, field_of_view_deg: float) -> float:
    """Focal length in pixels of a pinhole camera with that image width and horizontal field of view."""
    return width / (2.0 * math.tan(math.radians(field_of_view_deg) / 2.0))


def distance_from_width(faces: Faces, focal_length_px: float, face_width_m: float) -> np.ndarray:
    """float32 [n], metres: how far away a face of that width would look as wide as each box does."""
    width = np.maximum(faces.sides, 1.0)
    return (focal_length_px * face_width_m / width).astype(np.float32)


def to_markers(
    faces: Faces, distance: np.ndarray, focal_length_px: float, width: int, height: int, header: Any
) -> MarkerArray:
    """Two markers a face in the camera's optical frame (x right, y down, z forward), old ones deleted.

    distance: float [n], metres. The principal point is taken to be the middle of the image.
    """
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    centre = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    for i, label in enumerate(faces.label):
        z = float(distance[i])
        x = (float(centre[i, 0]) - width / 2) * z / focal_length_px
        y = (float(centre[i, 1]) - height / 2) * z / focal_length_px
        track_id = int(faces.track_id[i])
        known = label >= 0
        name = f"{EMOTIONS[label]} {faces.probabilities[i, label]:.0%}" if known else "…"
        colour = _colour(int(label) if known else None)
        array.markers.append(
            _marker(header, "faces", track_id, Marker.SPHERE, (x, y, z), 2 * HEAD_RADIUS_M, colour)
        )
        above = (x, y - 2 * HEAD_RADIUS_M, z)
        text = _marker(header, "labels", track_id, Marker.TEXT_VIEW_FACING, above, 0.08, colour)
        text.text = f"#{track_id} {name}, about {z:.1f} m (assumed from face width)"
        array.markers.append(text)
    return array


def _marker(header: Any, space: str, number: int, kind: int, position: Any, size: float, colour: Any) -> Any:
    marker = Marker(header=header, ns=space, id=number, type=kind, action=Marker.ADD, lifetime=LIFETIME)
    marker.pose.position = Point(x=position[0], y=position[1], z=position[2])
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = size
    marker.color = colour
    return marker


def _colour(label: Optional[int]) -> ColorRGBA:
    blue, green, red = (200, 200, 200) if label is None else COLOURS_BGR[label]
    return ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=0.8)
