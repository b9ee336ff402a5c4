"""Layouts of vector files: one file each, reading and writing side by side."""
