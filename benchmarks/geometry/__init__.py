"""Geometry beside its peers."""
