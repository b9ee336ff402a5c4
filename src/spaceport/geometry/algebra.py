r"""Arithmetic with vectors: means, sums, projection, analogy.

The four royal words, first as one-hot vectors: all are equally far apart, so the numbers know
nothing of what the words mean.

>>> import numpy as np
>>> from spaceport.geometry.similarity import similarity
>>> words = ["queen", "king", "princess", "prince"]
>>> similarity(np.eye(4), metric="cosine")
array([[1., 0., 0., 0.],
       [0., 1., 0., 0.],
       [0., 0., 1., 0.],
       [0., 0., 0., 1.]], dtype=float32)

Two columns, *female* and *young*, are half as many numbers and say more: words that share a trait
are one step apart, words that share none √2.

>>> X = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
>>> similarity(X, metric="euclidean").round(2)
array([[ 0.  , -1.  , -1.  , -1.41],
       [-1.  ,  0.  , -1.41, -1.  ],
       [-1.  , -1.41,  0.  , -1.  ],
       [-1.41, -1.  , -1.  ,  0.  ]], dtype=float32)

And now one can reckon: a king, plus what makes a princess of a prince, is a queen.

>>> queen, king, princess, prince = X
>>> add(king, subtract(princess, prince))
array([1., 0.], dtype=float32)
>>> nearest, scores = analogy(X, positive=[1, 2], negative=[3], k=1, metric="euclidean")
>>> words[nearest[0]], float(scores[0])
('queen', 0.0)

With one-hot vectors the same sum is nobody:

>>> one_hot = np.eye(4)
>>> nobody = add(one_hot[1], subtract(one_hot[2], one_hot[3]))
>>> similarity([nobody], one_hot, metric="euclidean").round(2)
array([[-2.  , -1.41, -1.41, -2.45]], dtype=float32)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, matrix, vector
from spaceport.errors import InputError, ParameterError, choices
from spaceport.geometry.base import check_metric, normalize, norms

__all__ = ["add", "analogy", "mean", "projection", "subtract", "weighted_mean"]

_EPSILON = 0.001


def mean(X: npt.ArrayLike) -> Vector:
    """Mean of the rows of `X`, shape (n, d), summed in float64.

    Returns
    -------
    ndarray of shape (d,), float32

    Raises
    ------
    InputError
        There are no rows.

    Examples
    --------
    >>> mean([[1, 2], [3, 6]])
    array([2., 4.], dtype=float32)
    """
    X = matrix(X)
    if not len(X):
        raise InputError("There is no mean of no vectors.", "Give at least one row.")
    average: Vector = X.mean(axis=0, dtype=np.float64).astype(np.float32)
    return average


def weighted_mean(X: npt.ArrayLike, weights: npt.ArrayLike) -> Vector:
    """Mean of the rows of `X` with `weights`: Σ wᵢ xᵢ / Σ wᵢ.

    Parameters
    ----------
    X : array-like of shape (n, d)
    weights : array-like of shape (n,)
        None negative, not all zero.

    Returns
    -------
    ndarray of shape (d,), float32

    Raises
    ------
    InputError
        Another number of weights, a negative one, or all of them zero.

    Examples
    --------
    >>> weighted_mean([[1, 2], [3, 6]], [3, 1])
    array([1.5, 3. ], dtype=float32)
    """
    X, given = matrix(X), vector(weights, "weights").astype(np.float64)
    if len(given) != len(X):
        raise InputError(
            f"There are {len(given)} weights for {len(X)} vectors.", "Give one for each."
        )
    if (given < 0).any() or not given.sum() > 0:
        raise InputError(
            "`weights` must be 0 or more, and not all 0.",
            "Subtract vectors with `subtract` instead.",
        )
    total: Vector = ((given / given.sum()) @ X).astype(np.float32)
    return total


def add(*vectors: npt.ArrayLike) -> Vector:
    """Sum of any number of vectors of shape (d,), added in float64.

    Examples
    --------
    >>> add([1, 2], [3, 4], [5, 6])
    array([ 9., 12.], dtype=float32)
    """
    total: Vector = _stack(vectors).sum(axis=0, dtype=np.float64).astype(np.float32)
    return total


def subtract(x: npt.ArrayLike, *others: npt.ArrayLike) -> Vector:
    """Take every one of `others` from `x`; all have shape (d,).

    Examples
    --------
    >>> subtract([9, 9], [1, 2], [3, 4])
    array([5., 3.], dtype=float32)
    """
    stacked = _stack((x, *others)).astype(np.float64)
    rest: Vector = (stacked[0] - stacked[1:].sum(axis=0)).astype(np.float32)
    return rest


def projection(x: npt.ArrayLike, onto: npt.ArrayLike) -> Vector:
    """Part of `x` that lies along `onto`: (x·o / o·o) o, in float64.

    Parameters
    ----------
    x, onto : array-like of shape (d,)

    Returns
    -------
    ndarray of shape (d,), float32
        What remains, ``subtract(x, projection(x, onto))``, is at right angles to `onto`.

    Raises
    ------
    InputError
        `onto` is zero, which has no direction.

    Examples
    --------
    >>> projection([2, 3], onto=[10, 0])
    array([2., 0.], dtype=float32)
    """
    target = vector(onto, "onto").astype(np.float64)
    given = vector(x, "x", len(target)).astype(np.float64)
    length = float(target @ target)
    if not length:
        raise InputError(
            "`onto` is the zero vector, which has no direction.", "Give another vector."
        )
    along: Vector = ((given @ target) / length * target).astype(np.float32)
    return along


def analogy(
    X: npt.ArrayLike,
    positive: Sequence[int],
    negative: Sequence[int],
    k: int = 10,
    method: str = "3cosadd",
    metric: str = "cosine",
) -> tuple[npt.NDArray[np.int64], Vector]:
    """Rows of `X` that answer "the positive ones without the negative ones".

    ``3cosadd`` takes unit rows u and scores row i by the similarity of uᵢ (cosine) with
    Σ positive u - Σ negative u (Mikolov et al. 2013). ``3cosmul`` scores
    Π s(uᵢ, positive) / Π (s(uᵢ, negative) + 0.001) with s = (cosine + 1) / 2 (Levy & Goldberg 2014).
    The rows that the question names are never answers, as in both papers.

    Parameters
    ----------
    X : array-like of shape (n, d)
    positive, negative : sequence of int
        Rows of `X`; man : woman :: king : ? is ``positive=[woman, king], negative=[man]``.
    k : int
        How many answers; fewer come where `X` has no more other rows.
    method : {"3cosadd", "3cosmul"}
    metric : {"cosine", "dot", "euclidean"}
        For ``3cosadd``: the rows are scaled to unit length for ``cosine`` and left as they are
        otherwise. ``3cosmul`` is defined for ``cosine`` alone.

    Returns
    -------
    indices : ndarray of shape (k,), int64
    scores : ndarray of shape (k,), float32
        Descending; ties go to the lower index.

    Raises
    ------
    ParameterError
        No positive row, a row that `X` does not have, no such method or metric.

    References
    ----------
    Levy, O. & Goldberg, Y. (2014). Linguistic Regularities in Sparse and Explicit Word
    Representations. CoNLL.
    """
    X = matrix(X)
    count = integer(k, "k", 1)
    asked = [integer(row, "row", 0, len(X) - 1) for row in [*positive, *negative]]
    if not len(positive):
        raise ParameterError("`positive` is empty.", "Name at least one row to be like.")
    if method == "3cosadd":
        scores = _sum_scores(X, asked, len(positive), metric)
    elif method == "3cosmul":
        scores = _product_scores(X, asked, len(positive), metric)
    else:
        raise ParameterError(
            f"There is no analogy method `{method}`.", choices(str(method), ["3cosadd", "3cosmul"])
        )
    scores[asked] = -np.inf
    count = min(count, len(X) - len(set(asked)))
    best = np.argsort(-scores, kind="stable")[:count]
    return best.astype(np.int64), scores[best]


def _sum_scores(X: Matrix, asked: list[int], positives: int, metric: str) -> Vector:
    rows = normalize(X) if check_metric(metric) == "cosine" else X
    signs = np.ones(len(asked))
    signs[positives:] = -1
    target = signs @ rows[asked].astype(np.float64)  # (d,)
    if metric == "euclidean":
        return 0 - norms(rows - target.astype(np.float32))
    if metric == "cosine":
        target /= np.linalg.norm(target) or 1
    return rows @ target.astype(np.float32)


def _product_scores(X: Matrix, asked: list[int], positives: int, metric: str) -> Vector:
    if metric != "cosine":
        raise ParameterError(
            f"3cosmul is defined for cosine. Got `{metric}`.",
            "Use metric='cosine' or method='3cosadd'.",
        )
    unit = normalize(X)
    shares = (np.clip(unit @ unit[asked].T, -1, 1).astype(np.float64) + 1) / 2  # (n, asked)
    above = shares[:, :positives].prod(axis=1)
    below = (shares[:, positives:] + _EPSILON).prod(axis=1)
    scores: Vector = (above / below).astype(np.float32)
    return scores


def _stack(vectors: Sequence[npt.ArrayLike]) -> Matrix:
    """Check the operands and lay them out as rows; the first one says the dimension."""
    if not vectors:
        raise InputError("There is nothing to add.", "Give at least one vector.")
    first = vector(vectors[0])
    return np.stack([first, *(vector(other, "x", len(first)) for other in vectors[1:])])
