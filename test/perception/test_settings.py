"""Settings: one declaration says what is allowed, and refuses the rest by name, value and range."""

import dataclasses
import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.perception.settings import check_settings, setting, settings_of


@dataclass(frozen=True)
class Kettle:
    level: int = setting(2, "How full.", minimum=1, maximum=5)
    heat: float = setting(0.5, "How hot.", minimum=0.0, maximum=1.0, live=False)
    water: str = setting("tap", "Which water.", choices=("tap", "rain"))
    label: str = setting("", "What it says.")
    whistles: bool = setting(True, "Whether it is heard.")
    maker: str = "unknown"  # a plain field is no setting

    def __post_init__(self) -> None:
        check_settings(self)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers())
)


def is_allowed(name, value):
    """What the declarations above mean, said another way."""
    number = type(value) in (int, float)
    return {
        "level": type(value) is int and value in range(1, 6),
        "heat": number and not math.isnan(value) and 0 <= value <= 1,
        "water": value in ("tap", "rain"),
        "label": type(value) in (str, int),  # YAML makes a number of the camera "0"
        "whistles": type(value) is bool,
    }[name]


@given(name=st.sampled_from(list(settings_of(Kettle))), value=ANYTHING)
def test_a_value_is_kept_or_refused_by_name_value_and_range(name, value):
    if is_allowed(name, value):
        kept = getattr(Kettle(**{name: value}), name)
        expected = str(value) if name == "label" else value
        assert kept == expected and type(kept) is settings_of(Kettle)[name].kind
        return
    with pytest.raises(ConfigurationError) as refusal:
        Kettle(**{name: value})
    assert str(refusal.value) == f"{name} is {value!r}, expected {settings_of(Kettle)[name].allowed}"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400, -(10**400)])
@pytest.mark.parametrize("name", ["level", "heat"])
def test_no_number_is_too_large_to_be_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        Kettle(**{name: value})


def test_an_integer_is_a_number_and_a_truth_value_is_not():
    assert type(Kettle(heat=1).heat) is float
    for name in ("level", "heat"):
        with pytest.raises(ConfigurationError):
            Kettle(**{name: True})


def test_a_changed_copy_is_checked_too():
    with pytest.raises(ConfigurationError, match="level is 9, expected 1 to 5"):
        dataclasses.replace(Kettle(), level=9)


def test_a_declaration_says_what_is_allowed_in_words():
    declared = settings_of(Kettle)
    assert list(declared) == ["level", "heat", "water", "label", "whistles"]
    assert [one.allowed for one in declared.values()] == [
        "1 to 5",
        "0 to 1",
        "one of tap, rain",
        "any text",
        "true or false",
    ]
    assert [name for name, one in declared.items() if not one.live] == ["heat"]
