"""Benchmarks of the encoders."""
