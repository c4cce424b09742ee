"""ROS parameters made from the declared settings: declared, described, checked, taken as one snapshot."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Iterable, Tuple, Type, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.perception.settings import Setting, settings_of

_TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
    tuple: ParameterType.PARAMETER_STRING_ARRAY,
}

Config = TypeVar("Config")


def declare(node: Node, kind: Type[Config], fixed: bool = False) -> Config:
    """Declare every setting of a configuration class as a parameter; return the values the node starts with.

    fixed: the node reads them once, so all are read-only.
    Raises ConfigurationError naming the parameter, the value and the allowed range where an override is bad.
    """
    values: Dict[str, Any] = {}
    for name, declared in settings_of(kind).items():
        values[name] = _declare(node, declared, fixed)
    return _checked(lambda: kind(**values))


def descriptor(declared: Setting, fixed: bool = False) -> ParameterDescriptor:
    """What `ros2 param describe` shows of a setting."""
    when = "" if declared.live else "; may change only while the node is unconfigured"
    described = ParameterDescriptor(
        name=declared.name,
        type=_TYPES[declared.kind],
        description=declared.description,
        additional_constraints=declared.allowed + ("; read when the node starts" if fixed else when),
        read_only=fixed,
        # A whole number is a fine value for a float parameter; ROS would refuse it without a name.
        dynamic_typing=True,
    )
    if declared.kind is float and declared.minimum is not None:
        described.floating_point_range = [
            FloatingPointRange(from_value=declared.minimum, to_value=declared.maximum)
        ]
    if declared.kind is int and declared.minimum is not None:
        described.integer_range = [
            IntegerRange(from_value=int(declared.minimum), to_value=int(declared.maximum))
        ]
    return described


def changed(config: Config, parameters: Iterable[Parameter]) -> Tuple[Config, Tuple[str, ...]]:
    """The configuration with these parameters set, and the names among them that are not `live` and differ.

    Parameters that are not settings (use_sim_time and the like) are passed over.
    Raises ConfigurationError naming the parameter, the value and the allowed range.
    """
    declared = settings_of(config)
    values = {p.name: p.value for p in parameters if p.name in declared}
    new = _checked(lambda: dataclasses.replace(config, **values))  # type: ignore[type-var]
    fixed = tuple(n for n in values if not declared[n].live and getattr(new, n) != getattr(config, n))
    return new, fixed


def _declare(node: Node, declared: Setting, fixed: bool) -> Any:
    default = list(declared.default) if declared.kind is tuple else declared.default
    # Without a range at first: rclpy refuses what lies outside without saying what was given.
    bare = ParameterDescriptor(name=declared.name, dynamic_typing=True)
    value = node.declare_parameter(declared.name, default, bare).value
    _checked(lambda: declared.check(value))
    node.set_descriptor(declared.name, descriptor(declared, fixed))
    return value


def _checked(make: Any) -> Any:
    try:
        return make()
    except ConfigurationError as error:
        raise ConfigurationError(f"parameter {error}") from None
