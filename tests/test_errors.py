from __future__ import annotations

import inspect

import pytest

from spaceport import errors


def classes() -> list[type[errors.SpaceportError]]:
    return [
        c
        for _, c in inspect.getmembers(errors, inspect.isclass)
        if issubclass(c, errors.SpaceportError)
    ]


@pytest.mark.parametrize("kind", classes())
def test_every_error_stands_in_the_drawn_tree_and_has_two_lines(
    kind: type[errors.SpaceportError],
) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    error = kind("What was wrong.", "What to do.")
    assert str(error) == "What was wrong.\nWhat to do."
    assert (error.what, error.remedy) == ("What was wrong.", "What to do.")


def test_errors_are_also_the_builtin_ones_that_callers_expect() -> None:
    assert issubclass(errors.InputError, ValueError)
    assert issubclass(errors.NotFoundError, LookupError)
    assert issubclass(errors.MissingExtra, ImportError)


def test_a_long_list_of_choices_is_cut() -> None:
    told = errors.choices("x", [f"name{i}" for i in range(100)])
    assert told.endswith("and 88 more.")
