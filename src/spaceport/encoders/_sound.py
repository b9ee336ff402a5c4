"""Sound as numbers: one sampling rate, frames, and the energy in bands as wide as hearing has them.

::

    mel(f)  = 2595 log10(1 + f / 700)                                 hertz to mel
    P_tk    = |Σ_n w_n x_{th+n} exp(-2πi nk / K)|² / Σ_n w_n²         frame t, frequency k; w is Hann's
    E_tb    = ln(1e-10 + Σ_k W_bk P_tk)                               band b, Σ_k W_bk = 1
    c_tn    = (1 + L/2 sin(πn / L)) DCT-II(E_t)_n                     cepstral coefficients, n = 0, 1, …

O'Shaughnessy, D. (1987). Speech Communication, p. 150: the mel scale, as the HTK Book (Young et al.
2006, section 5.4) has it, with its triangles, equally spaced in mel. Davis, S. & Mermelstein, P.
(1980). Comparison of parametric representations for monosyllabic word recognition. IEEE TASSP 28:
the coefficients. Their weights, which even out the orders, are the HTK Book's (section 5.3) with its
L = 22 (more, where there are more coefficients); the DCT is orthonormal.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.sources._resampling import resampled

__all__ = ["FLOOR", "Frames", "cepstra", "log_mel", "mel_bank", "resampled"]

Double: TypeAlias = npt.NDArray[np.float64]

FLOOR = 1e-10
"""Added to each band's power; the noise of 16-bit quantization has 8e-11."""

_ROWS = 4096
_LIFTER = 22


class Frames:
    """How a recording is cut up: `length` and `hop` in samples; the transform has `size` points."""

    def __init__(self, rate: int, window: float, hop: float) -> None:
        self.length = max(2, round(window * rate))
        self.hop = max(1, round(hop * rate))
        self.size = 1 << (self.length - 1).bit_length()
        weights = np.sin(np.pi * np.arange(self.length) / self.length) ** 2
        self.weights: Double = weights / np.sqrt((weights**2).sum())

    def cut(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Frames (t, length) as a view, at least one; the last is filled up with zeros."""
        count = 1 + max(0, -(-(len(samples) - self.length) // self.hop))
        missing = self.length + (count - 1) * self.hop - len(samples)
        filled = np.pad(samples, (0, max(0, missing)))
        return np.lib.stride_tricks.sliding_window_view(filled, self.length)[:: self.hop][:count]


def mel_bank(bands: int, size: int, rate: int) -> Double:
    """Triangles from 0 to half the rate, equally spaced in mel, each row with the sum 1.

    Parameters
    ----------
    bands : int
    size : int
        Points of the Fourier transform.
    rate : int
        Hertz.

    Returns
    -------
    ndarray of shape (bands, size // 2 + 1), float64
        A row of zeros where a band is too narrow to hold a frequency of the transform.

    Examples
    --------
    >>> mel_bank(2, 8, 8000).round(2)
    array([[0.  , 1.  , 0.  , 0.  , 0.  ],
           [0.  , 0.19, 0.54, 0.27, 0.  ]])
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)  # hertz, (bands + 2,)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = np.arange(size // 2 + 1) * rate / size
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    weights = np.maximum(0, np.minimum(rising, falling))  # (bands, frequencies)
    sums = weights.sum(axis=1, keepdims=True)
    bank: Double = weights / np.where(sums > 0, sums, 1)
    return bank


def log_mel(samples: npt.NDArray[np.float32], frames: Frames, bank: Any) -> Double:
    """E: logarithms of the bands' power, (t, bands); `bank` is an ndarray or a sparse array."""
    cut = frames.cut(samples)
    parts: list[Any] = []
    for start in range(0, len(cut), _ROWS):
        windowed = cut[start : start + _ROWS] * frames.weights  # (t, length) float64
        power = np.abs(np.fft.rfft(windowed, frames.size)) ** 2  # (t, frequencies)
        parts.append(np.log(FLOOR + (bank @ power.T).T))
    return np.concatenate(parts)


def cepstra(energies: Double, coefficients: int) -> Double:
    """c: the first `coefficients` of the DCT-II over the bands, weighted, (t, coefficients)."""
    from scipy.fft import dct

    length = max(_LIFTER, coefficients)
    weights = 1 + length / 2 * np.sin(np.pi * np.arange(coefficients) / length)
    found: Double = dct(energies, axis=1, norm="ortho")[:, :coefficients] * weights
    return found
