"""A linear classifier as a value: its weights can be kept, and used on other vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.errors import InputError
from spaceport.quality.probe import linear_probe

__all__ = ["LinearClassifier", "learn"]

Double = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """The class of x is the c with the largest ``coef[c] · x + intercept[c]``; the first of equal ones.

    Attributes
    ----------
    coef : ndarray of shape (c, d), float64
        One row, for two classes, stands for the second of them against the first.
    intercept : ndarray of shape (c,), float64
    classes : tuple of str

    Raises
    ------
    InputError
        Shapes that do not fit each other, NaN or infinity, fewer than two classes, or repeated ones.

    Examples
    --------
    >>> LinearClassifier(np.array([[1.0, -1.0]]), np.zeros(1), ("ham", "spam")).answers([[2, 1], [1, 2]])
    ['spam', 'ham']
    """

    coef: Double
    intercept: Double
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        coef, intercept = np.atleast_2d(self.coef), np.atleast_1d(self.intercept)
        count = len(self.classes)
        if count < 2 or len(set(self.classes)) < count:
            raise InputError(
                f"A classifier needs two classes or more, each once. Got {list(self.classes)!r}.",
                "Give the name of the class of each row of `coef`.",
            )
        if count == 2 and coef.shape[0] == len(intercept) == 1:
            coef = np.concatenate([np.zeros_like(coef), coef])
            intercept = np.concatenate([np.zeros_like(intercept), intercept])
        if coef.ndim != 2 or coef.shape[0] != count or intercept.shape != (count,):
            raise InputError(
                f"`coef` has shape {coef.shape} and `intercept` {intercept.shape} for {count} classes.",
                f"Give ({count}, d) and ({count},), as scikit-learn's linear models have them.",
            )
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise InputError("The classifier's weights hold NaN or infinity.", "Learn it again.")
        # scikit-learn's weights may lie column after column, which safetensors would write as they lie
        object.__setattr__(self, "coef", np.ascontiguousarray(coef, np.float64))
        object.__setattr__(self, "intercept", np.ascontiguousarray(intercept, np.float64))
        object.__setattr__(self, "classes", tuple(self.classes))

    @property
    def dimension(self) -> int:
        """Length of the vectors that it takes."""
        return int(self.coef.shape[1])

    def answers(self, vectors: npt.ArrayLike) -> list[str]:
        """Give the class of each of n vectors, an array-like of shape (n, d)."""
        X: Matrix = matrix(vectors, "vectors", self.dimension)
        best = (X.astype(np.float64) @ self.coef.T + self.intercept).argmax(axis=1)
        return [self.classes[place] for place in best]


def learn(vectors: npt.ArrayLike, labels: Sequence[str]) -> LinearClassifier:
    """Learn a logistic regression, as `quality.probe.linear_probe_accuracy` does, and keep its weights.

    The columns' means and deviations, by which they were standardized, are folded into the weights:
    with z = (x − m) / s, ``W · z + b`` is ``(W / s) · x + (b − W · (m / s))``.

    Examples
    --------
    >>> learn([[0.0], [1.0], [9.0], [10.0]], ["ham", "ham", "spam", "spam"]).answers([[2.0], [8.0]])
    ['ham', 'spam']
    """
    scaler, model = linear_probe(matrix(vectors, "vectors"), np.asarray(labels))
    coef = model.coef_ / scaler.scale_
    intercept = model.intercept_ - model.coef_ @ (scaler.mean_ / scaler.scale_)
    return LinearClassifier(coef, intercept, tuple(str(name) for name in model.classes_))
