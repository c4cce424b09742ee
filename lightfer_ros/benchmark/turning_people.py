"""People cut out of photos who turn around: the face's surface in space, closed to a head, on a body."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from lightfer_ros.benchmark.cutout import Cutout, face_box
from lightfer_ros.benchmark.turned_heads import AXIS_BACK, OUTLINE
from lightfer_ros.perception.mesh_landmarks import IBUG, MeshLandmarkPredictor

SIDE = 128
"""Side of the face's box in the pictures of a turned person, pixels."""

ABOVE, BESIDE, BELOW = 1.3, 1.7, 4.5
"""The pictures reach so many sides up from the middle of the face looking ahead, to either side, and down: to
the lower edge of a scenario's picture."""

AROUND = 3072
"""Points of each row of the surface, all around: half a pixel apart, and a pixel where a nose is steep."""

BACK, BESIDE_FACE = 1.2, 0.55
"""Behind its axis a head is so much deeper than it is wide to a side; before it, the hair beside a face and
the neck under it reach so many half widths of the face."""

BLEND = 0.1
"""From its rim on, so many sides inwards, the mesh's surface goes over into that of the head."""

NECK, NARROWEST, SHOULDERS = 0.1, 0.42, 0.5
"""A head ends NECK sides below the chin, where its half width is NARROWEST sides at most; SHOULDERS further
down all is body, and in between a neck, round like the head."""

BODY_DEPTH, BODY_FOLLOWS_DEG, BODY_TURNS = 0.6, 45.0, 0.8
"""How deep a body is, in its widths; it turns BODY_TURNS of the way when a head is turned right round, and
not before the head has turned by BODY_FOLLOWS_DEG."""

SEEN_DEG, UNSEEN_DEG = 72.0, 94.0
"""The photo shows what lies so far around the head; from the second angle on hair or nape is made up."""

_CHIN, _TOP, _BROWS, _MOUTH = 152, 10, 9, 13
"""Vertices of the mesh, in its middle."""

_EYES = ((33, 133), (362, 263))


class View(NamedTuple):
    """A person seen from one side. picture: uint8 [h, w, 4], BGR premultiplied with alpha, alpha.

    box: float64 [4], the face's, pixels. shows_face: whether an eye is to be seen.
    """

    picture: np.ndarray
    box: np.ndarray
    shows_face: bool


