"""The configuration of the pipeline: every setting explained, its default allowed, its ends too."""

import dataclasses

import pytest

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.detection import DetectionOptions
from lightfer_ros.perception.settings import settings_of

SETTINGS = settings_of(PipelineConfig)
NUMBERS = [one for one in SETTINGS.values() if one.minimum is not None]


def test_every_field_is_a_setting_that_explains_itself():
    assert list(SETTINGS) == [field.name for field in dataclasses.fields(PipelineConfig)]
    for one in SETTINGS.values():
        assert one.description.endswith(".") and one.check(one.default) == one.default


def test_only_what_needs_other_files_cannot_change_while_running():
    fixed = {name for name, one in SETTINGS.items() if not one.live}
    assert fixed == {"model", "runtime", "threads", "landmarks"}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_both_ends_of_a_range_belong_to_it_and_what_is_beyond_does_not(number):
    step = 1 if number.kind is int else 1e-6
    for end, beyond in ((number.minimum, -step), (number.maximum, step)):
        end = number.kind(end)
        assert getattr(PipelineConfig(**{number.name: end}), number.name) == end
        with pytest.raises(ConfigurationError, match=f"^{number.name} is .*, expected {number.allowed}$"):
            PipelineConfig(**{number.name: end + beyond})


def test_the_detector_is_told_all_that_concerns_it():
    config = PipelineConfig(
        detector="yunet", detection_scale=0.5, detection_upsampling=1, detection_threshold=0.7
    )
    assert config.detection == DetectionOptions("yunet", scale=0.5, upsampling=1, threshold=0.7)
