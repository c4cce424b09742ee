"""Numbers of a recipe within their limits, or an error before hours are spent on them."""

from __future__ import annotations

from typing import Any

from lightfer_ros.errors import ConfigurationError

SHARE = (0.0, 1.0)
BELOW_ONE = (0.0, 1.0 - 1e-9)
POSITIVE = (1e-9, float("inf"))
NOT_NEGATIVE = (0.0, float("inf"))
COUNT = (1, float("inf"))


def within(section: str, options: Any, **limits: tuple[float, float]) -> None:
    """Raise ConfigurationError where a field of `options` leaves its limits, lowest and highest.

    A field of two numbers is an interval: both have to keep them, and the first is not above the second.
    """
    for name, (low, high) in limits.items():
        value = getattr(options, name)
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(low <= number <= high for number in numbers) or list(numbers) != sorted(numbers):
            order = ", lower one first" if len(numbers) > 1 else ""
            raise ConfigurationError(f"{section}: {name} is {value}, expected {_words(low, high)}{order}")


def _words(low: float, high: float) -> str:
    if high == float("inf"):
        return "above 0" if 0 < low < 1 else f"at least {low:g}"
    return f"{low:g} to below 1" if high == BELOW_ONE[1] else f"{low:g} to {high:g}"
