"""Faces: arrays that belong together, refused where they do not, selected and merged as one."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.faces import DETECTED, STATE_UNSET, Faces

FIELDS = dataclasses.fields(Faces)


def three() -> Faces:
    """Three faces whose every array tells them apart."""
    number = np.arange(1, 4)
    return Faces(
        **{
            field.name: np.broadcast_to(
                number.reshape(3, *[1] * len(field.metadata["shape"])), (3, *field.metadata["shape"])
            )
            for field in FIELDS
        }
    )


def numbers(faces: Faces) -> list:
    """Which of the three these are, once every array agrees."""
    rows = [[np.ravel(row)[0] for row in getattr(faces, field.name)] for field in FIELDS]
    assert all(row == rows[0] for row in rows)
    return rows[0]


def test_what_is_not_given_is_unset():
    faces = Faces(boxes=[[1, 2, 3, 4]])
    assert faces.boxes.dtype == np.float32 and faces.track_id.dtype == np.int64
    assert faces.track_id.tolist() == [0] and faces.state.tolist() == [STATE_UNSET]
    assert faces.landmarks.shape == (1, 68, 2) and faces.probabilities.shape == (1, len(EMOTIONS))
    for name in ("confidence", "landmarks", "probabilities", "pose", "reliability", "time_in_view"):
        assert np.isnan(getattr(faces, name)).all()


@pytest.mark.parametrize("name", [field.name for field in FIELDS if field.name != "boxes"])
@given(count=st.integers(0, 4), other=st.integers(0, 4))
def test_an_array_for_another_number_of_faces_is_refused_by_name(name, count, other):
    shape = next(field.metadata["shape"] for field in FIELDS if field.name == name)
    arrays = {"boxes": np.zeros((count, 4)), name: np.zeros((other, *shape))}
    if count == other:
        assert len(Faces(**arrays)) == count
    else:
        with pytest.raises(ValueError, match=f"{name} has shape"):
            Faces(**arrays)


@pytest.mark.parametrize("boxes", [[1, 2, 3, 4], [[1, 2, 3]], [[[1, 2, 3, 4]]], np.zeros((0, 5))])
def test_boxes_that_are_not_rows_of_four_are_refused(boxes):
    with pytest.raises(ValueError, match="boxes has shape"):
        Faces(boxes=boxes)


@pytest.mark.parametrize(
    "index, selected",
    [
        (1, [2]),
        (-1, [3]),
        (np.int64(0), [1]),
        (slice(1, None), [2, 3]),
        ([2, 0], [3, 1]),
        (np.array([True, False, True]), [1, 3]),
        (np.array([True, True, True]), [1, 2, 3]),
        ([], []),
    ],
)
def test_an_index_selects_from_every_array(index, selected):
    assert numbers(three()[index]) == selected


@given(st.lists(st.integers(-3, 2), max_size=5))
def test_an_array_of_indices_selects_in_its_order(indices):
    assert numbers(three()[np.array(indices, np.intp)]) == [[1, 2, 3][index] for index in indices]


def test_picking_everybody_in_their_order_copies_nothing():
    faces = three()
    assert faces[np.arange(3)] is faces and faces[np.ones(3, bool)] is faces
    with pytest.raises(IndexError):
        faces[np.arange(3.0)]


def test_there_is_no_face_behind_the_last():
    with pytest.raises(IndexError):
        three()[3]
    assert [numbers(face) for face in three()] == [[1], [2], [3]]


@pytest.mark.parametrize("mask", [[True] * 2, [True] * 4, [False] * 4])
def test_a_mask_for_another_number_of_faces_is_refused(mask):
    with pytest.raises(IndexError):
        three()[np.array(mask)]


def test_a_box_is_as_wide_as_its_edges_lie_apart():
    assert Faces(boxes=[[1, 2, 4, 9], [-2, 0, 2, 4]]).sides.tolist() == [3, 4]


def test_merging_keeps_the_order_and_what_is_unset():
    merged = Faces.merge([three()[2], Faces.empty(), three()[:2]])
    assert numbers(merged) == [3, 1, 2]
    assert len(Faces.merge([])) == len(Faces.merge([Faces.empty()])) == 0
    half_known = Faces.merge([three()[0], Faces(boxes=[[5, 5, 6, 6]])])
    assert half_known.track_id.tolist() == [1, 0]
    assert np.isnan(half_known.confidence).tolist() == [False, True]


def test_a_replaced_array_leaves_the_first_value_as_it_was():
    faces = three()
    assert faces.replace(state=np.full(3, DETECTED)).state.tolist() == [DETECTED] * 3
    assert faces.state.tolist() == [1, 2, 3]


def test_a_copy_shares_no_array():
    faces = three()
    copy = faces.copy()
    assert numbers(copy) == [1, 2, 3]
    for field in FIELDS:
        assert not np.shares_memory(getattr(copy, field.name), getattr(faces, field.name))


def test_the_label_is_the_most_probable_expression_and_minus_one_where_unset():
    probabilities = np.eye(len(EMOTIONS))[[3, 6]]
    assert Faces(boxes=np.zeros((2, 4)), probabilities=probabilities).label.tolist() == [3, 6]
    assert Faces(boxes=np.zeros((2, 4))).label.tolist() == [-1, -1]
    assert Faces.empty().label.shape == (0,)
