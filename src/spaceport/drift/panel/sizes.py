"""Samples that are too small, told by what they could have shown."""

from __future__ import annotations

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError, ParameterError

__all__ = ["LEAST", "check_alpha", "check_sizes"]

LEAST = 8
_SURE = 3.05
"""Of a test with one degree of freedom at .05 found with power .8 and some over; more dimensions need less."""


def check_sizes(reference: Matrix, current: Matrix) -> None:
    """Refuse samples with fewer than eight rows; say what so few could have shown."""
    for name, sample in (("reference", reference), ("current", current)):
        if len(sample) < LEAST:
            raise InputError(
                f"`{name}` has {len(sample)} row{'s' * (len(sample) != 1)}: {could_show(reference, current)}.",
                f"Give at least {LEAST} rows, by a longer window for example; hundreds tell more.",
            )


def could_show(reference: Matrix, current: Matrix) -> str:
    """What samples of these sizes would show at best, four times in five, at .05."""
    n, m = len(reference), len(current)
    if not n or not m:
        return "nothing can be found"
    larger = reference if n >= m else current
    covariance = np.cov(larger, rowvar=False, dtype=np.float64) if len(larger) > 1 else np.eye(1)
    covariance = np.atleast_2d(covariance)
    total = float(np.trace(covariance))
    # of a mean in r effective dimensions the noise's length spreads by (1/n + 1/m) sd^2 sqrt(2 / r)
    effective = total**2 / max(float(np.square(covariance).sum()), 1e-300) if total else 1.0
    shift = _SURE * np.sqrt(1 / n + 1 / m) / max(effective, 1.0) ** 0.25
    share = min(1.0, _SURE / 2 * np.sqrt(1 / n + 1 / m))
    return (
        f"only a mean moved by about {shift:.1f} standard deviations, "
        f"or {share:.0%} of the items elsewhere, could be found"
    )


def check_alpha(alpha: float, permutations: int) -> None:
    """Refuse an alpha that is none, or that so few permutations can never reach."""
    if not 0 < alpha < 1:
        raise ParameterError(
            f"`alpha` must lie between 0 and 1. Got {alpha!r}.",
            "0.05 is one false alarm in twenty windows.",
        )
    if (permutations + 1) * alpha < 1:
        raise ParameterError(
            f"With {permutations} permutations no p-value is below {1 / (permutations + 1):.2g}: "
            f"alpha {alpha:g} is never reached.",
            f"Ask for {int(np.ceil(20 / alpha))} permutations or more.",
        )
