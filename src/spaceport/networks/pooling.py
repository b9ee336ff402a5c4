"""From the values of a network's layer to one vector an item: pooling, and what is done after it.

Values stand as (n, t, d), n pieces of t positions, with `real` (n, t) false where a position is padding;
or as (n, c, h, w), maps of an image; or are vectors (n, d) already, which every pooling leaves alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.errors import InputError, ParameterError, choices

__all__ = ["POOLINGS", "after", "check", "fits", "pool"]

POOLINGS = ("mean", "cls", "max", "last token", "weighted mean", "flatten", "none")
"""What may become of the positions; ``"none"`` keeps each as a row."""

_EPSILON = 1e-5


def check(pooling: str) -> str:
    """Give `pooling` back if there is such a one.

    Raises
    ------
    ParameterError
        There is none.
    """
    if pooling not in POOLINGS:
        raise ParameterError(
            f"`pooling` must be one of {', '.join(POOLINGS)}. Got {pooling!r}.",
            choices(str(pooling), POOLINGS),
        )
    return pooling


def fits(values: npt.NDArray[Any], real: npt.NDArray[Any] | None, pooling: str, who: str) -> None:
    """See that padding can be told from values: that they have the positions of `real`, or none.

    Parameters
    ----------
    values, real
        As `pool` takes them.
    pooling : str
    who : str
        Where the values are from, for an error.

    Raises
    ------
    InputError
        They have other axes.
    ParameterError
        Items of several lengths would be laid flat.

    Examples
    --------
    >>> fits(np.zeros((2, 4, 5, 3)), np.ones((2, 5), bool), "mean", "attention")
    Traceback (most recent call last):
        ...
    spaceport.errors.InputError: `attention` gives values of shape (4, 5, 3) for items of 5 positions.
    Name a module whose values are (positions, d), or (d) alone.
    """
    if real is None or values.ndim == 2:
        return
    if values.ndim != 3 or values.shape[:2] != real.shape:
        raise InputError(
            f"`{who}` gives values of shape {values.shape[1:]} for items of {real.shape[1]} positions.",
            "Name a module whose values are (positions, d), or (d) alone.",
        )
    if pooling == "flatten":
        raise ParameterError(
            'pooling="flatten" lays positions side by side, and these items differ in length.',
            f"Choose one of {', '.join(name for name in POOLINGS if name != pooling)}.",
        )


def pool(values: npt.NDArray[Any], real: npt.NDArray[Any] | None, pooling: str) -> Matrix:
    """Make one vector of each piece.

    ::

        mean            Σ h_i / t over the real positions
        cls             h_1
        max             the largest value of each dimension over the real positions
        last token      h_t, the last real position
        weighted mean   Σ i h_i / Σ i over the real positions, i from 1 (Muennighoff 2022, eq. 2)
        flatten         all positions side by side

    Parameters
    ----------
    values : ndarray of shape (n, t, d), (n, c, h, w) or (n, d), float32
    real : ndarray of shape (n, t), bool, or None
        Where a position is no padding; None: everywhere.
    pooling : str
        One of `POOLINGS`, but ``"none"``.

    Returns
    -------
    ndarray of shape (n, d), float32

    Examples
    --------
    >>> values = np.array([[[1.0], [3.0], [99.0]]], np.float32)
    >>> real = np.array([[True, True, False]])
    >>> [float(pool(values, real, how)[0, 0]) for how in ("mean", "cls", "max", "last token")]
    [2.0, 1.0, 3.0, 3.0]
    """
    if values.ndim == 2:
        return np.asarray(values, np.float32)
    if pooling == "flatten":
        return np.asarray(values.reshape(len(values), -1), np.float32)
    if values.ndim == 4:
        values = values.reshape(*values.shape[:2], -1).swapaxes(1, 2)  # (n, h w, c)
    n, t, _ = values.shape
    mask = np.ones((n, t), bool) if real is None else real
    if pooling == "cls":
        return np.asarray(values[:, 0], np.float32)
    if pooling == "last token":
        return np.asarray(values[np.arange(n), t - 1 - mask[:, ::-1].argmax(1)], np.float32)
    if pooling == "max":
        return np.asarray(np.where(mask[:, :, None], values, -np.inf).max(1), np.float32)
    weights = mask.astype(np.float32)
    if pooling == "weighted mean":
        weights *= weights.cumsum(1)
    weights /= weights.sum(1, keepdims=True)
    return np.asarray((weights[:, None, :] @ values)[:, 0], np.float32)


def after(
    vectors: Matrix,
    *,
    layer_norm: bool,
    dimension: int | None,
    unit: bool,
    where: str = "the layer",
) -> Matrix:
    """Layer norm (no learnt scale), then the first `dimension` values, then unit length; each if told.

    `where` is what the vectors are of, for the error.

    Raises
    ------
    ParameterError
        There are fewer than `dimension` values.

    Examples
    --------
    >>> after(np.array([[3.0, 4.0, 7.0]], np.float32), layer_norm=False, dimension=2, unit=True).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    if dimension is not None and dimension > vectors.shape[1]:
        raise ParameterError(
            f"`dimension` must be at most {vectors.shape[1]}, which {where} has. Got {dimension}.",
            "Leave it out to keep all values.",
        )
    if layer_norm:
        centered = vectors - vectors.mean(1, keepdims=True)
        spread = np.sqrt(np.square(centered).mean(1, keepdims=True) + _EPSILON)
        vectors = np.asarray(centered / spread, np.float32)
    if dimension is not None:
        vectors = vectors[:, :dimension]
    if unit:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.asarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)
    return np.ascontiguousarray(vectors, np.float32)
