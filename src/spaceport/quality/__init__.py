"""Measures of quality: arrays in, named numbers out."""

from importlib import import_module
from types import ModuleType

__all__ = [
    "analogies",
    "cka",
    "instability",
    "linear",
    "overlap",
    "paired",
    "probe",
    "ranking",
    "retrieval",
    "second_order",
    "similarity",
    "translation",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
