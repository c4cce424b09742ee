"""What detectors find, measured: heads are where they are said to be, and nothing is miscounted."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest

from lightfer_ros.benchmark import detectors, head_views
from lightfer_ros.benchmark.backgrounds import background
from lightfer_ros.benchmark.detectors import Row, measure, pictures_of_nobody
from lightfer_ros.benchmark.head_views import Head, View, heads
from lightfer_ros.cli.main import main
from lightfer_ros.errors import DataError, LightferError
from lightfer_ros.perception.detection import Detector
from lightfer_ros.perception.faces import DETECTED, Faces

pytest.importorskip("onnxruntime")
pytest.importorskip("scipy.spatial")
pytest.importorskip("skimage.data")

PHOTO = "photo_single_face"


@pytest.fixture(scope="module")
def head() -> Head:
    try:
        return next(heads(PHOTO))
    except LightferError as error:
        pytest.skip(str(error))


@pytest.fixture
def few_views(monkeypatch, head):
    """One face, upright, turned aside and lying, and a photo of a turned head; one background, two sizes."""
    monkeypatch.setattr(head_views, "PHOTOS", (PHOTO,))
    monkeypatch.setattr(head_views, "REALLY_TURNED", {"photo of 45°": "photo_posed_45_degrees"})
    monkeypatch.setattr(detectors, "YAWS_DEG", (30,))
    monkeypatch.setattr(detectors, "TILTS_DEG", (90,))
    monkeypatch.setattr(detectors, "PLACES", detectors.PLACES[:1])
    monkeypatch.setattr(detectors, "SIDES_PX", (40, 120))
    monkeypatch.setattr(detectors, "NOBODY", ("coffee.png", "rocket.jpg"))


@pytest.mark.parametrize("side_px", [30, 120, 300])
def test_a_head_has_the_size_and_the_place_asked_for_and_the_rest_is_background(head, side_px):
    behind = np.full((480, 640, 3), (0, 255, 0), np.uint8)
    view = head.photo.before(behind, 400, 200, side_px)
    x1, y1, x2, y2 = view.box
    assert (x2 - x1, y2 - y1) == pytest.approx((side_px, side_px))
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((400, 200), abs=0.5)
    assert view.picture.shape == behind.shape
    if side_px < 300:  # which fills the picture with what the photo shows around the face
        assert (view.picture[470:, :10] == behind[470:, :10]).all()
    # The face is that of the photo: cut out and made as large again, it is hardly another.
    again, photo = (
        cv2.resize(
            each.picture[int(top) : int(bottom), int(left) : int(right)], (24, 24), None, 0, 0, cv2.INTER_AREA
        )
        for each in (view, head.photo)
        for left, top, right, bottom in [each.box.round()]
    )
    assert np.corrcoef(again.ravel(), photo.ravel())[0, 1] > 0.98


def test_a_head_may_leave_the_picture(head):
    view = head.photo.before(background(head_views.TABLE), 10, 470, 200)
    assert view.picture.shape == (480, 640, 3)
    assert view.box[0] < 0 and view.box[3] > 480


def test_the_box_of_a_turned_head_is_as_large_and_goes_where_the_face_goes(head):
    ahead = head.photo.box
    for side in (1, -1):
        turned = head.turned(side * 45, 0).box
        assert np.ptp(turned[::2]) == pytest.approx(np.ptp(ahead[::2]))
        assert (turned[0] - ahead[0]) * side > 5  # to its own left is to the right in the picture


def test_a_mirrored_view_has_its_box_on_the_other_side():
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[20:40, 10:30] = 255
    mirrored = head_views._mirrored(View(picture, np.array([10.0, 20.0, 30.0, 40.0])))
    np.testing.assert_array_equal(mirrored.box, [170, 20, 190, 40])
    assert mirrored.picture[20:40, 170:190].all() and mirrored.picture.sum() == picture.sum()


def test_pictures_of_nobody_are_photos_and_their_quarters_in_the_size_of_the_camera():
    pictures = list(pictures_of_nobody())
    assert len(pictures) == 5 * len(detectors.NOBODY)
    assert {picture.shape for picture in pictures} == {(480, 640, 3)}
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_background_that_is_not_there_is_named():
    with pytest.raises(DataError, match="atlantis"):
        background("atlantis.png")


class Sure(Detector):
    """Takes one place for a face in every picture, and sees faces where it searches only left of that."""

    name, own_threshold, search_side_px = "sure", 0.5, 48.0

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        super().__init__(0.0, 0, 0.0)
        self.box = np.array([box], np.float32)

    def detect(self, frame, least=None):
        return Faces(boxes=self.box, confidence=np.ones(1, np.float32), state=np.full(1, DETECTED, np.uint8))

    def _find(self, frame, region, scale, least):
        return Faces.empty()


def test_found_is_what_a_box_overlaps_by_half_and_every_box_is_false_where_nobody_is(few_views, monkeypatch):
    ahead = View(np.full((400, 400, 3), 90, np.uint8), np.array([100.0, 100.0, 300.0, 300.0]))
    monkeypatch.setattr(detectors, "poses", lambda yaws, tilts: iter([("upright", [ahead, ahead])]))
    out = io.StringIO()
    # 120 px around 320, 240; moved by a quarter it overlaps by 0.6, the face of 40 px lies in it by 0.11.
    found, (cost,) = measure([Sure((290, 180, 410, 300))], out)
    assert found == [Row("sure", "upright", 40, 2, 0, 0), Row("sure", "upright", 120, 2, 2, 0)]
    assert (cost.pictures, cost.false_boxes) == (10, 10)
    assert "upright" in out.getvalue() and "10 boxes in 10 pictures" in out.getvalue()


def test_yunet_finds_faces_that_look_ahead_or_aside_but_none_that_lies(few_views, capsys):
    assert main(["benchmark", "detectors", "--detector", "yunet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {(row["pose"], row["side_px"]): row for row in told["found"]}
    for pose, views in (("upright", 1), ("yaw 30°", 2), ("photo of 45°", 2)):
        row = rows[pose, 120]
        assert (row["views"], row["scanned"], row["searched"]) == (views, views, views)
    assert rows["tilt 90°", 120]["scanned"] == 0
    (cost,) = told["costs"]
    assert 0 < cost["search_ms"] < cost["scan_ms"]
    assert cost["false_boxes"] == 0


def test_faces_that_a_scan_of_the_reduced_picture_misses_are_found_at_its_full_size(
    few_views, monkeypatch, capsys
):
    monkeypatch.setattr(detectors, "SIDES_PX", (20,))
    monkeypatch.setattr(detectors, "poses", lambda yaws, tilts: [("upright", [next(heads(PHOTO)).photo])])
    scanned = []
    for scale in ("0.25", "1.0"):
        assert main(["benchmark", "detectors", "--detector", "yunet", "--scale", scale, "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["found"]
        scanned.append(row["scanned"])
    assert scanned == [0, 1]


def test_the_table_has_a_line_for_each_detector_in_each_pose_and_one_for_its_cost(few_views, capsys):
    assert main(["benchmark", "detectors"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name in ("dlib_hog", "yunet"):
        assert [" ".join(line).split(f" {name}")[0] for line in lines if name in line[1:]] == [
            "upright 1", "yaw 30° 2", "tilt 90° 2", "photo of 45° 2",
        ]  # fmt: skip
        (cost,) = (line for line in lines if line[:1] == [name])
        assert "scan" in cost and "search" in cost
    (hog,) = (line for line in lines if line[:1] == ["upright"] and "dlib_hog" in line)
    assert hog[3:] == ["0", "1", "1", "1"]  # too small to be scanned for at 40 px, but not to be searched
