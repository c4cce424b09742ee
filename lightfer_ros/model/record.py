"""Frozen dataclasses out of JSON or YAML, strictly: unknown, missing, mistyped fields are refused by name."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Dict, Mapping, Optional, Tuple, Type, TypeVar

from lightfer_ros.errors import LightferError, ModelError

_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}

_Record = TypeVar("_Record")


def record_from(
    kind: Type[_Record],
    values: Any,
    where: str,
    error: Type[LightferError] = ModelError,
    default: Optional[_Record] = None,
) -> _Record:
    """Build a dataclass from nested mappings; lists become tuples, whole numbers floats.

    where: names the text in errors. default: has the values of fields that are left out, else the class has
    them. Raises `error` naming field, what was given and what was expected.
    """
    if not isinstance(values, Mapping):
        raise error(f"{where}: expected fields, got {type(values).__name__}")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(str(name) for name in set(values) - set(fields))
    if unknown:
        raise error(f"{where}: unknown field {', '.join(unknown)}; known are {', '.join(fields)}")
    missing = [
        name
        for name, f in fields.items()
        if default is None
        and name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise error(f"{where}: field {', '.join(missing)} is missing")
    hints = typing.get_type_hints(kind)
    converted: Dict[str, Any] = {
        name: _convert(hints[name], value, f"{where}: {name}", error, fields[name].default)
        for name, value in values.items()
    }
    if default is not None:
        return typing.cast(_Record, dataclasses.replace(typing.cast(Any, default), **converted))
    return kind(**converted)


def _convert(hint: Any, value: Any, where: str, error: Type[LightferError], default: Any = None) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        base = default if dataclasses.is_dataclass(default) else None
        return record_from(typing.cast(Type[Any], hint), value, where, error, base)
    if origin is tuple:
        return _convert_tuple(arguments, value, where, error)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise error(f"{where} is {value!r}, expected fields")
        return {str(k): _convert(arguments[1], v, f"{where}: {k}", error) for k, v in value.items()}
    if type(None) in arguments:  # Optional, written either way
        return None if value is None else _convert(arguments[0], value, where, error)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise error(f"{where} is {value!r}, expected {_WORDS.get(hint, hint.__name__)}")


def _convert_tuple(
    arguments: Tuple[Any, ...], value: Any, where: str, error: Type[LightferError]
) -> Tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise error(f"{where} is {value!r}, expected a list")
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(value) != len(arguments):
        raise error(f"{where} is {value!r}, expected {len(arguments)} values")
    return tuple(_convert(hint, v, where, error) for hint, v in zip(arguments, value))
