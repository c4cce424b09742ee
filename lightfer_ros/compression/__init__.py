"""Trained weights to model files: count, prune, quantize, export, check."""
