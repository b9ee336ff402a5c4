"""Rows of implicit-feedback ALS: many least-squares problems, one for each user (or each item).

With the other side's rows y_j turned so that their Gram matrix is diagonal (`_alternating`), the
normal equations of one row x, whose entries j have weights c_j, are

    (diag(D + ρ) + Σ_j c_j y_j y_jᵀ) x = Σ_j (c_j + s) y_j

so that what all rows have in common costs nothing, and only the entries are walked. Rows are padded
with zeros to a multiple of 16. Nothing but the row itself is written, so any number of threads may
take rows in any order, and the bytes are the same.

The entries are walked once for the residual and once for each step. The preconditioner is diagonal:
D + ρ + q t, where t is the weighted mean of y² over all entries and q the row's sum of weights.

numba compiles anew when *this* file changes; whoever changes `rows`, which is inlined here, deletes
``__pycache__/*.nb*`` in this folder.

References
----------
Hu, Koren, Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", section 4.
Takács, Pilászy, Tikk 2011, "Applications of the Conjugate Gradient Method for Implicit Feedback
Collaborative Filtering".
"""

from __future__ import annotations

import numba
import numpy as np

from spaceport.encoders.kernels.lanes import (
    LANES,
    add,
    divide,
    load,
    multiply,
    multiply_add,
    peek,
    splat,
    store,
    total,
)
from spaceport.encoders.kernels.rows import (
    Columns,
    Ends,
    Floats,
    dot,
    dots,
    entry_loss,
    gain,
    gains,
)

__all__ = ["conjugate_gradient"]

_AHEAD = 12  # entries between asking for a row and reading it
_ONE = np.float32(1)


@numba.njit(inline="always")
def _residual(
    columns: Columns,
    weights: Floats,
    start: int,
    end: int,
    shift: np.float32,
    Y: Floats,
    stride: int,
    x: Floats,
    r: Floats,
) -> np.float32:
    """Add Σ_j (c_j + s − c_j x·y_j) y_j to r; gives the loss of the entries at x."""
    loss = np.float32(0)
    whole = end - (end - start) % 4
    for e in range(start, whole, 4):
        for ahead in range(e + _AHEAD, min(e + _AHEAD + 4, len(columns))):
            row = np.int64(columns[ahead]) * stride
            for v in range(0, stride, LANES):
                peek(Y, row + v)
        a, b = np.int64(columns[e]) * stride, np.int64(columns[e + 1]) * stride
        c, d = np.int64(columns[e + 2]) * stride, np.int64(columns[e + 3]) * stride
        wa, wb, wc, wd = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
        sa, sb, sc, sd = dots(Y, a, b, c, d, x, stride)
        loss += entry_loss(wa, shift, sa) + entry_loss(wb, shift, sb)
        loss += entry_loss(wc, shift, sc) + entry_loss(wd, shift, sd)
        ga, gb = wa + shift - wa * sa, wb + shift - wb * sb
        gc, gd = wc + shift - wc * sc, wd + shift - wd * sd
        gains(r, Y, a, b, c, d, ga, gb, gc, gd, stride)
    for e in range(whole, end):
        a, wa = np.int64(columns[e]) * stride, weights[e]
        sa = dot(Y, a, x, stride)
        loss += entry_loss(wa, shift, sa)
        gain(r, Y, a, wa + shift - wa * sa, stride)
    return loss


@numba.njit(inline="always")
def _times(
    columns: Columns,
    weights: Floats,
    start: int,
    end: int,
    Y: Floats,
    stride: int,
    p: Floats,
    out: Floats,
) -> None:
    """Add Σ_j c_j y_j y_jᵀ p to `out`."""
    whole = end - (end - start) % 4
    for e in range(start, whole, 4):
        a, b = np.int64(columns[e]) * stride, np.int64(columns[e + 1]) * stride
        c, d = np.int64(columns[e + 2]) * stride, np.int64(columns[e + 3]) * stride
        sa, sb, sc, sd = dots(Y, a, b, c, d, p, stride)
        ga, gb = weights[e] * sa, weights[e + 1] * sb
        gc, gd = weights[e + 2] * sc, weights[e + 3] * sd
        gains(out, Y, a, b, c, d, ga, gb, gc, gd, stride)
    for e in range(whole, end):
        a = np.int64(columns[e]) * stride
        gain(out, Y, a, weights[e] * dot(Y, a, p, stride), stride)


