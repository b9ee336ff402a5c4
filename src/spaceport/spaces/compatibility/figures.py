"""What was measured between two versions, as facts: a name, a value, a text, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from spaceport.errors import InputError
from spaceport.maps.page.curve import sparkline
from spaceport.quality import cka, instability
from spaceport.quality.overlap import interval
from spaceport.spaces.card import Fact

if TYPE_CHECKING:
    from spaceport.geometry.joint_moments import JointMoments
    from spaceport.quality.overlap import Overlap
    from spaceport.spaces.compatibility.neighborhoods import Neighborhoods
    from spaceport.spaces.compatibility.passing import Passed, Rows

__all__ = ["facts", "histogram"]

_ALL = "all shared items, in one pass"


def facts(passed: Passed, near: Neighborhoods | None) -> list[Fact]:
    """Everything that is measured on the shared items; what is not defined says so."""
    return [
        _moved(passed.rows, passed.moments.count),
        _mean(passed.moments),
        _lengths(passed.rows),
        *(_neighbors(near, passed.moments.count) if near else []),
        *_maps(passed.moments),
    ]


def histogram(overlap: Overlap) -> list[int]:
    """How many of the items asked keep 0, 1, … k of their neighbors."""
    kept = np.rint(overlap.each * overlap.k).astype(int)
    return [int(count) for count in np.bincount(kept, minlength=overlap.k + 1)]


def _moved(rows: Rows, count: int) -> Fact:
    how = f"|x - y| / max(|x|, |y|) above {rows.tolerance:g}; {_ALL}"
    value = {"count": rows.moved, "share": rows.moved / count}
    if not rows.digests[0] and not rows.largest:
        same = rows.moved == 0
        text = "0 of {:,}" if same else "{:,}: the dimensions differ"
        return Fact("moved", value, text.format(count), how)
    text = f"{rows.moved:,} of {count:,} ({rows.moved / count:.1%}), by {rows.largest:.3g} at most"
    return Fact("moved", value | {"largest": rows.largest}, text, how)


def _mean(moments: JointMoments) -> Fact:
    how = f"|mean y - mean x| / √(mean |x - mean x|²); {_ALL}"
    if moments.left.dimension != moments.right.dimension:
        return Fact("mean shift", None, "not defined: the dimensions differ", how)
    spread = float(np.sqrt(moments.spreads[0] / moments.count))
    if not spread:
        return Fact("mean shift", None, "not defined: the old vectors do not differ", how)
    shift = float(np.linalg.norm(moments.right.mean - moments.left.mean)) / spread
    return Fact("mean shift", shift, f"{shift:.3g} of the spread", how)


def _lengths(rows: Rows) -> Fact:
    sides = (rows.left, rows.right)
    value = [{"mean": s.mean, "low": s.low, "high": s.high, "zero": s.zero} for s in sides]
    text = " → ".join(f"{s.mean:.3g} ({s.low:.3g} to {s.high:.3g})" for s in sides)
    zeros = f", {rows.left.zero:,} → {rows.right.zero:,} rows of zeros"
    more = zeros if rows.left.zero or rows.right.zero else ""
    return Fact("lengths", value, text + more, f"mean, smallest and largest; {_ALL}")


def _neighbors(near: Neighborhoods, count: int) -> list[Fact]:
    overlap, k = near.overlap, near.overlap.k
    counts, asked = histogram(overlap), len(overlap.each)
    on = f"{asked:,} items{f' drawn with seed {near.seed}' if asked < count else ''}"
    chance = k / (count - 1)
    value = {
        "mean": overlap.mean, "low": overlap.low, "high": overlap.high, "k": k, "asked": asked,
        "among": count, "chance": chance, "histogram": counts,
        "deciles": [float(x) for x in np.quantile(overlap.each, np.linspace(0.1, 0.9, 9))],
    }  # fmt: skip
    text = (
        f"{_ranged(overlap.mean, overlap.low, overlap.high)}   0 {sparkline(counts)} {k} shared; "
        f"chance gives {chance:.2g}"
    )
    how = f"share of the {k} nearest that stay; {on}, exact search among {count:,} shared items"
    order = interval((near.second_order + 1) / 2, count)
    mean, low, high = (2 * x - 1 for x in order)
    second = {"mean": mean, "low": low, "high": high, "asked": asked}
    return [
        Fact(f"neighbors' overlap@{k}", value, text, how),
        Fact("second-order cosine", second, _ranged(mean, low, high),
             f"cosine of the similarities to old and new neighbors (Hamilton et al. 2016), k {k}; {on}"),
    ]  # fmt: skip


def _maps(moments: JointMoments) -> list[Fact]:
    procrustes = f"Σ |y - map(x)|² / Σ |y - mean|² of the best rotation of centered rows; {_ALL}"
    return [
        _defined("left by a rotation", lambda: moments.rotation(scaling=False).residual, procrustes),
        _defined("left by a rotation and a factor", lambda: moments.rotation().residual, procrustes),
        _defined("left by any linear map", moments.unexplained,
                 f"the same of least squares, adjusted for the numbers fitted; {_ALL}"),
        _defined("CKA, debiased", lambda: cka.of_moments(moments),
                 f"linear kernel, HSIC₁ (Song et al. 2012); {_ALL}"),
        _defined("eigenspace instability", lambda: instability.of_moments(moments),
                 f"Leszczynski et al. 2020, α 3, both versions as anchors; {_ALL}"),
    ]  # fmt: skip


def _defined(name: str, measure: Callable[[], float], how: str) -> Fact:
    try:
        value = measure()
    except InputError as error:
        return Fact(name, None, f"not defined: {error.what}", how)
    return Fact(name, value, f"{value:.3f}", how)


def _ranged(mean: float, low: float, high: float) -> str:
    return f"{mean:.3f}" if low == high else f"{mean:.3f} ({low:.3f} to {high:.3f})"