class TurningPerson:
    """Somebody to be seen from any side: head and body turn about the upright axis of the head.

    Around that axis the head is one radius in each direction, in each row of pixels: of the face, it is that
    of MediaPipe's mesh, elsewhere of ellipses as wide as the cut-out. Nothing can tear, and whoever is
    nearer in direction to the camera hides what is behind. It is seen from far away, in light that turns
    with it.
    """

    def __init__(self, cutout: Cutout, predictor: MeshLandmarkPredictor) -> None:
        """cutout: of somebody who looks ahead. predictor: finds the face's surface."""
        self._picture = _scaled(cutout)
        middle = np.array([BESIDE, ABOVE]) * SIDE
        self.box = np.concatenate([middle - SIDE / 2, middle + SIDE / 2])
        """The face's box looking ahead, float64 [4]."""
        alpha = self._picture[:, :, 3:] / 255
        grey = cv2.cvtColor(
            (self._picture[:, :, :3] + 128 * (1 - alpha)).astype(np.uint8), cv2.COLOR_BGR2GRAY
        )
        self._mesh = predictor.mesh(grey[: 4 * SIDE], self.box)
        half_width = float(np.ptp(self._mesh[:, 0])) / 2
        depth = self._mesh[OUTLINE, 2].mean() + AXIS_BACK * half_width
        self._axis = float(self._mesh[:, 0].mean())
        self._ahead = np.column_stack([self._mesh[:, 0] - self._axis, depth - self._mesh[:, 2]])
        self._neck = int(self._mesh[_CHIN, 1] + NECK * SIDE)
        self._angles = (np.arange(AROUND) + 0.5) / AROUND * 2 * np.pi - np.pi
        self._rows = np.arange(int(np.argmax((alpha[:, :, 0] > 0.5).any(axis=1))), self._neck)
        left, right = self._outline(alpha[:, :, 0])
        self._radius = self._surface(left, right, half_width)
        self._colour = self._skin_and_hair(left, right)

    def view(self, yaw_deg: float) -> View:
        """The person with the head turned; > 0 is to its own left, 180 right round."""
        picture = self._body(yaw_deg)
        head = self._head(yaw_deg)
        part = picture[self._rows[0] - 2 : self._neck + 2]
        part *= 1.0 - head[:, :, 3:] / 255
        part += head
        return View(picture.round().astype(np.uint8), self._box(yaw_deg), self._shows_face(yaw_deg))

    def _outline(self, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far the head reaches to the left and to the right of its axis in each row, pixels."""
        chin = self._mesh[_CHIN, 1]
        near = np.abs(np.arange(alpha.shape[1]) - self._axis) < 0.95 * SIDE
        inside = (alpha[self._rows] > 0.5) & near
        first = inside.argmax(axis=1)
        last = inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
        reach = np.stack([self._axis - first, last - self._axis])
        under = self._rows > chin - 0.05 * SIDE
        reach[:, under] = np.minimum(reach[:, under], reach[:, np.argmax(under)][:, None])
        below = self._rows > chin + 0.04 * SIDE
        reach[:, below] = np.minimum(reach[:, below], NARROWEST * SIDE)
        reach = cv2.GaussianBlur(reach, (0, 0), sigmaX=3, sigmaY=1e-3, borderType=cv2.BORDER_REPLICATE)
        left, right = np.maximum(reach, 1.0)
        return left, right

    def _surface(self, left: np.ndarray, right: np.ndarray, half_width: float) -> np.ndarray:
        """The head's radius in each row and direction, float32 [rows, AROUND], pixels."""
        wide = np.where(self._angles < 0, left[:, None], right[:, None])
        mean = (left + right) / 2
        # Above the face the head is round; beside and below it goes straight back to hair and neck.
        top = self._ahead[_TOP, 1] / np.interp(self._mesh[_TOP, 1], self._rows, mean)
        heights = self._mesh[[_TOP, _BROWS], 1]
        share = np.interp(self._rows, heights, [1.0, 0.0])
        front = share * top * mean + (1 - share) * BESIDE_FACE * half_width
        deep = np.where(np.abs(self._angles) < np.pi / 2, front[:, None], BACK * mean[:, None])
        radius = 1 / np.hypot(np.sin(self._angles) / wide, np.cos(self._angles) / deep)
        for row, weights, radii in self._face_rows():
            radius[row] += weights * (radii - radius[row])
        return np.asarray(cv2.GaussianBlur(radius.astype(np.float32), (0, 0), sigmaX=6, sigmaY=1.2))

    def _face_rows(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Row, weight and radius in each direction, float64 [AROUND], of the rows that the mesh fills."""
        from scipy.interpolate import LinearNDInterpolator

        across = np.arange(np.floor(self._ahead[:, 0].min()), np.ceil(self._ahead[:, 0].max()) + 1)
        rows = np.flatnonzero((self._rows > self._mesh[:, 1].min()) & (self._rows < self._mesh[:, 1].max()))
        places = np.column_stack([self._ahead[:, 0], self._mesh[:, 1]])
        surface = LinearNDInterpolator(places, self._ahead[:, 1])
        ahead = surface(*np.meshgrid(across, self._rows[rows]))
        inside = np.isfinite(ahead)
        inwards = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        weights = _eased(inwards / (BLEND * SIDE))
        filled = []
        for row, known, forward, weight in zip(rows.tolist(), inside, ahead, weights, strict=True):
            if known.sum() < 3:
                continue
            angles = np.arctan2(across[known], forward[known])
            order = np.argsort(angles)
            share = np.interp(self._angles, angles[order], weight[known][order], 0.0, 0.0)
            radii = np.interp(self._angles, angles[order], np.hypot(across, forward)[known][order])
            filled.append((row, share, radii))
        return filled

    def _skin_and_hair(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The surface's colour, uint32 [rows, AROUND]: four bytes as in a picture. It fades down the neck."""
        colour = self._picture[:, :, :3] / np.maximum(self._picture[:, :, 3:] / 255, 1e-3)
        inner = 3.0  # pixels: the cut-out's edge is soft, and has some background in it
        across = np.clip(
            self._axis + self._radius * np.sin(self._angles),
            (self._axis - left + inner)[:, None],
            (self._axis + np.maximum(right - inner, inner - left))[:, None],
        )
        down = np.broadcast_to(np.maximum(self._rows, self._rows[0] + inner)[:, None], across.shape)
        seen = cv2.remap(colour, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)
        behind = _eased((np.degrees(np.abs(self._angles)) - SEEN_DEG) / (UNSEEN_DEG - SEEN_DEG))[:, None]
        surface = seen * (1 - behind) + self._hair_and_nape(colour, seen) * behind
        fade = np.clip((self._rows[-1] - self._rows) / (0.08 * SIDE), 0, 1)[:, None, None]
        opaque = np.full((*across.shape, 1), 255.0)
        pixels = np.concatenate([surface.clip(0, 255), opaque], axis=2) * fade
        return np.asarray(pixels.round().astype(np.uint8).view(np.uint32)[:, :, 0])

    def _hair_and_nape(self, colour: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """What the back of the head is like, [rows, AROUND, 3]: strands in the colours above the forehead,
        down to where the sides of the head are rather like the neck."""
        x, top, hairline = int(self._axis), self._rows[0], self._mesh[_TOP, 1]
        fringe = colour[int(top + 0.04 * SIDE) : int(top + 0.6 * (hairline - top)), x - 30 : x + 30]
        chin = int(self._mesh[_CHIN, 1])
        neck = np.median(colour[chin : chin + 6, x - 20 : x + 20].reshape(-1, 3), axis=0)
        hair = np.median(fringe.reshape(-1, 3), axis=0)
        noise = np.random.default_rng(0).normal(0, 1, seen.shape[:2])
        strands = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=5, sigmaY=14))
        strands *= 0.4 * fringe.std(axis=(0, 1)).mean() / strands.std()
        aside = np.abs(np.degrees(np.abs(self._angles)) - (SEEN_DEG + UNSEEN_DEG) / 2) < 1
        like = [np.linalg.norm(seen[:, aside].mean(axis=1) - one, axis=1) for one in (hair, neck)]
        hairy = (like[0] < like[1]) | (self._rows < self._mesh[_MOUTH, 1])
        share = cv2.GaussianBlur(hairy[:, None].astype(np.float64), (0, 0), sigmaX=1e-3, sigmaY=5)[:, :, None]
        return np.asarray(share * (hair + strands[:, :, None]) + (1 - share) * 0.8 * neck)

    def _head(self, yaw_deg: float) -> np.ndarray:
        """float32 [rows + 4, w, 4], premultiplied, with two rows of margin above and below."""
        angles = _wrapped(self._angles + np.radians(yaw_deg))
        order = np.argsort(-np.abs(angles), kind="stable")  # later ones hide earlier ones
        across = self._axis + self._radius[:, order] * np.sin(angles[order])
        columns = np.rint(2 * across + 0.5).astype(np.intp)
        fine = np.zeros((len(self._rows), 2 * self._picture.shape[1]), np.uint32)
        fine[np.broadcast_to(np.arange(len(self._rows)), columns.T.shape), columns.T] = self._colour[
            :, order
        ].T
        size = (self._picture.shape[1], len(self._rows))
        head = cv2.resize(fine.view(np.uint8).reshape(*fine.shape, 4), size, interpolation=cv2.INTER_AREA)
        padded = cv2.copyMakeBorder(head, 2, 2, 0, 0, cv2.BORDER_CONSTANT, value=0)
        return np.asarray(cv2.GaussianBlur(padded, (0, 0), 0.6), np.float32)

    def _body(self, yaw_deg: float) -> np.ndarray:
        """float32 [h, w, 4], premultiplied: what is below the chin, as wide as an ellipse that has turned."""
        beyond = max(0.0, abs(yaw_deg) - BODY_FOLLOWS_DEG) / (180.0 - BODY_FOLLOWS_DEG)
        turned = np.radians(BODY_TURNS * 180.0 * beyond)
        width = np.hypot(np.cos(turned), BODY_DEPTH * np.sin(turned))
        rows, columns = (np.arange(size) for size in self._picture.shape[:2])
        widths = 1 + _eased((rows - self._neck) / (SHOULDERS * SIDE)) * (width - 1)
        across = self._axis + (columns - self._axis) / widths[:, None]
        along = np.broadcast_to(rows[:, None], across.shape)
        body = cv2.remap(self._picture, across.astype(np.float32), along.astype(np.float32), cv2.INTER_LINEAR)
        below = np.clip((rows - self._mesh[_CHIN, 1]) / (0.06 * SIDE), 0, 1)
        return np.asarray(body * below[:, None, None], np.float32)

    def _box(self, yaw_deg: float) -> np.ndarray:
        """The face's box by its landmarks, as ever: so do detectors see turned heads, which are narrower."""
        yaw = np.radians(yaw_deg)
        across, forward = self._ahead[IBUG].T
        ahead, turned = (
            face_box(np.column_stack([places, self._mesh[IBUG, 1]]))
            for places in (across, across * np.cos(yaw) + forward * np.sin(yaw))
        )
        return np.asarray(self.box + turned - ahead)

    def _shows_face(self, yaw_deg: float) -> bool:
        return any(self._is_seen(eye, yaw_deg) for eye in _EYES)

    def _is_seen(self, eye: tuple[int, int], yaw_deg: float) -> bool:
        """Whether nothing nearer to the camera reaches as far to the side as the middle of this eye."""
        across, forward = self._ahead[list(eye)].mean(axis=0)
        radii = self._radius[int(np.rint(self._mesh[list(eye), 1].mean())) - self._rows[0]]
        angle = float(_wrapped(np.arctan2(across, forward) + np.radians(yaw_deg)))
        angles = np.sign(angle) * _wrapped(self._angles + np.radians(yaw_deg))
        aside = radii * np.sin(angles)
        own = float(aside[np.argmin(np.abs(angles - abs(angle)))])
        return bool(own >= aside[(angles >= 0) & (angles <= abs(angle))].max(initial=0.0) - 0.5)


def _wrapped(angles: np.ndarray) -> np.ndarray:
    return np.asarray((angles + np.pi) % (2 * np.pi) - np.pi)


def _eased(share: np.ndarray) -> np.ndarray:
    """From 0 to 1, beginning and ending gently."""
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share**2 * (3 - 2 * share))


def _scaled(cutout: Cutout) -> np.ndarray:
    """The cut-out with its face's box SIDE wide and where `TurningPerson.box` is, uint8 [h, w, 4]."""
    scale = SIDE / (cutout.box[2] - cutout.box[0])
    shrunk = 2 ** max(0, int(np.floor(-np.log2(scale))))
    picture = cv2.resize(cutout.picture, None, fx=1 / shrunk, fy=1 / shrunk, interpolation=cv2.INTER_AREA)
    centre = (cutout.box[:2] + cutout.box[2:]) / 2
    place = np.array([[scale, 0, BESIDE * SIDE], [0, scale, ABOVE * SIDE]])
    place[:, 2] -= scale * centre
    place[:, 2] += scale * (shrunk - 1) / 2  # a coordinate names a pixel's middle
    place[:, :2] *= shrunk
    size = (int(2 * BESIDE * SIDE), int((ABOVE + BELOW) * SIDE))
    return np.asarray(cv2.warpAffine(picture, place, size))
