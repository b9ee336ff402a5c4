"""Truncated singular value decomposition: the directions of largest squares, the mean left in.

::

    X ≈ U S Vᵀ                    the `dimension` largest singular values
    φ(x) = x V                    (= U S for the rows themselves)

Rows that are not centered stay sparse, so that a table of many categories, one indicator each, is
never written out: that is one-hot encoding followed by SVD. Distances and inner products of the rows
are kept as well as so few dimensions can: Eckart, C. & Young, G. (1936). The approximation of one
matrix by another of lower rank. Psychometrika 1.

Vectors are read once, into the matrix XᵀX (randomized, in seven passes, where it would be wider than
2,048); singular values below about 0.001 of the largest are then lost in its rounding. A table is
held as a sparse matrix and decomposed by randomized subspace iteration: Halko, N., Martinsson, P. &
Tropp, J. (2011). Finding Structure with Randomness. SIAM Review 53.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, matrix
from spaceport.encoders._blocks import Blocks
from spaceport.encoders._decomposition import decompose
from spaceport.encoders._linear import check_method, check_rows, principal_axes
from spaceport.encoders._survey import Choices, check_kinds
from spaceport.encoders.base import Encoder, State, contents
from spaceport.errors import InputError
from spaceport.sources.base import Source

__all__ = ["SVD"]

_TEXT_DIMENSION = 16


class SVD(Encoder):
    """Vectors, or the rows of a table as sparse indicators and numbers, projected on their main directions.

    Parameters
    ----------
    dimension : int
    maximum_categories : int
        How many categories of a table's column have an indicator of their own, 1 where it is set.
    minimum_count : int
        A category in fewer rows is one of the others, which share an indicator.
    kinds : mapping of str to {"number", "category", "date", "text", "nothing"}, optional
        What to treat a table's column as; `mixed` says what each kind becomes.
    method : {"auto", "exact", "randomized"}
        For vectors; see `pca`.
    seed : int
        For the random start.

    Attributes
    ----------
    labels_ : list of str
        What each of the w numbers of a table's row stands for; empty for vectors.
    components_ : ndarray of shape (w, d), float32
        V; each column's largest entry in magnitude is positive, the lowest index in a tie.
    singular_values_ : ndarray of shape (d,), float32
        Descending.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from spaceport.sources.base import Source
    >>> pets = [{"kind": kind, "home": home} for kind, home in [("cat", "flat"), ("dog", "farm")] * 3]
    >>> class Pets(Source):
    ...     modality, unique_ids = "table", True
    ...     def read(self):
    ...         yield pa.record_batch({"id": list("abcdef"), "content": pets})
    ...     def size(self):
    ...         return 60
    >>> encoder = SVD(dimension=2).fit(Pets())
    >>> encoder.labels_
    ['kind = cat', 'kind = dog', 'home = farm', 'home = flat']
    >>> encoder.singular_values_.round(2)
    array([2.45, 2.45], dtype=float32)
    """

    modality: ClassVar[str] = "vectors"
    also: ClassVar[tuple[str, ...]] = ("table",)
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 64,
        maximum_categories: int = 10_000,
        minimum_count: int = 2,
        kinds: Mapping[str, str] | None = None,
        method: str = "auto",
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.maximum_categories = integer(maximum_categories, "maximum_categories", 1)
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.kinds = kinds
        self.method = check_method(method)
        self.seed = integer(seed, "seed", 0)
        check_kinds(kinds)
        self._blocks: Blocks | None = None
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> SVD:
        """Learn the directions, and for a table first its columns' rules.

        Raises
        ------
        InputError
            `dimension` is larger than the number of rows or of numbers in a row.
        """
        began = time.perf_counter()
        rows, total = (self._fit_table if source.modality == "table" else self._fit_vectors)(source)
        squares = self.singular_values_.astype(np.float64) ** 2
        seconds = time.perf_counter() - began
        self._facts = {
            "seconds": seconds,
            "rows": rows,
            "rows_per_second": rows / seconds,
            "numbers": len(self.components_),
            "explained": float(squares.sum() / (total or 1)),
        }
        if self._blocks is not None:
            self._facts["columns"] = self._blocks.facts()
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Project rows: an ndarray of shape (n, w), or a table's rows as `mixed` takes them."""
        if not hasattr(self, "components_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        if self._blocks is None:
            rows: Any = matrix(items, "items", len(self.components_))
        else:
            rows = self._blocks.sparse(items)
        projected: Matrix = rows @ self.components_
        return projected

    def facts(self) -> dict[str, Any]:
        """Give seconds, rows, numbers in a row, the share of the squares kept, and each column's rule."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the directions, the singular values and a table's rules."""
        if not hasattr(self, "components_"):
            return {}, {}
        arrays, values = ({}, {}) if self._blocks is None else self._blocks.state()
        found = {"components": self.components_, "singular_values": self.singular_values_}
        return arrays | found, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        self._learnt(Blocks.restore(arrays, values) if "rules" in values else None)
        self.components_, self.singular_values_ = arrays["components"], arrays["singular_values"]
        w, d = len(self.labels_) or len(self.components_), self.dimension
        shapes = [self.components_.shape, self.singular_values_.shape]
        if shapes != [(w, d), (d,)]:
            raise ValueError(
                f"the arrays of {w} numbers in {d} dimensions have the shapes {shapes}"
            )

    def _learnt(self, blocks: Blocks | None) -> None:
        self._blocks = blocks
        self.labels_ = blocks.labels if blocks is not None else []

    def _fit_vectors(self, source: Source) -> tuple[int, float]:
        self._learnt(None)
        axes = principal_axes(
            lambda: (matrix(contents(batch)) for batch in source.batches()),
            self.dimension,
            centered=False,
            method=self.method,
            seed=self.seed,
        )
        self.components_ = axes.components.astype(np.float32)
        self.singular_values_ = np.sqrt(axes.squares).astype(np.float32)
        return axes.rows, axes.total

    def _fit_table(self, source: Source) -> tuple[int, float]:
        blocks = Blocks.learn(source, self._choices())
        self._learnt(blocks)
        rows = blocks.all_sparse(source)
        check_rows(self.dimension, *rows.shape)
        self.singular_values_, self.components_ = decompose(rows, self.dimension, self.seed)
        return len(rows.indptr) - 1, float((rows.data.astype(np.float64) ** 2).sum())

    def _choices(self) -> Choices:
        return Choices(
            self.maximum_categories,
            self.minimum_count,
            0.0,
            "standard",
            _TEXT_DIMENSION,
            dict(self.kinds or {}),
            self.seed,
        )
