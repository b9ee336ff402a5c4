"""Principal axes of streamed rows: exact from their moments, randomized where they are too wide.

Either way the bytes do not depend on the number of threads: every product is made by one thread of
BLAS, batches run side by side and are added up in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator
from spaceport.errors import InputError, ParameterError, choices
from spaceport.geometry.moments import over
from spaceport.progress import task, track
from spaceport.threads import in_order, one_thread

__all__ = ["METHODS", "Axes", "Batches", "check_method", "check_rows", "principal_axes", "signed"]

Double: TypeAlias = npt.NDArray[np.float64]
Batches: TypeAlias = Callable[[], Iterable[npt.NDArray[Any]]]

METHODS = ("auto", "exact", "randomized")
_WIDE = 2048
_OVERSAMPLES = 20
_POWERS = 4
_ROUNDING = 1e-14


class Axes(NamedTuple):
    """The principal axes of n rows of w columns; `k` of them.

    Attributes
    ----------
    rows : int
        n.
    mean : ndarray of shape (w,), float64
        What is taken off each row; zeros where the rows are not centered.
    scale : ndarray of shape (w,), float64
        What each column is multiplied by: 1, or 1 / standard deviation, 0 for a constant column.
    squares : ndarray of shape (k,), float64
        Sum of the squared coordinates along each axis, the largest first: n - 1 variances, or the
        squared singular values of rows that are not centered.
    components : ndarray of shape (w, k), float64
        Orthonormal columns; each one's largest entry in magnitude is positive.
    total : float
        Sum of the squares along all axes.
    """

    rows: int
    mean: Double
    scale: Double
    squares: Double
    components: Double
    total: float


def check_method(method: str) -> str:
    """Check that there is such a way to find the axes."""
    if method not in METHODS:
        raise ParameterError(f"There is no method `{method}`.", choices(str(method), METHODS))
    return method


def check_rows(dimension: int, rows: int, columns: int) -> None:
    """Refuse more dimensions than there are rows or columns."""
    if rows < 2 or dimension > min(rows, columns):
        raise InputError(
            f"`dimension` is {dimension}, but there are {rows} rows of {columns} columns.",
            "Choose a dimension that is not larger than either, or give more rows (at least 2).",
        )


def principal_axes(
    batches: Batches,
    dimension: int,
    centered: bool = True,
    standardized: bool = False,
    method: str = "auto",
    seed: int = 0,
) -> Axes:
    """Find the `dimension` axes along which the rows have the largest squares.

    ``"exact"`` reads the rows once, into a w x w matrix, and takes its eigenvectors. ``"randomized"``
    reads them seven times and keeps w x (dimension + 20) numbers: subspace iteration from a random
    start, four rounds (Halko, Martinsson & Tropp 2011, algorithm 4.4), then the eigenvectors within
    the subspace. ``"auto"`` is exact up to 2,048 columns.

    Parameters
    ----------
    batches : callable
        Gives the rows again whenever it is called: ndarrays of shape (k, w), float32 or float64.
    dimension : int
    centered, standardized : bool
        Take the mean off; divide by the standard deviation.
    method : {"auto", "exact", "randomized"}
    seed : int

    Raises
    ------
    InputError
        There are fewer rows or columns than `dimension`.
    """
    rows = iter(batches())
    first = next(rows, np.empty((0, 0)))
    with one_thread():
        if method == "exact" or (method == "auto" and first.shape[1] <= _WIDE):
            return _exact(chain([first], rows), dimension, centered, standardized)
        del first, rows
        return _randomized(batches, dimension, centered, standardized, seed)


def signed(components: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn columns round whose largest entry in magnitude, the first in a tie, is negative."""
    largest = np.abs(components).argmax(axis=0)
    signs = np.sign(components[largest, np.arange(components.shape[1])])
    return components * np.where(signs == 0, 1, signs)


