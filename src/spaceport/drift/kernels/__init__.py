"""Loops over rows and splits, compiled by numba."""
