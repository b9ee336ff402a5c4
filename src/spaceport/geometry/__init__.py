"""Pure functions on arrays: similarity, neighbors, algebra, alignment, CSLS, moments, spectrum, cells."""

from importlib import import_module
from types import ModuleType

__all__ = [
    "algebra",
    "alignment",
    "cells",
    "csls",
    "moments",
    "neighbors",
    "similarity",
    "spectrum",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
