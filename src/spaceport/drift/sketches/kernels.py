"""The inner loops of sketches: waves, and sums by block and by cell, row by row.

A wave's cosine and sine are computed once per frequency and row, in float64, and then of twice the angle
seven times over::

    cos 2a = 1 - 2 sin^2 a,   sin 2a = 2 sin a cos a

The angle is brought to [-pi/4, pi/4] by two constants whose sum is pi/2 (Cody & Waite 1980), and there the
Taylor series ends at r^13 and r^14: an error under 1e-13, and after seven doublings under 1e-11, for
angles up to 10^6. Angles beyond 2^50 have no phase any more in float32; theirs is kept finite.

But for a row's length, which `unit` adds up in the compiler's order, nothing here may be reordered: each row
adds to its block's sums in float64.
"""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["add_outer", "add_rows", "add_waves", "unit", "waves"]

Floats: TypeAlias = npt.NDArray[np.float32]
Double: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

_TURNS = 2 / np.pi
_QUARTER = 1.5707963267341256  # pi / 2 to 33 bits, so that its multiples are exact
_REST = 6.077100506506192e-11
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding and taking it away rounds to a whole number
_FAR = 2.0**50
_EDGE = np.pi / 4


@numba.njit(inline="always")
def _angle(row: Floats, cosines: Double, sines: Double) -> None:
    """Cosine and sine of each angle of a row."""
    for l in range(row.shape[0]):  # noqa: E741 - the L of the formulas
        a = min(max(np.float64(row[l]), -_FAR), _FAR)
        n = (a * _TURNS + _ROUND) - _ROUND
        r = min(max((a - n * _QUARTER) - n * _REST, -_EDGE), _EDGE)
        q = n - 4 * ((n * 0.25 + _ROUND) - _ROUND)  # -2, -1, 0, 1 or 2
        z = r * r
        s = 1 / 6227020800 * z - 1 / 39916800
        s = s * z + 1 / 362880
        s = s * z - 1 / 5040
        s = s * z + 1 / 120
        s = s * z - 1 / 6
        s = s * z * r + r
        c = 1 / 479001600 - 1 / 87178291200 * z
        c = c * z - 1 / 3628800
        c = c * z + 1 / 40320
        c = c * z - 1 / 720
        c = c * z + 1 / 24
        c = c * z - 0.5
        c = c * z + 1
        odd = q * q * (4 - q * q) / 3  # 1 where q is odd, 0 where it is even
        even = (1 - odd) * (1 - abs(q))
        cosines[l] = even * c - odd * q * s
        sines[l] = even * s + odd * q * c


@numba.njit(cache=True, nogil=True)
def waves(angles: Floats, widths: int, out: Floats) -> None:
    """Write cos and sin of 2^j times each angle.

    Parameters
    ----------
    angles : ndarray of shape (n, L), float32
    widths : int
        How many j there are, from 0.
    out : ndarray of shape (n, widths, 2, L), float32
    """
    length = angles.shape[1]
    cosines, sines = np.empty(length), np.empty(length)
    for i in range(angles.shape[0]):
        _angle(angles[i], cosines, sines)
        for j in range(widths):
            left, right = out[i, j, 0], out[i, j, 1]
            for l in range(length):  # noqa: E741
                left[l] = cosines[l]
                right[l] = sines[l]
                double = 2 * sines[l] * cosines[l]
                cosines[l] = 1 - 2 * sines[l] * sines[l]
                sines[l] = double


@numba.njit(cache=True, nogil=True)
def add_waves(angles: Floats, blocks: Places, sums: Double) -> None:
    """Add cos and sin of 2^j times each angle to the sums of the row's block.

    Parameters
    ----------
    angles : ndarray of shape (n, L), float32
    blocks : ndarray of shape (n,), int64
    sums : ndarray of shape (b, widths, 2, L), float64
    """
    length = angles.shape[1]
    cosines, sines = np.empty(length), np.empty(length)
    for i in range(len(blocks)):
        _angle(angles[i], cosines, sines)
        for j in range(sums.shape[1]):
            left, right = sums[blocks[i], j, 0], sums[blocks[i], j, 1]
            for l in range(length):  # noqa: E741
                left[l] += cosines[l]
                right[l] += sines[l]
                double = 2 * sines[l] * cosines[l]
                cosines[l] = 1 - 2 * sines[l] * sines[l]
                sines[l] = double


@numba.njit(cache=True, nogil=True)
def add_rows(rows: Floats, places: Places, sums: Double) -> None:
    """Add each row, (n, k), to ``sums[places[i]]``, (p, k)."""
    for i in range(len(places)):
        row, into = rows[i], sums[places[i]]
        for j in range(row.shape[0]):
            into[j] += row[j]


@numba.njit(cache=True, nogil=True)
def add_outer(rows: Floats, places: Places, sums: Double) -> None:
    """Add each row's products with itself, in float32, to ``sums[places[i]]``, (p, k, k)."""
    for i in range(len(places)):
        row, into = rows[i], sums[places[i]]
        for j in range(row.shape[0]):
            line, factor = into[j], row[j]
            for k in range(row.shape[0]):
                line[k] += factor * row[k]


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def unit(rows: Floats, out: Floats) -> bool:
    """Write each row at length one, (n, d), its length summed in float64; zeros stay zero.

    Gives False where a number is NaN or infinite.
    """
    d, finite = rows.shape[1], True
    for i in range(rows.shape[0]):
        row, into = rows[i], out[i]
        total = 0.0
        for j in range(d):
            total += np.float64(row[j]) * np.float64(row[j])
        finite = finite and total < np.inf  # false of NaN, too
        scale = 1 / np.sqrt(total) if total > 0 else 1.0
        for j in range(d):
            into[j] = row[j] * scale
    return finite
