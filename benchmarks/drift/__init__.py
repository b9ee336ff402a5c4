"""Drift: calibration, power, cost and localization, with the peers in the same run."""
