"""Pure functions on arrays: similarity, neighbors, algebra, maps from space to space, moments, cells."""

from importlib import import_module
from types import ModuleType

__all__ = [
    "algebra",
    "alignment",
    "cells",
    "csls",
    "joint_moments",
    "moments",
    "neighbors",
    "similarity",
    "spectrum",
    "streamed",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
