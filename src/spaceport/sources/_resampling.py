"""Sound at another sampling rate."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

__all__ = ["resampled"]


def resampled(samples: npt.NDArray[np.float32], rate: int, wanted: int) -> npt.NDArray[np.float32]:
    """`samples` taken at `rate` hertz as they would be at `wanted`.

    A polyphase filter (`scipy.signal.resample_poly`): linear phase, a Kaiser window with β = 5 over
    twenty periods of the slower rate, cut off at half the slower rate.
    """
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    return np.asarray(resample_poly(samples, up, down, window=_low_pass(max(up, down))), np.float32)


@lru_cache(maxsize=4)
def _low_pass(factor: int) -> npt.NDArray[np.float64]:
    from scipy.signal import firwin

    return np.asarray(firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)))