def _exact(
    rows: Iterable[npt.NDArray[Any]], dimension: int, centered: bool, standardized: bool
) -> Axes:
    from scipy.linalg import eigh

    moments = over(track(rows, "multiplying batches"))
    check_rows(dimension, moments.count, moments.dimension)
    mean = moments.mean if centered else np.zeros_like(moments.mean)
    scale = _scale(moments.mean, moments.variance(0)) if standardized else np.ones_like(mean)
    square = moments.scatter if centered else moments.gram
    square = square * np.outer(scale, scale)
    last = moments.dimension - 1
    values, vectors = eigh(square, subset_by_index=[last - dimension + 1, last])
    return Axes(
        moments.count,
        mean,
        scale,
        np.maximum(values[::-1], 0),
        signed(vectors[:, ::-1]),
        float(np.trace(square)),
    )


def _randomized(
    batches: Batches, dimension: int, centered: bool, standardized: bool, seed: int
) -> Axes:
    from scipy.linalg import eigh, qr

    columns = _columns(batches)
    check_rows(dimension, columns.rows, len(columns.mean))
    mean = columns.mean if centered else np.zeros_like(columns.mean)
    variance = columns.squares / columns.rows
    scale = _scale(columns.mean, variance) if standardized else np.ones_like(mean)
    wide = min(dimension + _OVERSAMPLES, len(mean))
    basis = generator(seed).standard_normal((len(mean), wide))
    with task("multiplying", _POWERS + 1, "passes") as work:
        for _ in range(_POWERS + 1):
            basis = qr(_product(batches, basis, mean, scale), mode="economic")[0]
            work.advance()
        inner = basis.T @ _product(batches, basis, mean, scale)
    values, turn = eigh((inner + inner.T) / 2)
    largest = slice(None, -dimension - 1, -1)
    squares = columns.squares if centered else columns.squares + columns.rows * columns.mean**2
    return Axes(
        columns.rows,
        mean,
        scale,
        np.maximum(values[largest], 0),
        signed(basis @ turn[:, largest]),
        float((squares * scale**2).sum()),
    )


def _product(batches: Batches, basis: Double, mean: Double, scale: Double) -> Double:
    """Σ zᵀ (z B) over the batches' rows, shifted and scaled: shape (w, l)."""

    def one(rows: npt.NDArray[Any]) -> Double:
        z = ((rows - mean) * scale).astype(rows.dtype)  # (k, w)
        product: Double = (z.T @ (z @ basis.astype(rows.dtype))).astype(np.float64)
        return product

    total = np.zeros_like(basis)
    for part in in_order(one, batches()):
        total += part
    return total


class _Columns(NamedTuple):
    rows: int
    mean: Double
    squares: Double


def _columns(batches: Batches) -> _Columns:
    """Count, mean, and sum of squared deviations of each column: `Moments` without the products."""
    total = None
    for part in in_order(_columns_of, batches()):
        total = part if total is None else _merged(total, part)
    if total is None:
        raise InputError("There are no rows to find axes of.", "Give at least one batch.")
    return total


def _columns_of(rows: npt.NDArray[Any]) -> _Columns:
    mean = rows.mean(axis=0, dtype=np.float64)
    return _Columns(len(rows), mean, ((rows - mean) ** 2).sum(axis=0))


def _merged(one: _Columns, other: _Columns) -> _Columns:
    count = one.rows + other.rows
    apart = other.mean - one.mean
    squares = one.squares + other.squares + apart**2 * (one.rows / count * other.rows)
    return _Columns(count, one.mean + apart * (other.rows / count), squares)


def _scale(mean: Double, variance: Double) -> Double:
    """1 / standard deviation; 0 where a column is constant but for the rounding of its mean."""
    deviation = np.sqrt(np.maximum(variance, 0))
    varies = deviation > _ROUNDING * np.abs(mean)
    return np.divide(1, deviation, out=np.zeros_like(deviation), where=varies)
