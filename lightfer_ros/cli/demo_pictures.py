"""The demo's two pictures: a contact sheet of what was seen, and each person's expressions over time."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence, Tuple

import cv2
import numpy as np

from lightfer_ros.cli.letterbox import letterbox
from lightfer_ros.errors import LightferError
from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.decode import decode_compressed
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.palette import COLOURS_BGR

COLUMNS, ROWS = 4, 3
TILE = (480, 360)
"""Width and height of one picture on the sheet, pixels."""

MOST_TRACKS = 8
SHORTEST_TRACK_S = 0.5

Part = Tuple[str, float, float]
"""A part of the video by name, start and end in seconds."""


def contact_sheet(pictures: Sequence[Tuple[float, bytes]], parts: Sequence[Part], path: Path) -> None:
    """Twelve overlays, evenly over the time, each under its time and part. pictures: seconds and JPEG."""
    if not pictures:
        return
    last = pictures[-1][0]
    tiles = []
    for n in range(COLUMNS * ROWS):
        wanted = last * (n + 0.5) / (COLUMNS * ROWS)
        at, jpeg = min(pictures, key=lambda picture: abs(picture[0] - wanted))
        bgr = decode_compressed("jpeg", jpeg).bgr
        assert bgr is not None  # our own overlay
        title = np.full((34, TILE[0], 3), 30, np.uint8)
        name = next((name for name, start, end in parts if start <= at < end), "")
        text = f"{at:5.1f} s   {name}"
        cv2.putText(title, text, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (230, 230, 230), 1, cv2.LINE_AA)
        tiles.append(np.vstack([title, letterbox(bgr, TILE)]))
    rows = [np.hstack(tiles[r * COLUMNS : (r + 1) * COLUMNS]) for r in range(ROWS)]
    if not cv2.imwrite(str(path), np.vstack(rows)):
        raise LightferError(f"{path} cannot be written: is the disk full?")


def timeline(answers: Sequence[Tuple[float, Faces]], parts: Sequence[Part], path: Path) -> None:
    """Each track's probabilities over time, stacked, in the colours of the overlay."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tracks = _longest_tracks(answers)
    end = answers[-1][0] if answers else 1.0
    figure, axes = plt.subplots(
        max(1, len(tracks)), 1, figsize=(13, 1.0 + 1.3 * max(1, len(tracks))), sharex=True, squeeze=False
    )
    colours = [tuple(value / 255 for value in reversed(bgr)) for bgr in COLOURS_BGR]
    for axis, (track_id, times, probabilities) in zip(axes[:, 0], tracks):
        for run in np.split(np.arange(len(times)), np.flatnonzero(np.diff(times) > 0.25) + 1):
            axis.stackplot(times[run], probabilities[run].T, colors=colours, linewidth=0)
        axis.set_ylabel(f"#{track_id}", rotation=0, labelpad=16, va="center", fontsize=12)
        axis.set_ylim(0, 1)
        axis.set_yticks([0, 0.5, 1])
    for index, axis in enumerate(axes[:, 0]):
        for number, (name, start, _) in enumerate(parts):
            axis.axvline(start, color="0.4", linewidth=0.8, linestyle="--")
            if index == 0:  # on two levels: a short part's name is longer than the part
                axis.text(start + 0.15, 1.05 + 0.13 * (number % 2), name, fontsize=8, color="0.3")
    axes[-1, 0].set_xlim(0, end)
    axes[-1, 0].set_xlabel("seconds")
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in colours]
    figure.legend(handles, EMOTIONS, loc="lower center", ncol=len(EMOTIONS), frameon=False)
    figure.supylabel("probability, per track", fontsize=10)
    figure.tight_layout(rect=(0.01, 0.06, 1, 1))
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _longest_tracks(answers: Sequence[Tuple[float, Faces]]) -> List[Tuple[int, np.ndarray, np.ndarray]]:
    """The tracks seen longest, by id: id, times [n], probabilities [n, 7]."""
    seen: dict[int, List[Tuple[float, np.ndarray]]] = {}
    for at, faces in answers:
        for track_id, probabilities in zip(faces.track_id.tolist(), faces.probabilities):
            seen.setdefault(track_id, []).append((at, probabilities))
    lengths = {track_id: rows[-1][0] - rows[0][0] for track_id, rows in seen.items()}
    longest = sorted((i for i in seen if lengths[i] >= SHORTEST_TRACK_S), key=lambda i: -lengths[i])
    return [
        (i, np.array([at for at, _ in seen[i]]), np.stack([probabilities for _, probabilities in seen[i]]))
        for i in sorted(longest[:MOST_TRACKS])
    ]
