"""The public names: true, sorted, documented."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType

import pytest

import spaceport
from imports import modules

OPTIONAL = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


def public_modules() -> list[str]:
    return [name for name in modules() if name and "migrations" not in name]


def test_all_of_the_package_is_sorted_and_true() -> None:
    assert spaceport.__all__ == sorted(spaceport.__all__)
    for name in spaceport.__all__:
        assert getattr(spaceport, name) is not None
        assert name in dir(spaceport)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = spaceport.colour  # type: ignore[attr-defined]


def imported(name: str) -> ModuleType:
    """The module; skipped where it needs an extra that is not installed here."""
    try:
        return import_module(f"spaceport.{name}")
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"needs {error.name}, which is not installed")


@pytest.mark.parametrize("name", public_modules())
def test_all_of_each_module_is_true(name: str) -> None:
    module = imported(name)
    told = getattr(module, "__all__", [])
    for public in told:
        assert hasattr(module, public), f"{name}.__all__ lists {public}, which is not there"


@pytest.mark.parametrize("name", public_modules())
def test_every_public_name_is_documented(name: str) -> None:
    module = imported(name)
    assert module.__doc__ or name.endswith(("__init__",)), f"{name} has no docstring"
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"{name}.{public} has no docstring"
