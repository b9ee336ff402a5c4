"""The verdict of several tests together: one calibrated p-value, how large, where, and what was in reach."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy.typing as npt

from spaceport.arrays import Matrix, positive
from spaceport.drift._joint import joint
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest, Evidence, p_value
from spaceport.drift.panel.detectable import detectable, local_level
from spaceport.drift.panel.effects import Effect, changed, mean_shift, variance, within_cells
from spaceport.drift.panel.given import Given, given
from spaceport.drift.panel.items import EACH, Tables, shown
from spaceport.drift.panel.localization import RATE, localize
from spaceport.drift.panel.moving import moved
from spaceport.drift.panel.sizes import check_alpha
from spaceport.drift.panel.verdict import Verdict
from spaceport.methods import parse

if TYPE_CHECKING:
    from spaceport.drift.sketches.sketch import Sketch

__all__ = ["PANEL", "Verdict", "compare", "explained", "judge"]

PANEL = ("centroid", "mmd", "cells")


def compare(
    reference: npt.ArrayLike | Sketch,
    current: npt.ArrayLike | Sketch,
    *,
    alpha: float = 0.05,
    tolerance: float | None = None,
    tests: Sequence[str] = PANEL,
    permutations: int = 999,
    seed: int = 0,
    metric: str = "euclidean",
    ids: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
    cells: Sequence[Matrix] | None = None,
    metadata: Tables = (None, None),
    items: int = EACH,
    rate: float = RATE,
    drop: bool = False,
) -> Verdict:
    """Tell whether `current` comes from where `reference` does; how large the drift is, and where.

    Parameters
    ----------
    reference : array-like of shape (n, d), or Sketch
    current : array-like of shape (m, d), or Sketch
        Both arrays, or both sketches. The order of the rows does not matter, but each row must be a draw
        of its own: thirty frames of one scene are not thirty rows.
    alpha : float
        The false-alarm rate: how often drift is told where there is none.
    tolerance : float, optional
        A share of the items: there is no alarm unless surely more than that has moved. A million rows
        show a shift that nobody needs to know of.
    tests : sequence of str
        The panel, each in its one-line form.
    permutations : int
        Random splits; 20 / alpha or more are advised.
    seed : int
        Of everything that is drawn.
    metric : {"euclidean", "cosine", "dot"}
        With ``cosine`` rows are brought to unit length first. Sketches have theirs.
    ids : (sequence of str or None, sequence of str or None)
        Of both samples; the rows' positions otherwise.
    cells : sequence of ndarray of shape (c, d), optional
        Centroids, coarse first: a version's own, so that cells have the names that everybody knows;
        otherwise cells of both samples' pool.
    metadata : (pyarrow.Table or None, pyarrow.Table or None)
        A row for each row; comes with the items that are shown.
    items : int
        How many old, new and novel items are shown of a cell.
    rate : float
        Which share of the named cells may be false.
    drop : bool
        Leave out rows with NaN or infinity, and count them.

    Raises
    ------
    InputError
        Too few rows (the message says what could have been found), NaN, other dimensions, all rows equal.
    MismatchError
        Vectors of two coordinate systems, or sketches of two bases.

    Notes
    -----
    Up to 16,384 rows are exchanged one by one; of a long reference beside a short window (or the
    reverse) a random part is; where both are long, blocks of rows.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> then, now = rng.standard_normal((400, 4)), rng.standard_normal((200, 4))
    >>> compare(then, now).drift
    False
    >>> verdict = compare(then, now + [1, 0, 0, 0], tolerance=0.05)
    >>> verdict.alarm, verdict.effect("mean").low > 0.1
    (True, True)
    """
    check_alpha(alpha, permutations)
    if tolerance is not None:
        positive(tolerance, "tolerance", zero=True)
    both = given(
        reference,
        current,
        permutations=permutations,
        seed=seed,
        metric=metric,
        ids=ids,
        cells=cells,
        drop=drop,
    )
    return explained(
        both,
        alpha,
        tests,
        tolerance=tolerance,
        metadata=metadata,
        items=items,
        rate=rate,
        seed=seed,
    )


def explained(
    both: Given,
    alpha: float = 0.05,
    tests: Sequence[str] = PANEL,
    *,
    tolerance: float | None = None,
    metadata: Tables = (None, None),
    items: int = EACH,
    rate: float = RATE,
    seed: int = 0,
) -> Verdict:
    """Let the panel look at what was made ready, and explain what it found; see `compare`."""
    pooled = both.pooled
    p, evidence, statistics = _joined(pooled, tests)
    where = shown(localize(pooled, rate), both, metadata, items, seed)
    level = local_level(statistics, alpha)
    return Verdict(
        p,
        alpha,
        evidence,
        both.counts,
        _effects(both, seed),
        detectable(pooled, level, variance(pooled), seed),
        tolerance,
        where,
        both.dropped,
    )


def judge(pooled: Pooled, alpha: float = 0.05, tests: Sequence[str] = PANEL) -> Verdict:
    """Let the panel look at what was pooled; nothing but the p-values."""
    p, evidence, _ = _joined(pooled, tests)
    return Verdict(p, alpha, evidence, pooled.splits.rows)


def _joined(
    pooled: Pooled, tests: Sequence[str]
) -> tuple[float, tuple[Evidence, ...], list[Double]]:
    members = _members(tuple(tests))
    for member in members:
        member.check(pooled)
    statistics = [member.statistics(pooled) for member in members]
    splits = pooled.splits
    evidence = tuple(
        Evidence(member.spec, float(found[0]), p_value(found), splits.rows, splits.permutations)
        for member, found in zip(members, statistics, strict=True)
    )
    return p_value(joint(statistics)), evidence, statistics


@lru_cache
def _members(tests: tuple[str, ...]) -> tuple[DriftTest, ...]:
    """Kept, since a monitor asks for the same at every window, and names are looked up in all packages."""
    return tuple(parse("drift", test) for test in tests)


def _effects(both: Given, seed: int) -> tuple[Effect, ...]:
    pooled, fine = both.pooled, len(both.pooled.basis.cells) - 1
    found = [
        moved(both.rows, both.current, pooled.basis, seed),
        changed(pooled, fine, seed),
        mean_shift(pooled),
        within_cells(pooled, fine),
    ]
    return tuple(effect for effect in found if effect is not None)
