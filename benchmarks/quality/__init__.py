"""Benchmarks of the measures of quality."""
