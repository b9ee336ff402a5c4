"""Pictures by their pixels: resized, their contrast evened out, projected on their main directions.

::

    x = the pixels at `size`, in a color space, their contrast evened out     _pictures.py
    φ(x) = (x - μ) V Λ^(-w / 2)                                               _projected.py

Turk, M. & Pentland, A. (1991). Eigenfaces for Recognition. J. Cognitive Neuroscience 3 (1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from spaceport.arrays import Matrix
from spaceport.encoders._pictures import (
    COLORS,
    CONTRASTS,
    arrays,
    check_choice,
    colored,
    sides,
    standardized,
)
from spaceport.encoders._projected import Projected

__all__ = ["Pixels"]


class Pixels(Projected):
    """A picture's pixels in few numbers.

    Parameters
    ----------
    dimension : int
        At most the number of pixels times channels, and of pictures.
    size : int or (int, int)
        Width and height to which every picture is stretched (antialiased bilinear); one number is both.
    color : {"rgb", "gray", "hsv", "lab"}
        ``"hsv"`` is taken as a cone (chroma by hue, and value), so that near colors are near numbers;
        ``"lab"`` is CIE L*a*b* under D65, divided by 100.
    contrast : {"standardize", "equalize", "none"}
        Per picture, before PCA: all its numbers to mean 0 and variance 1, so that neither brightness
        nor contrast counts; its luminance's histogram made flat; or nothing.
    whitening : float
        From 0 (directions keep their variance) to 1 (all have variance 1).

    Attributes
    ----------
    mean_ : ndarray of shape (f,), float64
    components_ : ndarray of shape (f, d), float64
        V, orthonormal columns; each one's largest entry in magnitude is positive, the lowest index
        in a tie.
    explained_variance_ : ndarray of shape (d,), float64
        λ, the largest first.
    explained_variance_ratio_ : ndarray of shape (d,), float64
        λ by the sum of all of them.

    Notes
    -----
    Whatever the file holds is decoded to RGB: the first frame, turned as EXIF says, on white where it
    is transparent, CMYK by Pillow's plain formula, 16 bits divided by 257 and not cut off.

    Why these defaults: without either, the first few directions are how bright a picture is and
    from where it is lit, and they outweigh all that tells pictures apart. Full whitening helps
    photographs more and drawings on an even ground less: there it lifts directions that are mostly
    noise. ``python -m benchmarks images`` has the figures.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from spaceport.sources.base import Source
    >>> class Flags(Source):
    ...     modality, unique_ids = "images", True
    ...     def read(self):
    ...         files = [bytes("P6 2 1 255 ", "ascii") + bytes(pixels) for pixels in (
    ...             [255, 0, 0, 0, 0, 255], [255, 0, 0, 0, 0, 200], [0, 0, 255, 255, 0, 0])]
    ...         yield pa.record_batch({"id": list("abc"), "content": files})
    ...     def size(self):
    ...         return 51
    >>> encoder = Pixels(dimension=1, size=(2, 1), whitening=1.0).fit(Flags())
    >>> encoder.encode(Flags()).astype(float).round(1).ravel().tolist()
    [0.6, 0.6, -1.2]
    """

    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __init__(
        self,
        dimension: int = 64,
        size: int | Sequence[int] = 32,
        color: str = "rgb",
        contrast: str = "standardize",
        whitening: float = 0.5,
    ) -> None:
        super().__init__(dimension, whitening)
        self.size = size
        self.color = check_choice(color, "color", COLORS)
        self.contrast = check_choice(contrast, "contrast", CONTRASTS)
        self._sides = sides(size)

    def features(self, files: Sequence[bytes]) -> Matrix:
        """Give n pictures' pixels, row by row: ndarray of shape (n, height · width · channels), float32."""
        pictures = colored(arrays(files, self._sides, self.contrast == "equalize"), self.color)
        if self.contrast == "standardize":
            pictures = standardized(pictures)
        return pictures.reshape(len(files), -1)
