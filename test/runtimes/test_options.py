"""Options of a runtime are checked where they are made."""

from __future__ import annotations

import pytest

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.runtimes import RuntimeOptions


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("runtime", "", "auto"),
        ("providers", "CPUExecutionProvider", "a sequence"),  # one name is easily mistaken for a sequence
        ("providers", ("",), "a sequence"),
        ("threads", 0, "1 to 64"),
        ("threads", 2.0, "whole number"),
        ("threads", True, "whole number"),
        ("max_batch", 257, "1 to 256"),
        ("device", -1, "0 to 15"),
        ("spinning", 1, "true or false"),
        ("allow_fallback", "no", "true or false"),
        ("engine_precision", "int8", "fp32, fp16"),
        ("engine_cache", "", "path of a folder"),
    ],
)
def test_an_option_outside_its_range_is_refused_by_name_value_and_range(option, value, expected):
    with pytest.raises(ConfigurationError) as refusal:
        RuntimeOptions(**{option: value})
    assert str(refusal.value).startswith(f"{option} is {value!r}, expected ")
    assert expected in str(refusal.value)


def test_options_from_a_parameter_list_equal_those_from_a_tuple():
    assert RuntimeOptions(providers=["A", "B"]) == RuntimeOptions(providers=("A", "B"))
    assert hash(RuntimeOptions(providers=["A"])) == hash(RuntimeOptions(providers=("A",)))


def test_engines_are_kept_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert RuntimeOptions().engine_cache == tmp_path / "lightfer" / "engines"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert RuntimeOptions(engine_cache="~/engines").engine_cache == tmp_path / "engines"
