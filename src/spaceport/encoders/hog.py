"""Pictures by their edges: histograms of oriented gradients, projected on their main directions.

::

    x = for each block of 2 x 2 cells: the cells' histograms of the gradient's angle in [0°, 180°),
        weighted by its length, then v / sqrt(|v|² + ε²), cut at 0.2, and so again (L2-Hys)
    φ(x) = (x - μ) V Λ^(-w / 2)                                               _projected.py

Of the color channels a pixel's gradient is the longest one.

Dalal, N. & Triggs, B. (2005). Histograms of Oriented Gradients for Human Detection. CVPR, section 6;
computed by scikit-image's `skimage.feature.hog`, whose square root of the pixels (the paper's gamma,
section 6.1) is taken first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix, integer
from spaceport.encoders._pictures import arrays, sides
from spaceport.encoders._projected import Projected
from spaceport.errors import MissingExtra, ParameterError

__all__ = ["HOG"]

_BLOCK = 2


class HOG(Projected):
    """Where a picture has edges, and in which directions they run.

    Parameters
    ----------
    dimension : int
        At most the number of features, and of pictures.
    size : int or (int, int)
        Width and height to which every picture is stretched first; one number is both.
    orientations : int
        Bins of the angle, from 0° to 180°.
    cell : int
        Pixels on a cell's side; `size` holds at least 2 x 2 cells.
    whitening : float
        From 0 (directions keep their variance) to 1 (all have variance 1).

    Attributes
    ----------
    mean_, components_, explained_variance_, explained_variance_ratio_
        As in `pixels`; the features are those of (rows of blocks) · (columns of blocks) · 2 · 2 ·
        `orientations`.

    Notes
    -----
    Brightness and contrast hardly count, nor do colors as such; a shift by half a cell does. Decoding
    is as in `pixels`.
    """

    libraries: ClassVar[tuple[str, ...]] = ("pillow", "scikit-image")

    def __init__(
        self,
        dimension: int = 64,
        size: int | Sequence[int] = 32,
        orientations: int = 9,
        cell: int = 4,
        whitening: float = 0.0,
    ) -> None:
        super().__init__(dimension, whitening)
        self.size = size
        self.orientations = integer(orientations, "orientations", 2, 180)
        self.cell = integer(cell, "cell", 1)
        self._sides = sides(size)
        if min(self._sides) < _BLOCK * cell:
            raise ParameterError(
                f"`size` must hold {_BLOCK} x {_BLOCK} cells of {cell} pixels. Got {size!r}.",
                "Choose a larger size or smaller cells.",
            )

    def features(self, files: Sequence[bytes]) -> Matrix:
        """Give n pictures' histograms: ndarray of shape (n, f), float32."""
        try:
            from skimage.feature import hog
        except ModuleNotFoundError as error:
            raise MissingExtra.of("images", "skimage") from error
        described = [
            hog(
                picture,
                self.orientations,
                (self.cell, self.cell),
                (_BLOCK, _BLOCK),
                transform_sqrt=True,
                channel_axis=-1,
            )
            for picture in arrays(files, self._sides, equalize=False)
        ]
        return np.asarray(described, np.float32)
