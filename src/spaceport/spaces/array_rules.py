"""Which of NumPy's operations give vectors when they are given vectors, and which mix two of them.

The last axis of vectors is their coordinates. What works on the other axes gives vectors again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MIXING", "NO_VECTORS", "Input", "function_keeps", "mixes", "picks_rows", "ufunc_keeps"]

_LINEAR = (np.add, np.subtract)
_SCALING = (np.multiply, np.true_divide)
_SAME = (np.negative, np.positive, np.conjugate)
_PRODUCTS = (np.matmul, np.vecdot)

_AXIS: dict[Any, tuple[int, int | None]] = {
    np.concatenate: (1, 0),
    np.stack: (1, 0),
    np.vstack: (9, 0),
    np.append: (2, None),
    np.take: (2, None),
    np.repeat: (2, None),
    np.delete: (2, None),
    np.mean: (1, None),
    np.average: (1, None),
    np.median: (1, None),
    np.sum: (1, None),
}
"""Functions that give vectors where they work on another axis than the last: the place of the
argument `axis`, and its default."""

_SAME_SHAPE = (np.copy, np.atleast_2d, np.ascontiguousarray)

MIXING = frozenset(
    (
        *(np.concatenate, np.stack, np.vstack, np.hstack, np.append, np.average, np.where),
        *(np.dot, np.vdot, np.inner, np.tensordot, np.einsum, np.linalg.lstsq),
    )
)
"""Functions that join or multiply what they are given."""

NO_VECTORS = (
    *("argpartition", "argsort", "choose", "compress", "diagonal", "flatten", "ravel"),
    *("std", "var", "swapaxes"),
)
"""Methods of an array that NumPy would give back as vectors, which they are not."""


class Input(NamedTuple):
    """An input of a universal function: whether it is vectors, and its shape."""

    vectors: bool
    shape: tuple[int, ...]


def mixes(ufunc: Any) -> bool:
    """Whether a universal function of two sets of vectors has a meaning in one space only."""
    return ufunc in (*_LINEAR, *_SCALING, *_PRODUCTS)


def picks_rows(key: Any, shape: tuple[int, ...], found: Any) -> bool:
    """Whether ``X[key]``, which is `found`, has whole vectors of `X` (of `shape`) as its last axis."""
    if not isinstance(found, np.ndarray) or not found.ndim or found.shape[-1] != shape[-1]:
        return False
    if isinstance(key, tuple) or np.ndim(key) >= len(shape):
        columns = np.broadcast_to(np.arange(shape[-1]), shape)[key]
        return bool((columns == np.arange(shape[-1])).all())
    return len(shape) > 1 or (
        isinstance(key, slice) and found.shape == shape and key.step in (None, 1)
    )


def ufunc_keeps(ufunc: Any, method: str, inputs: Sequence[Input], axis: Any, result: Any) -> bool:
    """Whether a universal function's `result` is vectors, given what came in.

    Sums and differences are; so are multiples by a number, or by one number a row. A product with one
    number a column is not, nor is anything else.
    """
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f":
        return False
    if method == "reduce":
        return ufunc is np.add and _other_axis(axis, len(inputs[0].shape))
    if method != "__call__":
        return False
    if ufunc in _LINEAR:
        widths = {each.shape[-1] for each in inputs if each.vectors}
        return widths == {result.shape[-1]}
    if ufunc in _SCALING:
        first, second = inputs
        factors = [each for each in inputs if not each.vectors]
        upside_down = ufunc is np.true_divide and not first.vectors
        return (
            len(factors) == 1
            and not upside_down
            and factors[0].shape[-1:] in ((), (1,))
            and (max(first.shape[-1:], second.shape[-1:]) == result.shape[-1:])
        )
    return ufunc in _SAME


def function_keeps(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], ndim: int, result: Any
) -> bool:
    """Whether the `result` of a NumPy function of vectors with `ndim` axes is vectors."""
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or not result.ndim:
        return False
    if function in _SAME_SHAPE:
        return True
    if function not in _AXIS:
        return False
    place, default = _AXIS[function]
    axis = kwargs["axis"] if "axis" in kwargs else args[place] if place < len(args) else default
    return _other_axis(axis, result.ndim if function in (np.stack, np.vstack) else ndim)


def _other_axis(axis: Any, ndim: int) -> bool:
    """Whether an axis was named and the last one is left alone."""
    if axis is None:
        return False
    axes = axis if isinstance(axis, tuple) else (axis,)
    return all(each % ndim != ndim - 1 for each in axes) if ndim > 1 else False
