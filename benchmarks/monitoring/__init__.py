"""Watching a space: what is calibrated and what is not."""
