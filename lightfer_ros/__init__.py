"""LightFER: the facial expressions in front of a robot, in real time."""

__version__ = "0.1.0"
