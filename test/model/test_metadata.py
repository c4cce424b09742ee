"""A model file's record: what it says wrongly is named by field, value and what was expected."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.errors import ModelError
from lightfer_ros.model import EMOTIONS, ModelMetadata
from lightfer_ros.model.metadata import metadata_path, read_metadata, write_metadata

WHOLE = ModelMetadata(
    name="toy",
    sha256="",
    format="onnx",
    precision="int8",
    input_size=48,
    channels=1,
    licence="MIT",
    training_data="none",
    accuracy={"fer2013/PublicTest": 0.7},
)


@pytest.mark.parametrize(
    ("field", "given", "complaint"),
    [
        ("classes", 5, "classes is 5, expected a list"),
        ("classes", None, "classes is None, expected a list"),
        ("classes", ["happy"], "classes are ('happy',), expected"),
        ("normalization", 5, "normalization: expected fields, got int"),
        ("normalization", {"scale": "x"}, "normalization: scale is 'x', expected a number"),
        ("crop_geometry", {"eye_distance": 7.0}, "eye_distance is 7.0, expected 0.05 to 1.0"),
        ("input_size", "64", "input_size is '64', expected an integer"),
        ("input_size", True, "input_size is True, expected an integer"),
        ("channels", 2, "channels is 2, expected 1 or 3"),
        ("accuracy", None, "accuracy is None, expected fields"),
        ("accuracy", {"fer2013": "good"}, "accuracy: fer2013 is 'good', expected a number"),
        ("precision", "int9", "precision is 'int9', expected one of"),
        ("colour", "red", "unknown field colour"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_given_and_expected(tmp_path, field, given, complaint):
    model = tmp_path / "toy.onnx"
    model.write_bytes(b"weights")
    record = write_metadata(model, WHOLE)
    values = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps({**values, field: given}), encoding="utf-8")
    with pytest.raises(ModelError) as refusal:
        read_metadata(model)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("field", ["name", "sha256", "licence"])
def test_a_missing_field_is_named(field):
    values = json.loads(WHOLE.to_json())
    del values[field]
    with pytest.raises(ModelError, match=f"field {field} is missing"):
        ModelMetadata.from_json(json.dumps(values))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{", b"[]", b"null"])
def test_a_record_that_is_no_record_is_named_by_its_path(tmp_path, content):
    model = tmp_path / "toy.onnx"
    model.write_bytes(b"weights")
    metadata_path(model).write_bytes(content)
    with pytest.raises(ModelError, match=r"toy\.onnx\.json: "):
        read_metadata(model)


@given(
    st.builds(
        dataclasses.replace,
        st.just(WHOLE),
        name=st.text(),
        description=st.text(),
        input_size=st.integers(16, 1024),
        parameters=st.none() | st.integers(0, 10**9),
        compression_ratio=st.none() | st.floats(0.1, 1e6),
        accuracy=st.dictionaries(st.text(), st.floats(0, 1)),
    )
)
def test_a_record_survives_being_written_and_read(metadata):
    again = ModelMetadata.from_json(metadata.to_json())
    assert again == metadata and again.classes == EMOTIONS
