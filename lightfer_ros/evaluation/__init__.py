"""Data sets and metrics: how good is a model file."""
