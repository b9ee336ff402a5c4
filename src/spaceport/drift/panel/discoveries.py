"""Which of many hypotheses are rejected, so that few of those are false.

::

    q_(i) = min over j >= i of p_(j) C / j          Benjamini & Hochberg: reject where q <= rate

The expected share of false ones among the rejected is at most the rate where the p-values are independent
or positively dependent (Benjamini & Yekutieli 2001, Annals of Statistics 29, theorem 1.2). Those of cells
under shared splits are not independent: shares add up to one. By simulation the procedure holds for them
(`benchmarks/drift/localization.py`), and the factor that Benjamini & Yekutieli need for any dependence, 4.3
for 40 cells, would buy nothing.

Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. J. R. Stat. Soc. B 57, 289-300.
"""

from __future__ import annotations

import numpy as np

from spaceport.drift._pooled import Double

__all__ = ["adjusted"]


def adjusted(p: Double) -> Double:
    """The smallest rate at which each hypothesis is rejected, (C,).

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03, 0.5])).round(3)
    array([0.04 , 0.053, 0.053, 0.5  ])
    """
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    rates = np.empty_like(p)
    rates[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return rates
