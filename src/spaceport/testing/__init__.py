"""Conformance checks that the authors of methods run over their own: one file per family."""
