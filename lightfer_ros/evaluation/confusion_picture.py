"""A confusion matrix as a picture: one row per true class, darker where more of the row was called so."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

import numpy as np

from lightfer_ros.files import write_whole
from lightfer_ros.model import EMOTIONS

CELL, MARGIN = 72, 110
INK = (40, 40, 40)


def draw_confusion(confusion: np.ndarray, title: str) -> np.ndarray:
    """confusion: int [7, 7]. Returns BGR uint8 [h, w, 3] with per cent of each row, and counts."""
    import cv2

    k = len(EMOTIONS)
    picture = np.full((MARGIN + k * CELL + 10, MARGIN + k * CELL + 10, 3), 255, np.uint8)

    def write(text: str, x: int, y: int, scale: float, ink: Tuple[int, int, int] = INK) -> None:
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
        cv2.putText(picture, text, (x - width // 2, y), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)

    write(title, picture.shape[1] // 2, 28, 0.55)
    write("rows: true, columns: called, per cent of the row", picture.shape[1] // 2, 52, 0.42)
    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    for i, name in enumerate(EMOTIONS):
        write(name, MARGIN + i * CELL + CELL // 2, MARGIN - 12, 0.45)
        write(name, MARGIN // 2, MARGIN + i * CELL + CELL // 2 + 5, 0.45)
        for j in range(k):
            x, y = MARGIN + j * CELL, MARGIN + i * CELL
            shade = float(share[i, j])
            colour = (255 - int(90 * shade), 255 - int(160 * shade), 255 - int(225 * shade))
            cv2.rectangle(picture, (x, y), (x + CELL - 2, y + CELL - 2), colour, -1)
            ink = (255, 255, 255) if shade > 0.6 else INK
            write(f"{100 * shade:.1f}", x + CELL // 2, y + CELL // 2, 0.5, ink)
            write(f"{int(confusion[i, j])}", x + CELL // 2, y + CELL // 2 + 22, 0.36, ink)
    return picture


def save_confusion(path: Path, confusion: np.ndarray, title: str) -> None:
    """Write the picture as PNG, whole or not at all. Raises LightferError when it cannot be written."""
    import cv2

    _, code = cv2.imencode(".png", draw_confusion(confusion, title))
    write_whole(path, code.tobytes())
