"""Benchmarks of the sources."""
