"""What the encoders of pictures share: features of each picture, projected on their main directions.

::

    C V = V Λ                      C: covariance of the features x, the `dimension` largest λ first
    φ(x) = (x - μ) V Λ^(-w / 2)    w: `whitening`, from 0 (PCA) to 1 (every direction has variance 1)
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.encoders._linear import principal_axes
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.progress import task
from spaceport.sources.base import Source

__all__ = ["Projected"]

Self = TypeVar("Self", bound="Projected")

_LEARNT = ("mean", "components", "explained_variance", "explained_variance_ratio")
_EXACT = 4096  # columns up to which the source is read once; eigenvectors then take some seconds
_TOGETHER = 512  # pictures that are held as arrays at a time


class Projected(Encoder):
    """Pictures by features that a method computes, and PCA.

    A method writes `features`, and calls this constructor.
    """

    modality: ClassVar[str] = "images"
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True

    def __init__(self, dimension: int, whitening: float) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.whitening = whitening
        if not 0 <= whitening <= 1:
            raise ParameterError(
                f"`whitening` must be in [0, 1]. Got {whitening!r}.",
                "0 keeps the variances, 1 makes them equal.",
            )
        self._facts: dict[str, Any] = {}

    @abstractmethod
    def features(self, files: Sequence[bytes]) -> Matrix:
        """Describe n pictures, given as files: ndarray of shape (n, f), float32."""

    def fit(self: Self, source: Source) -> Self:
        """Learn the features' mean and main directions.

        The source is read once; seven times where there are more than 4,096 features.

        Raises
        ------
        InputError
            A picture cannot be read, or `dimension` is larger than the number of pictures or features.
        """
        began = time.perf_counter()
        width = self._width()
        axes = principal_axes(
            lambda: self._described(source),
            self.dimension,
            method="exact" if width <= _EXACT else "randomized",
        )
        self.mean_, self.components_ = axes.mean, axes.components
        self.explained_variance_ = axes.squares / (axes.rows - 1)
        self.explained_variance_ratio_ = axes.squares / (axes.total or 1)
        seconds = time.perf_counter() - began
        self._facts = {
            "seconds": seconds,
            "pictures": axes.rows,
            "pictures_per_second": axes.rows / seconds,
            "features": width,
            "explained": float(self.explained_variance_ratio_.sum()),
        }
        return self

    def encode_batch(self, items: Sequence[bytes], role: str = "document") -> Matrix:
        """Encode n pictures, each as its file's bytes; gives (n, d), float32.

        Raises
        ------
        InputError
            Some cannot be read: counted, the first told.
        """
        if not hasattr(self, "components_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        directions = self._directions()
        parts = [
            (self.features(items[start : start + _TOGETHER]) - self.mean_) @ directions
            for start in range(0, len(items), _TOGETHER)
        ]
        return np.concatenate(parts).astype(np.float32)

    def facts(self) -> dict[str, Any]:
        """Give seconds, pictures, pictures per second, features, and the share of variance kept."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the mean, the directions and their variances."""
        if not hasattr(self, "components_"):
            return {}, {}
        return {name: getattr(self, f"{name}_") for name in _LEARNT}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        f, d = self._width(), self.dimension
        shapes = [arrays[name].shape for name in _LEARNT]
        if shapes != [(f,), (f, d), (d,), (d,)]:
            raise ValueError(f"the arrays of {f} features have the shapes {shapes}")
        for name in _LEARNT:
            setattr(self, f"{name}_", arrays[name])

    def _width(self) -> int:
        """The number of features, told by a picture of one pixel."""
        return len(self.features([b"P5 1 1 255\n\x00"])[0])

    def _described(self, source: Source) -> Iterator[Matrix]:
        with task("looking at pictures", None, "pictures") as work:
            for batch in source.batches():
                files = batch.column("content").to_pylist()
                for start in range(0, len(files), _TOGETHER):
                    yield self.features(files[start : start + _TOGETHER])
                    work.advance(len(files[start : start + _TOGETHER]))

    def _directions(self) -> npt.NDArray[np.float64]:
        """V Λ^(-w / 2), (f, d); a direction without variance stays without."""
        variance = self.explained_variance_
        least = float(np.finfo(np.float32).eps) * variance.max(initial=0)
        scale = np.zeros_like(variance)
        np.power(variance, -self.whitening / 2, out=scale, where=variance > least)
        return self.components_ * scale