@numba.njit(inline="always")
def _begin(
    x: Floats, r: Floats, M: Floats, p: Floats, D: Floats, t: Floats, ridge: np.float32,
    mass: np.float32, stride: int,
) -> np.float32:  # fmt: skip
    """Complete the residual, write the preconditioner M and the first direction p; gives r·Mr."""
    gained = splat(np.float32(0))
    for v in range(0, stride, LANES):
        diagonal = add(load(D, v), splat(ridge))
        left = multiply_add(multiply(splat(-_ONE), diagonal), load(x, v), load(r, v))
        scale = divide(splat(_ONE), multiply_add(splat(mass), load(t, v), diagonal))
        z = multiply(scale, left)
        store(r, v, left)
        store(M, v, scale)
        store(p, v, z)
        gained = multiply_add(left, z, gained)
    rz: np.float32 = total(gained)
    return rz


@numba.njit(inline="always")
def _move(
    x: Floats, r: Floats, M: Floats, p: Floats, Ap: Floats, rz: np.float32, stride: int
) -> np.float32:
    """One step along p, whose image is Ap; writes the next direction and gives the next r·Mr."""
    curve = splat(np.float32(0))
    for v in range(0, stride, LANES):
        curve = multiply_add(load(Ap, v), load(p, v), curve)
    length = rz / total(curve)
    gained = splat(np.float32(0))
    for v in range(0, stride, LANES):
        store(x, v, multiply_add(splat(length), load(p, v), load(x, v)))
        left = multiply_add(splat(-length), load(Ap, v), load(r, v))
        store(r, v, left)
        gained = multiply_add(multiply(load(M, v), left), left, gained)
    now: np.float32 = total(gained)
    for v in range(0, stride, LANES):
        z = multiply(load(M, v), load(r, v))
        store(p, v, multiply_add(splat(now / rz), load(p, v), z))
    return now


@numba.njit(
    "void(int64[::1], int32[::1], float32[::1], float32, float32[::1], float32[::1], int64, "
    "float32[::1], float32[::1], float32[::1], float32[::1], float32[::1], int64, float32, "
    "int64, int64)",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def conjugate_gradient(
    ends: Ends,
    columns: Columns,
    weights: Floats,
    shift: np.float32,
    Y: Floats,
    X: Floats,
    stride: int,
    D: Floats,
    t: Floats,
    ridge: Floats,
    mass: Floats,
    losses: Floats,
    steps: int,
    tolerance: np.float32,
    first: int,
    last: int,
) -> None:
    """Take at most `steps` steps for each of the rows `first` to `last` of X.

    Parameters
    ----------
    ends, columns, weights : ndarray
        The entries by rows, as in a CSR matrix.
    shift : float32
        s.
    Y, X : ndarray of float32, flat
        The other side's rows and this side's, padded to `stride`, a multiple of 16.
    D, t : ndarray of shape (stride,), float32
        The diagonal that all rows share, and the mean of y².
    ridge, mass, losses : ndarray of shape (n,), float32
        ρ and q of each row; the loss of its entries before the first step is written to `losses`.
    steps : int
    tolerance : float32
        A row whose r·Mr is at most q times this is done.
    first, last : int
    """
    x, r = np.zeros(stride, dtype=np.float32), np.zeros(stride, dtype=np.float32)
    M, p = np.zeros(stride, dtype=np.float32), np.zeros(stride, dtype=np.float32)
    Ap = np.zeros(stride, dtype=np.float32)
    for u in range(first, last):
        start, end = ends[u], ends[u + 1]
        for v in range(0, stride, LANES):
            store(x, v, load(X, u * stride + v))
            store(r, v, splat(np.float32(0)))
        losses[u] = _residual(columns, weights, start, end, shift, Y, stride, x, r)
        rz = _begin(x, r, M, p, D, t, ridge[u], mass[u], stride)
        for _ in range(steps):
            if rz <= tolerance * mass[u]:
                break
            for v in range(0, stride, LANES):
                store(Ap, v, multiply(add(load(D, v), splat(ridge[u])), load(p, v)))
            _times(columns, weights, start, end, Y, stride, p, Ap)
            rz = _move(x, r, M, p, Ap, rz, stride)
        for v in range(0, stride, LANES):
            store(X, u * stride + v, load(x, v))
