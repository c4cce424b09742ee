"""The demo's video and contact sheet, made of overlays of any size."""

import cv2
import numpy as np

from lightfer_ros.cli.demo_pictures import COLUMNS, ROWS, TILE, contact_sheet
from lightfer_ros.cli.overlay_video import OverlayVideo

SIZES = [(480, 640), (360, 640), (480, 300)]


def test_pictures_of_several_sizes_share_one_video_and_one_sheet(tmp_path):
    video = OverlayVideo(tmp_path / "emotions.mp4")
    for n in range(12):
        picture = np.full((*SIZES[n % 3], 3), 20 * n, np.uint8)
        video.add(n * 0.5, cv2.imencode(".jpg", picture)[1].tobytes())
    video.close()
    written = cv2.VideoCapture(str(tmp_path / "emotions.mp4"))
    shapes = set()
    while written.grab():
        shapes.add(written.retrieve()[1].shape)
    assert shapes == {(480, 640, 3)}
    contact_sheet(video.pictures, [("shades", 0.0, 6.0)], tmp_path / "emotions.png")
    sheet = cv2.imread(str(tmp_path / "emotions.png"))
    assert sheet.shape[1] == COLUMNS * TILE[0] and sheet.shape[0] > ROWS * TILE[1]
    last_tile = sheet[-TILE[1] // 2, -TILE[0] // 2]
    assert abs(int(last_tile[0]) - 220) < 8, "the newest picture comes last"
