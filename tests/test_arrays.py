from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport import arrays
from spaceport.arrays import positive
from spaceport.errors import InputError, ParameterError


def test_a_good_matrix_is_not_copied() -> None:
    X = np.ones((3, 2), np.float32)
    assert arrays.matrix(X) is X or np.shares_memory(arrays.matrix(X), X)


@pytest.mark.parametrize(
    ("X", "what"),
    [
        ([[1, 2], [3]], "unequal length"),
        ([["a", "b"]], "real numbers"),
        ([[1j]], "real numbers"),
        ([1, 2], r"shape \(n, d\)"),
        (np.ones((2, 0)), "d > 0"),
        ([[1.0, np.nan], [1, 2]], "1 of 2 rows; the first is row 0"),
        ([[1, 2], [np.inf, 2], [-np.inf, 1]], "2 of 3 rows; the first is row 1"),
        ([[1e300, 1]], "1 of 1 rows"),
    ],
)
def test_bad_matrices_are_refused_with_two_lines(X: object, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        arrays.matrix(X)  # type: ignore[arg-type]
    assert str(caught.value).count("\n") == 1


def test_infinities_that_cancel_are_still_seen() -> None:
    with pytest.raises(InputError):
        arrays.matrix([[np.inf, -np.inf]])


def test_large_finite_values_pass_though_their_sum_overflows() -> None:
    X = np.full((4, 4), np.finfo(np.float32).max, np.float32)
    assert np.array_equal(arrays.matrix(X), X)


def test_the_wanted_dimension_is_held() -> None:
    with pytest.raises(InputError, match="must have dimension 3. Got 2"):
        arrays.matrix([[1, 2]], dimension=3)


@given(st.lists(st.text(min_size=1), unique=True))
def test_unique_ids_pass_unchanged(values: list[str]) -> None:
    assert arrays.ids(values) == values


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_a_repeated_id_is_counted_and_the_first_named(
    values: list[str], data: st.DataObject
) -> None:
    twice = data.draw(st.sampled_from(values))
    with pytest.raises(InputError) as caught:
        arrays.ids([*values, twice, twice])
    assert "has 2 repeated ids" in caught.value.what
    assert f"{twice!r}, stands 3 times" in caught.value.what


@given(st.lists(st.text()))
def test_pack_round_trips_any_text(values: list[str]) -> None:
    assert arrays.unpack(arrays.pack(values)) == values


@pytest.mark.parametrize("value", [0, 11, 2.0, True, "3", None])
def test_integers_out_of_range_are_refused(value: object) -> None:
    with pytest.raises(ParameterError, match=r"int in \[1, 10\]"):
        arrays.integer(value, "k", 1, 10)


def test_a_positive_number_is_finite_and_above_zero() -> None:
    assert positive(2, "x") == 2.0
    assert positive(0, "x", zero=True) == 0.0
    for bad in (0, -1.0, "1", True, float("inf"), float("nan"), None):
        with pytest.raises(ParameterError, match="`x` must be a number above 0"):
            positive(bad, "x")
