"""Principal component analysis: the directions of largest variance, in one pass over any number of rows.

::

    C = Σ (x - μ) (x - μ)ᵀ / (n - 1)             C V = V Λ, the `dimension` largest λ first
    φ(x) = (x - μ) V                             and Λ^(-1/2) with whiten=True
    z = (x - μ) / σ in place of x - μ            with standardize=True; a constant column becomes 0

Pearson, K. (1901). On Lines and Planes of Closest Fit. Philosophical Magazine 2; Hotelling, H. (1933).
Analysis of a Complex of Statistical Variables into Principal Components. J. Educational Psychology 24.
How C is added up is in `spaceport.geometry.moments`; the randomized way is Halko, N., Martinsson, P. &
Tropp, J. (2011). Finding Structure with Randomness. SIAM Review 53, algorithm 4.4.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, matrix
from spaceport.encoders._linear import Axes, check_method, principal_axes
from spaceport.encoders._tables import column_names, numbers_of
from spaceport.encoders.base import Encoder, State, contents
from spaceport.errors import InputError
from spaceport.sources.base import Source

__all__ = ["PCA"]


class PCA(Encoder):
    """Vectors, or rows of numbers, projected on their main directions.

    Parameters
    ----------
    dimension : int
    whiten : bool
        Give every direction variance 1 (one without any stays 0).
    standardize : bool
        Divide each column by its standard deviation first; constant columns count for nothing.
    method : {"auto", "exact", "randomized"}
        ``"exact"`` reads the source once, and needs w x w numbers of memory for w columns;
        ``"randomized"`` reads it seven times. ``"auto"`` is exact up to 2,048 columns.
    seed : int
        For the random start of ``"randomized"``.

    Attributes
    ----------
    columns_ : list of str
        The names of a table's columns; empty for vectors.
    mean_ : ndarray of shape (w,), float64
    scale_ : ndarray of shape (w,), float64
        1 / σ with ``standardize``, else 1.
    components_ : ndarray of shape (w, d), float64
        V, orthonormal columns; each one's largest entry in magnitude is positive, the lowest index
        in a tie.
    explained_variance_ : ndarray of shape (d,), float64
        λ, the largest first.
    explained_variance_ratio_ : ndarray of shape (d,), float64
        λ by the sum of all w of them.

    Notes
    -----
    A table is taken too where all its columns are numbers without gaps; for others there is `mixed`.
    One source gives the same bytes from any number of threads.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from spaceport.sources.base import Source
    >>> class Line(Source):
    ...     modality, unique_ids = "vectors", True
    ...     def read(self):
    ...         rows = pa.array([[3.0, 4.0], [6.0, 8.0], [9.0, 12.0]], pa.list_(pa.float32(), 2))
    ...         yield pa.record_batch({"id": list("abc"), "content": rows})
    ...     def size(self):
    ...         return 24
    >>> encoder = PCA(dimension=1).fit(Line())
    >>> encoder.components_.ravel().round(3), encoder.explained_variance_ratio_.round(3)
    (array([0.6, 0.8]), array([1.]))
    >>> encoder.encode([[3.0, 4.0], [6.0, 8.0]]).round(3).tolist()
    [[-5.0], [0.0]]
    """

    modality: ClassVar[str] = "vectors"
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 64,
        whiten: bool = False,
        standardize: bool = False,
        method: str = "auto",
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.whiten = whiten
        self.standardize = standardize
        self.method = check_method(method)
        self.seed = integer(seed, "seed", 0)
        self._facts: dict[str, Any] = {}

    def takes(self, modality: str) -> bool:
        """Vectors, and tables, whose columns must then be numbers."""
        return modality == "table" or super().takes(modality)

    def fit(self, source: Source) -> PCA:
        """Learn the mean and the directions; only sums are kept of the rows.

        Raises
        ------
        InputError
            `dimension` is larger than the number of rows or columns; a table has a column that is
            not numbers, or has gaps.
        """
        began = time.perf_counter()

        def batches() -> Iterator[npt.NDArray[Any]]:
            for batch in source.batches():
                self.columns_ = column_names(batch)
                yield self._rows(contents(batch))

        axes = principal_axes(
            batches, self.dimension, True, self.standardize, self.method, self.seed
        )
        self._take(axes)
        seconds = time.perf_counter() - began
        self._facts = {
            "seconds": seconds,
            "rows": axes.rows,
            "rows_per_second": axes.rows / seconds,
            "explained": float(self.explained_variance_ratio_.sum()),
            "constant_columns": int((axes.scale == 0).sum()),
        }
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Project rows, an ndarray of shape (n, w) or a table's rows; gives (n, d), float32."""
        if not hasattr(self, "components_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        rows = self._rows(items)
        if rows.shape[1] != len(self.mean_):
            rows = matrix(rows, "items", len(self.mean_))
        kind = rows.dtype
        projected = (rows - self.mean_.astype(kind)) @ self._directions().astype(kind)
        return np.asarray(projected, dtype=np.float32)

    def facts(self) -> dict[str, Any]:
        """Give seconds, rows, rows per second, the share of variance kept, and the constant columns."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the mean, the scale, the directions and their variances."""
        if not hasattr(self, "components_"):
            return {}, {}
        arrays = {
            "mean": self.mean_,
            "scale": self.scale_,
            "components": self.components_,
            "explained_variance": self.explained_variance_,
            "explained_variance_ratio": self.explained_variance_ratio_,
        }
        return arrays, {"columns": self.columns_}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        w, d = len(arrays["mean"]), self.dimension
        shapes = {"mean": (w,), "scale": (w,), "components": (w, d), "explained_variance": (d,)}
        for name, shape in {**shapes, "explained_variance_ratio": (d,)}.items():
            if arrays[name].shape != shape:
                raise ValueError(
                    f"the array {name} has the shape {arrays[name].shape}, not {shape}"
                )
            setattr(self, f"{name}_", arrays[name])
        self.columns_ = list(values["columns"])

    def _take(self, axes: Axes) -> None:
        self.mean_, self.scale_, self.components_ = axes.mean, axes.scale, axes.components
        self.explained_variance_ = axes.squares / (axes.rows - 1)
        self.explained_variance_ratio_ = axes.squares / (axes.total or 1)

    def _directions(self) -> npt.NDArray[np.float64]:
        """What a row without its mean is multiplied by, (w, d)."""
        directions = self.scale_[:, None] * self.components_
        if not self.whiten:
            return directions
        deviation = np.sqrt(self.explained_variance_)
        least = np.sqrt(np.finfo(np.float32).eps) * deviation.max(initial=0)
        return directions * np.divide(
            1, deviation, out=np.zeros_like(deviation), where=deviation > least
        )

    def _rows(self, items: Any) -> npt.NDArray[Any]:
        if self.columns_:
            return numbers_of(items, self.columns_, self.name)
        return matrix(items, "items")
