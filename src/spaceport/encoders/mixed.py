"""Tables with numbers, categories, dates, free text and gaps: a rule for each column, then principal axes.

::

    z = the numbers that the columns' rules make of a row, beside each other, w of them
    φ(row) = (z - μ) V          V: the `dimension` eigenvectors of z's covariance with the largest values

The rules, chosen from a first pass over the table and kept with the encoder (they are part of its
fingerprint):

==================================  ================================================================
a column of                         becomes
==================================  ================================================================
numbers                             (x - mean) / σ. A missing one is the median, and sets an
                                    indicator of its own if any was missing in fitting. With
                                    ``scaling="rank"``: the normal score of its rank first, for heavy
                                    tails
truth values; text with few         an indicator for each of the `maximum_categories` most frequent
distinct values, or of fewer than   ones that stand in at least `minimum_count` rows, one for all
three words on average              others, one for missing; each is share^-rarity where it is set.
                                    A category never seen is one of the others
dates and times                     years, standardized; day of the year and of the week, and the
                                    hour unless all are midnight, each as a point on a circle. A
                                    missing date: the median year, the circles' centers, an indicator
text with more distinct values      tf-idf of its words, hashed to 4,096 places, projected on
than `maximum_categories`, of       `text_dimension` main directions learnt from up to 8,192 texts,
three words or more on average      all divided by the deviation along the first of them
nothing, or always the same         nothing; the card names such columns
==================================  ================================================================

With ``rarity=0.5`` and neither dates nor text this is the factor analysis of mixed data: Pagès, J.
(2004). Analyse factorielle de données mixtes. Revue de statistique appliquée 52. The default is half
way between it and plain indicators: there rare categories take up too many of the first axes
(``python -m benchmarks mixed`` measures the three). The division of a text's block by its first
deviation is that of Escofier, B. & Pagès, J. (1994). Multiple factor analysis. Computational
Statistics & Data Analysis 18.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.encoders._blocks import Blocks
from spaceport.encoders._linear import principal_axes
from spaceport.encoders._survey import Choices, check_kinds
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError, choices
from spaceport.sources.base import Source

__all__ = ["Mixed"]

_SCALINGS = ("standard", "rank")


class Mixed(Encoder):
    """Rows of a table, each column by the rule for its kind, projected on their main directions.

    Parameters
    ----------
    dimension : int
    maximum_categories : int
        How many categories of a column have an indicator of their own.
    minimum_count : int
        A category in fewer rows is one of the others.
    rarity : float
        From 0 (plain indicators) to 0.5 (multiple correspondence analysis).
    scaling : {"standard", "rank"}
        Of numbers.
    text_dimension : int
        How many numbers a column of free text becomes, before the projection.
    kinds : mapping of str to {"number", "category", "date", "text", "nothing"}, optional
        What to treat a column as, where the rule from its values is not what is meant: a column of
        codes that look like numbers is ``{"zip": "category"}``.
    seed : int
        For the samples and the directions of text.

    Attributes
    ----------
    labels_ : list of str
        What each of the w numbers stands for.
    mean_ : ndarray of shape (w,), float64
    components_ : ndarray of shape (w, d), float64
        V; each column's largest entry in magnitude is positive, the lowest index in a tie.
    explained_variance_ratio_ : ndarray of shape (d,), float64

    Examples
    --------
    >>> import pyarrow as pa
    >>> from spaceport.sources.base import Source
    >>> birds = [{"kind": k, "size": s} for k, s in [("gull", 50.0), ("gull", 52.0), ("wren", 9.0)] * 2]
    >>> class Birds(Source):
    ...     modality, unique_ids = "table", True
    ...     def read(self):
    ...         yield pa.record_batch({"id": list("abcdef"), "content": birds})
    ...     def size(self):
    ...         return 60
    >>> encoder = Mixed(dimension=2).fit(Birds())
    >>> encoder.labels_
    ['kind = gull', 'kind = wren', 'size']
    >>> gull, wren, unknown = encoder.encode([birds[0], {"kind": "wren"}, {"kind": "emu", "size": 51.0}])
    >>> bool(abs(gull - unknown).sum() < abs(wren - unknown).sum())
    True
    """

    modality: ClassVar[str] = "table"
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 32,
        maximum_categories: int = 100,
        minimum_count: int = 2,
        rarity: float = 0.25,
        scaling: str = "standard",
        text_dimension: int = 16,
        kinds: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.maximum_categories = integer(maximum_categories, "maximum_categories", 1)
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.rarity = rarity
        self.scaling = scaling
        self.text_dimension = integer(text_dimension, "text_dimension", 1)
        self.kinds = kinds
        self.seed = integer(seed, "seed", 0)
        if not 0 <= rarity <= 1:
            raise ParameterError(
                f"`rarity` must be in [0, 1]. Got {rarity!r}.",
                "Use 0 for plain indicators, 0.5 for those of correspondence analysis.",
            )
        if scaling not in _SCALINGS:
            raise ParameterError(
                f"There is no scaling `{scaling}`.", choices(str(scaling), _SCALINGS)
            )
        check_kinds(kinds)
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> Mixed:
        """Learn the rules, then the directions: two passes; only sums and samples are kept.

        Raises
        ------
        InputError
            `dimension` is larger than the number of rows, or of numbers that the columns become.
        """
        began = time.perf_counter()
        self._blocks = Blocks.learn(source, self._choices())
        self.labels_ = self._blocks.labels
        axes = principal_axes(lambda: self._blocks.batches(source), self.dimension, seed=self.seed)
        self.mean_, self.components_ = axes.mean, axes.components
        self.explained_variance_ratio_ = axes.squares / (axes.total or 1)
        seconds = time.perf_counter() - began
        self._facts = {
            "seconds": seconds,
            "rows": axes.rows,
            "rows_per_second": axes.rows / seconds,
            "numbers": len(self.labels_),
            "explained": float(self.explained_variance_ratio_.sum()),
            "columns": self._blocks.facts(),
        }
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Encode rows: an Arrow array of structs, or dicts, where a missing key is a missing value.

        Raises
        ------
        InputError
            A column holds another kind of values than it did in fitting; the column is named.
        """
        if not hasattr(self, "components_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        shifted = self._blocks.dense(items) - self.mean_.astype(np.float32)  # (n, w)
        projected: Matrix = shifted @ self.components_.astype(np.float32)
        return projected

    def facts(self) -> dict[str, Any]:
        """Give seconds, rows, the share of variance kept, and each column's rule."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the rules, the mean and the directions."""
        if not hasattr(self, "components_"):
            return {}, {}
        arrays, values = self._blocks.state()
        arrays |= {
            "mean": self.mean_,
            "components": self.components_,
            "explained_variance_ratio": self.explained_variance_ratio_,
        }
        return arrays, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        self._blocks = Blocks.restore(arrays, values)
        self.labels_ = self._blocks.labels
        self.mean_, self.components_ = arrays["mean"], arrays["components"]
        self.explained_variance_ratio_ = arrays["explained_variance_ratio"]
        w, d = len(self.labels_), self.dimension
        shapes = [self.mean_.shape, self.components_.shape, self.explained_variance_ratio_.shape]
        if shapes != [(w,), (w, d), (d,)]:
            raise ValueError(
                f"the arrays of {w} numbers in {d} dimensions have the shapes {shapes}"
            )

    def _choices(self) -> Choices:
        return Choices(
            self.maximum_categories,
            self.minimum_count,
            self.rarity,
            self.scaling,
            self.text_dimension,
            dict(self.kinds or {}),
            self.seed,
        )
