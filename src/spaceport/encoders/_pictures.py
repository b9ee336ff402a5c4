"""Pictures as arrays of one size: decoded, resized, their contrast evened out, in a color space.

::

    equalize      Y' = 255 (share of darker pixels + half the share of as bright ones); Cb, Cr stay
    standardize   x' = (x - mean) / sqrt(variance + 0.02²), over all pixels and channels of one picture
    hsv           (c cos h, c sin h, v): v = max(r, g, b), chroma c = v - min(r, g, b), hue
                  h = atan2(√3 (g - b), 2 r - g - b); on this cone red is next to red, gray has no hue
    lab           CIE L*a*b* of sRGB under D65, divided by 100

Smith, A. (1978). Color Gamut Transform Pairs. SIGGRAPH; IEC 61966-2-1 (sRGB); CIE 15:2004, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix, integer
from spaceport.errors import InputError, ParameterError, choices
from spaceport.sources._pictures import decode

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["COLORS", "CONTRASTS", "arrays", "check_choice", "colored", "sides", "standardized"]

COLORS = ("gray", "hsv", "lab", "rgb")
CONTRASTS = ("equalize", "none", "standardize")

_FLOOR = 0.02
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to XYZ, by row."""


def check_choice(value: str, name: str, known: Sequence[str]) -> str:
    """Check that `value` is one of `known`."""
    if value not in known:
        raise ParameterError(f"There is no {name} `{value}`.", choices(str(value), known))
    return value


def sides(size: int | Sequence[int]) -> tuple[int, int]:
    """Width and height in pixels: a number stands for both.

    Examples
    --------
    >>> sides(32), sides([24, 32])
    ((32, 32), (24, 32))
    """
    given = [*size] if isinstance(size, list | tuple) else [size, size]
    if len(given) != 2:
        raise ParameterError(
            f"`size` must be a number, or width and height. Got {size!r}.", "Give size=(32, 32)."
        )
    width, height = (integer(side, "size", 1, 1024) for side in given)
    return width, height


def arrays(files: Sequence[bytes], size: tuple[int, int], equalize: bool) -> Matrix:
    """Decode pictures, stretch them to `size` (antialiased bilinear), even their light out if asked.

    Parameters
    ----------
    files : sequence of n bytes
    size : (width, height)
    equalize : bool

    Returns
    -------
    ndarray of shape (n, height, width, 3), float32, in [0, 1]

    Raises
    ------
    InputError
        Some cannot be read: counted, the first told.
    """
    shown = np.empty((len(files), size[1], size[0], 3), np.uint8)
    bad: dict[int, InputError] = {}
    for row, data in enumerate(files):
        try:
            shown[row] = np.asarray(_resized(data, size, equalize))
        except InputError as error:
            bad[row] = error
    if bad:
        first = min(bad)
        raise InputError(
            f"{len(bad)} of {len(files)} pictures cannot be read; the first, at position {first}: "
            f"{bad[first].what}",
            bad[first].remedy,
        ) from bad[first]
    return shown.astype(np.float32) / np.float32(255)


def colored(rgb: Matrix, space: str) -> Matrix:
    """Turn RGB in [0, 1], shape (..., 3), into a color space: shape (..., 3), or (..., 1) for gray."""
    if space == "gray":
        gray: Matrix = rgb @ np.array([[0.299], [0.587], [0.114]], np.float32)
        return gray
    return {"rgb": _same, "hsv": _cone, "lab": _lab}[space](rgb)


def standardized(pictures: Matrix) -> Matrix:
    """Take each picture's mean off and divide by its spread: shape (n, height, width, c)."""
    middle = pictures.mean(axis=(1, 2, 3), keepdims=True)
    spread = np.sqrt(pictures.var(axis=(1, 2, 3), keepdims=True) + np.float32(_FLOOR**2))
    result: Matrix = (pictures - middle) / spread
    return result


def _resized(data: bytes, size: tuple[int, int], equalize: bool) -> Image.Image:
    from PIL import Image

    image = decode(data, 2 * max(size)).resize(size, Image.Resampling.BILINEAR)
    if not equalize:
        return image
    light, *colors = image.convert("YCbCr").split()
    table = _levels(light.histogram())
    return Image.merge("YCbCr", (light.point(table), *colors)).convert("RGB")


def _levels(histogram: Sequence[int]) -> list[int]:
    """Each level's new one: the middle of its pixels' ranks, so that one level alone is mid-gray."""
    counts = np.asarray(histogram, np.float64)
    ranks = np.cumsum(counts) - counts / 2
    table: list[int] = np.floor(255 * ranks / counts.sum() + 0.5).astype(int).tolist()
    return table


def _same(rgb: Matrix) -> Matrix:
    return rgb


def _cone(rgb: Matrix) -> Matrix:
    value, least = rgb.max(axis=-1), rgb.min(axis=-1)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    angle = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    chroma = value - least  # v s
    cone: Matrix = np.stack([chroma * np.cos(angle), chroma * np.sin(angle), value], axis=-1)
    return cone.astype(np.float32)


def _lab(rgb: Matrix) -> Matrix:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratio: Any = linear @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T  # white is (1, 1, 1)
    bent = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1) / 100
    result: Matrix = lab.astype(np.float32)
    return result
