"""Detection on real photos: who is found, where, how small and how dark; two detectors, one convention."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.errors import ConfigurationError, RuntimeUnavailableError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import DETECTORS, DetectionOptions, make_detector
from lightfer_ros.perception.detection.yunet import OVERLAP, SHIFT_DOWN, SIDE
from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.tracking import box_iou

NOSES = {"sunglasses": (252, 110), "front": (371, 313), "behind": (480, 267), "middle": (577, 378)}
NOSES["right"] = (733, 355)
"""Where the five people of the photo have the tips of their noses, by eye, in pixels."""

FACE_PX, FACE_LEFT, FACE_TOP = 210, 170, 185
"""The one face of the other photo: width of its box, left and top edge, by eye."""


@pytest.fixture(scope="module")
def single() -> np.ndarray:
    return photo("photo_single_face")


def detect(picture: np.ndarray, detector: str, **options) -> Faces:
    return make_detector(DetectionOptions(detector, **options)).detect(Frame.from_array(picture))


def people(faces: Faces) -> set:
    """Who of the five is found, each by one box that has their nose near its middle."""
    found = []
    for x1, y1, x2, y2 in faces.boxes:
        within = [
            name
            for name, (x, y) in NOSES.items()
            if abs(x - (x1 + x2) / 2) < (x2 - x1) / 4 and abs(y - (y1 + y2) / 2) < (y2 - y1) / 4
        ]
        assert len(within) == 1
        found += within
    assert len(set(found)) == len(found)
    return set(found)


def test_faces_that_a_scan_only_glimpses_are_searched_and_told_once(several, monkeypatch):
    group = placed(resized(several, 0.25), 100, 60)  # faces of 22 to 27 px
    faces = detect(group, "yunet")
    there = np.array([(100 + x / 4, 60 + y / 4) for x, y in NOSES.values()])
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    away = np.linalg.norm(middles[:, None] - there[None], axis=2)
    assert len(faces) == 5 and sorted(away.argmin(axis=1)) == [0, 1, 2, 3, 4] and away.min(axis=1).max() < 8
    assert (faces.confidence[:-1] >= faces.confidence[1:]).all()
    monkeypatch.setattr("lightfer_ros.perception.detection.yunet.MOST_GLIMPSES", 0)
    assert len(detect(group, "yunet")) < 5


def test_what_was_glimpsed_has_to_be_as_sure_as_is_asked_for(several):
    group = placed(resized(several, 0.25), 100, 60)
    sure = detect(group, "yunet", threshold=0.91)
    assert 0 < len(sure) < 5 and (sure.confidence >= 0.91).all()


def test_a_threshold_below_a_glimpse_is_kept(several):
    group = placed(resized(several, 0.25), 100, 60)
    weak = make_detector(DetectionOptions("yunet")).detect(Frame.from_array(group), 0.2)
    assert len(weak) >= 5 and (weak.confidence >= 0.2).all() and (weak.confidence < 0.4).any()
    assert (np.triu(box_iou(weak.boxes, weak.boxes), 1) <= OVERLAP + 0.1).all()


def test_both_detectors_find_the_people_of_a_photo_and_no_others(several):
    hog, yunet = (detect(several, name) for name in ("dlib_hog", "yunet"))
    assert people(yunet) == set(NOSES)
    assert people(hog) == set(NOSES) - {"sunglasses"}  # HOG wants eyes
    for faces in (hog, yunet):
        assert faces.state.tolist() == [DETECTED] * len(faces)
        assert (faces.confidence >= 0.5).all() and (faces.confidence <= 1.0).all()
        assert (np.diff(faces.confidence) <= 0).all()  # the surest first


@pytest.mark.parametrize("name, least", [("photo_multi_face", 0.6), ("photo_single_face", 0.8)])
def test_both_detectors_mean_the_same_square_by_a_face(name, least):
    picture = photo(name)
    hog, yunet = (detect(picture, detector) for detector in ("dlib_hog", "yunet"))
    assert (box_iou(hog.boxes, yunet.boxes).max(axis=1) > least).all()
    for faces in (hog, yunet):
        width, height = (faces.boxes[:, 2:] - faces.boxes[:, :2]).T
        np.testing.assert_allclose(width, height, rtol=0.02)


@pytest.mark.parametrize("detector", DETECTORS)
def test_nobody_is_found_where_nobody_is(detector):
    assert len(detect(resized(photo("photo_no_face"), 0.5), detector)) == 0
    for height, width in ((1, 1), (3, 50), (80, 80), (480, 640)):
        assert len(detect(np.full((height, width, 3), 99, np.uint8), detector)) == 0


@pytest.mark.parametrize(
    "size, detector, options",
    [
        (20, "yunet", {"scale": 1.0}),
        (20, "dlib_hog", {"upsampling": 2}),
        (45, "dlib_hog", {"upsampling": 1}),
        (90, "dlib_hog", {}),
        (45, "dlib_hog", {"scale": 2.0}),
        (210, "dlib_hog", {"scale": 0.5}),
        (210, "yunet", {"scale": 0.5}),
        (600, "dlib_hog", {}),
        (600, "yunet", {}),
    ],
)
def test_a_face_of_any_size_is_found_where_it_is_by_the_options_meant_for_it(single, size, detector, options):
    factor = size / FACE_PX
    picture = placed(resized(single, factor), 40, 60, 640 + 2 * size, 480 + 2 * size)
    faces = detect(picture, detector, **options)
    assert len(faces) == 1
    left, top = 40 + factor * FACE_LEFT, 60 + factor * FACE_TOP
    expected = np.array([[left, top, left + size, top + size]])
    assert box_iou(faces.boxes, expected)[0, 0] > 0.6


def test_what_is_too_small_for_hog_is_not_found_and_breaks_nothing(single):
    assert len(detect(placed(resized(single, 20 / FACE_PX), 100, 100), "dlib_hog")) == 0
    assert len(detect(single, "dlib_hog", scale=0.1)) == 0


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_face_in_the_dark_is_still_found(single, detector):
    bright, dark = detect(single, detector), detect(cv2.convertScaleAbs(single, alpha=0.1), detector)
    assert len(dark) == 1
    assert box_iou(bright.boxes, dark.boxes)[0, 0] > 0.6


def test_yunet_finds_faces_upside_down_and_cut_by_the_border(single):
    (x1, y1, x2, y2), *others = detect(np.ascontiguousarray(single[::-1, ::-1]), "yunet").boxes
    height, width = single.shape[:2]
    turned = [[width - x2, height - y2, width - x1, height - y1]]
    assert box_iou(np.array(turned), detect(single, "yunet").boxes)[0, 0] > 0.6
    assert not others
    half = FACE_LEFT + FACE_PX // 2
    assert len(detect(np.ascontiguousarray(single[:, :half]), "yunet")) == 1


@pytest.mark.parametrize("detector", DETECTORS)
def test_detections_below_the_threshold_are_dropped(several, detector):
    confidence = detect(several, detector).confidence
    threshold = float(confidence[:2].mean())
    sure = detect(several, detector, threshold=threshold)
    np.testing.assert_allclose(sure.confidence, confidence[confidence >= threshold], rtol=1e-4)
    assert len(detect(several, detector, threshold=1.0)) == 0
    assert len(detect(several, detector, threshold=0.1)) >= len(confidence)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_padded_grey_or_read_only_picture_gives_the_same_faces(several, detector):
    wide = np.zeros((667, 1100, 3), np.uint8)
    wide[:, :1000] = several
    np.testing.assert_array_equal(detect(wide[:, :1000], detector).boxes, detect(several, detector).boxes)
    grey = cv2.cvtColor(several, cv2.COLOR_BGR2GRAY)
    assert people(detect(grey, detector)) >= set(NOSES) - {"sunglasses"}


def test_yunet_finds_in_onnx_runtime_what_opencv_finds_with_the_same_file(several):
    if tuple(int(number) for number in cv2.__version__.split(".")[:2]) < (4, 8):
        pytest.skip(f"OpenCV {cv2.__version__} cannot run the file")
    picture = cv2.resize(several, (512, 352), interpolation=cv2.INTER_AREA)
    theirs = cv2.FaceDetectorYN.create(str(manifest.find("yunet")), "", (512, 352), 0.6, OVERLAP)
    x, y, width, height = theirs.detect(picture)[1][:, :4].T
    half = SIDE * np.sqrt(width * height) / 2
    middle = np.stack([x + width / 2, y + height / 2 + SHIFT_DOWN * height], axis=1)
    ours = detect(picture, "yunet", scale=1.0, threshold=0.6)
    np.testing.assert_allclose((ours.boxes[:, :2] + ours.boxes[:, 2:]) / 2, middle, atol=0.02)
    np.testing.assert_allclose(ours.boxes[:, 2] - ours.boxes[:, 0], 2 * half, atol=0.02)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_search_finds_the_face_that_is_near_and_no_other(several, detector):
    frame, finder = Frame.from_array(several), make_detector(DetectionOptions(detector))
    for box in finder.detect(frame).boxes:
        side = box[2] - box[0]
        found = finder.search(frame, box + np.float32([0.2, -0.1, 0.2, -0.1]) * side)
        assert box_iou(found.boxes, box[None]).max() > 0.6
        assert len(found) <= 2  # neighbours stand close
    assert len(finder.search(frame, np.array([800.0, 600.0, 860.0, 660.0]))) == 0
    assert len(finder.search(frame, np.array([-500.0, -500.0, -440.0, -440.0]))) == 0


def test_of_its_own_choice_yunet_finds_faces_from_40_px_in_the_usual_camera_picture(single):
    for size in (40, 60, 120, 230):
        factor = size / FACE_PX
        picture = placed(resized(single, factor), 30, 30)
        expected = np.array([[30 + factor * FACE_LEFT, 30 + factor * FACE_TOP] * 2]) + [0, 0, size, size]
        found = detect(picture, "yunet")
        assert box_iou(found.boxes, expected).max(initial=0.0) > 0.6, size


def test_auto_takes_yunet_and_where_it_cannot_dlib_hog_and_says_why(monkeypatch, caplog):
    assert make_detector(DetectionOptions("auto")).name == "yunet"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert make_detector(DetectionOptions("auto")).name == "dlib_hog"
    assert "detector yunet passed over: detector yunet needs onnxruntime" in caplog.text
    with pytest.raises(RuntimeUnavailableError, match=r"needs onnxruntime .*or use dlib_hog"):
        make_detector(DetectionOptions("yunet"))


def test_an_unknown_detector_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigurationError, match="detector is 'haar', expected one of auto, dlib_hog, yunet"):
        make_detector(DetectionOptions("haar"))
