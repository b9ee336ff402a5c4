"""Pure functions on arrays: similarity, neighbors, algebra, moments, spectrum, cells."""

from importlib import import_module
from types import ModuleType

__all__ = ["algebra", "cells", "moments", "neighbors", "similarity", "spectrum"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
