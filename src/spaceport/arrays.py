"""The one door for input: every public function passes what it is given through here.

Vectors are float32, finite, C-contiguous, one row per item. Ids are unique non-empty strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, ParameterError

__all__ = [
    "Matrix",
    "Vector",
    "generator",
    "ids",
    "integer",
    "matrix",
    "pack",
    "positive",
    "single",
    "unpack",
    "vector",
]

Matrix: TypeAlias = npt.NDArray[np.float32]
Vector: TypeAlias = npt.NDArray[np.float32]


def matrix(X: npt.ArrayLike, name: str = "X", dimension: int | None = None) -> Matrix:
    """Check `X` and give it as float32, without a copy where it already is.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Numbers of any real dtype.
    name : str
        What to call it in an error.
    dimension : int, optional
        The d that is wanted.

    Returns
    -------
    ndarray of shape (n, d), float32, C-contiguous, finite

    Raises
    ------
    InputError
        Ragged rows, not two axes, another dimension, complex or text, NaN or infinity.

    Examples
    --------
    >>> matrix([[1, 2], [3, 4]]).dtype
    dtype('float32')
    """
    rows = single(X, name, dimension)
    _refuse_non_finite(rows, name)
    return rows


def single(X: npt.ArrayLike, name: str = "X", dimension: int | None = None) -> Matrix:
    """Give `X` as float32 like `matrix`, for who looks for NaN and infinity on the way."""
    try:
        given = np.asarray(X)
    except ValueError as error:
        raise InputError(
            f"`{name}` has rows of unequal length.", "Give every row d numbers."
        ) from error
    if given.dtype.kind not in "fiub":
        raise InputError(
            f"`{name}` must hold real numbers. Got {given.dtype}.", "Convert it to float32."
        )
    if given.ndim != 2 or given.shape[1] == 0:
        raise InputError(
            f"`{name}` must have shape (n, d) with d > 0. Got {given.shape}.",
            "Give one row per item; a single vector v is v[None, :].",
        )
    if dimension is not None and given.shape[1] != dimension:
        raise InputError(
            f"`{name}` must have dimension {dimension}. Got {given.shape[1]}.",
            "Vectors of different spaces cannot be used together.",
        )
    with np.errstate(over="ignore"):  # what overflows float32 is caught as infinity just below
        rows: Matrix = np.ascontiguousarray(given, dtype=np.float32)
    return rows


def vector(x: npt.ArrayLike, name: str = "x", dimension: int | None = None) -> Vector:
    """Check one vector of shape (d,); see `matrix`."""
    given = np.asarray(x)
    if given.ndim != 1:
        raise InputError(f"`{name}` must have shape (d,). Got {given.shape}.", "Give one vector.")
    row: Vector = matrix(given[None, :], name, dimension)[0]
    return row


def ids(values: Sequence[Any], name: str = "ids", count: int | None = None) -> list[str]:
    """Check that `values` are unique non-empty strings, `count` of them if given.

    Raises
    ------
    InputError
        Empty or repeated ids (counted, the first named), or another number of them.

    Examples
    --------
    >>> ids(["a", "b"])
    ['a', 'b']
    >>> ids(["a", "", None, "a"])
    Traceback (most recent call last):
        ...
    spaceport.errors.InputError: `ids` has 2 empty ids; the first is at position 1.
    Fill them in, or leave the ids out to have them made from the content.
    """
    given = [
        value if type(value) is str else "" if value is None else str(value) for value in values
    ]
    if count is not None and len(given) != count:
        raise InputError(
            f"`{name}` must hold {count} ids. Got {len(given)}.", "Give one id per vector."
        )
    remedy = "or leave the ids out to have them made from the content."
    empty = given.count("")
    if empty:
        raise InputError(
            f"`{name}` has {empty} empty id{'s' * (empty > 1)}; the first is at position {given.index('')}.",
            f"Fill them in, {remedy}",
        )
    if len(set(given)) < len(given):
        first, times, surplus = _repeats(given)
        raise InputError(
            f"`{name}` has {surplus} repeated id{'s' * (surplus > 1)}; the first, {first!r}, stands {times} times.",
            f"Make them unique, {remedy}",
        )
    return given


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Give the random generator for `seed` (an int, or a generator passed on)."""
    return np.random.default_rng(seed)


def integer(value: object, name: str, low: int, high: int | None = None) -> int:
    """Check that `value` is an int in [low, high].

    Examples
    --------
    >>> integer(512, "dimension", 1, 384)
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `dimension` must be an int in [1, 384]. Got 512.
    Choose a value in that range.
    """
    if (
        not isinstance(value, int | np.integer)
        or isinstance(value, bool)
        or value < low
        or (high is not None and value > high)
    ):
        span = f"[{low}, {'∞' if high is None else high}]"
        raise ParameterError(
            f"`{name}` must be an int in {span}. Got {value!r}.", "Choose a value in that range."
        )
    return int(value)


def positive(value: object, name: str, zero: bool = False) -> float:
    """Check that `value` is a finite number above zero, or zero where that is allowed.

    Examples
    --------
    >>> positive(0.0, "alpha")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `alpha` must be a number above 0. Got 0.0.
    Choose such a value.
    """
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not np.isfinite(value)
        or value < 0
        or (value == 0 and not zero)
    ):
        least = "at least" if zero else "above"
        raise ParameterError(
            f"`{name}` must be a number {least} 0. Got {value!r}.", "Choose such a value."
        )
    return float(value)


def pack(strings: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Lay strings out as two arrays, ``bytes`` (UTF-8) and ``ends``, that safetensors can hold.

    Examples
    --------
    >>> unpack(pack(["naïve", "", "雪"]))
    ['naïve', '', '雪']
    """
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    return {
        "bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "ends": np.cumsum([len(part) for part in encoded], dtype=np.int64),
    }


def unpack(arrays: dict[str, npt.NDArray[Any]]) -> list[str]:
    """Undo `pack`."""
    data, ends = arrays["bytes"].tobytes(), arrays["ends"].tolist()
    starts = [0, *ends][: len(ends)]
    return [
        data[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts, ends, strict=True)
    ]


def _refuse_non_finite(X: Matrix, name: str) -> None:
    """Raise if `X` holds NaN or infinity; the sum is a cheap first look that needs no mask."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(X).all(axis=1)  # (n,)
    if bad.any():
        raise InputError(
            f"`{name}` has NaN or infinity in {int(bad.sum())} of {len(X)} rows; "
            f"the first is row {int(bad.argmax())}.",
            "Remove those rows or mend what made them.",
        )


def _repeats(values: list[str]) -> tuple[str, int, int]:
    """First repeated value, how often it stands, and how many values are surplus in all."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            break
        seen.add(value)
    return value, values.count(value), len(values) - len(set(values))
