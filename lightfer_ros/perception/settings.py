"""One declaration per setting (type, default, range, meaning), from which it is checked and documented."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from lightfer_ros.errors import ConfigurationError


@dataclass(frozen=True)
class Setting:
    """What is known of one field of a configuration.

    `minimum` and `maximum` bound numbers, `choices` lists the words allowed; `live` settings may change
    while the pipeline runs, others only before it is made.
    """

    name: str
    kind: type
    default: Any
    description: str
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: Tuple[str, ...] = ()
    live: bool = True

    @property
    def allowed(self) -> str:
        """The allowed values in words, for messages and documentation."""
        if self.choices:
            return "one of " + ", ".join(choice or '""' for choice in self.choices)
        if self.kind in (int, float) and self.minimum is not None:
            return f"{self.minimum:g} to {self.maximum:g}"
        words = {bool: "true or false", str: "any text", int: "an integer", float: "a number"}
        return words.get(self.kind, "a list of texts, not empty")

    def check(self, value: Any) -> Any:
        """The value in its own type. Raises ConfigurationError naming setting, value and what is allowed."""
        given = value
        fits = isinstance(value, self.kind) and isinstance(value, bool) == (self.kind is bool)
        if self.kind in (float, str) and isinstance(value, int) and not isinstance(value, bool):
            fits = True  # YAML and ROS read the camera "0" as a number
        if self.kind is tuple:
            fits = isinstance(value, (list, tuple)) and len(value) > 0 and all(value)
            fits = fits and all(isinstance(word, str) for word in value)
        if fits and self.kind is str:
            value = str(value)
        if fits and self.choices:
            fits = value in self.choices
        if fits and self.minimum is not None and self.maximum is not None:
            fits = self.minimum <= value <= self.maximum  # false for NaN
        if not fits:
            raise ConfigurationError(f"{self.name} is {given!r}, expected {self.allowed}")
        return self.kind(value)


def setting(
    default: Any,
    description: str,
    *,
    minimum: Optional[float] = None,
    maximum: Optional[float] = None,
    choices: Tuple[str, ...] = (),
    live: bool = True,
) -> Any:
    """Declare one field of a configuration dataclass; its type is its default's."""
    about = {
        "description": " ".join(description.split()),
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "live": live,
    }
    return dataclasses.field(default=default, metadata=about)


def retuned(configuration: Any, name: str, default: Any) -> Any:
    """The setting that a configuration class inherits by this name, with another default."""
    declared = {field.name: field for field in dataclasses.fields(configuration)}[name]
    return dataclasses.field(default=default, metadata=declared.metadata)


def settings_of(configuration: Any) -> Dict[str, Setting]:
    """The settings of a configuration class or value by name, in the order of their declaration."""
    return {
        entry.name: Setting(entry.name, type(entry.default), entry.default, **entry.metadata)
        for entry in dataclasses.fields(configuration)
        if entry.metadata
    }


def check_settings(configuration: Any) -> None:
    """Check every setting of a frozen configuration in place; call it from `__post_init__`."""
    for name, declared in settings_of(configuration).items():
        object.__setattr__(configuration, name, declared.check(getattr(configuration, name)))
