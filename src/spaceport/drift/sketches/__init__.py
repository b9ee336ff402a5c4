"""Sketches: what is kept of a window of vectors; constant size, and `a + b` is the sketch of both."""
