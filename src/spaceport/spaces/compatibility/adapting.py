"""`align`: learn how one version's vectors become another's, measure it, and publish it if it is good.

Plain rule: of the adapters tried, the one with the least freedom among those that keep as many neighbors
as the best. What it recovers of a full re-embedding is recall@10 on held-out items (`quality.recovery`).
Below the bar it is refused, unless it is forced; then it says so wherever it is used, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from spaceport.adapters.base import Adapter
from spaceport.arrays import integer, positive
from spaceport.errors import InputError, ParameterError
from spaceport.methods import make, names, parse
from spaceport.progress import track
from spaceport.spaces.compatibility.adapted import KIND, Published, adapters, find, published
from spaceport.spaces.compatibility.pairing import pair
from spaceport.spaces.compatibility.trial import PAIRS, Candidate, Trial, best, candidate, trial

if TYPE_CHECKING:
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["BAR", "Published", "adapters", "align", "find"]

BAR = 0.95
"""Share of recall@10 that an adapter must keep."""

Method: TypeAlias = "str | Adapter | Sequence[str | Adapter] | None"
Judge: TypeAlias = Callable[["Version", "Version", Adapter], Mapping[str, Any]]


def align(
    spaceport: Spaceport,
    of: str | Version,
    onto: str | Version,
    method: Method = None,
    bar: float = BAR,
    force: bool = False,
    pairs: int = PAIRS,
    seed: int = 0,
    wait: float = 0.0,
    judge: Judge | None = None,
) -> Published:
    """Learn, measure and publish an adapter; see `Spaceport.align`.

    Parameters
    ----------
    judge : callable, optional
        Takes both versions and the adapter, and gives what else is to be kept of it.
    """
    start, end = (each if not isinstance(each, str) else spaceport[each] for each in (of, onto))
    if not positive(bar, "bar", zero=True) <= 1:
        raise ParameterError(
            f"`bar` must be at most 1. Got {bar!r}.", "Give a share, such as 0.95."
        )
    if start.coordinates.agrees(end.coordinates):
        raise ParameterError(
            f"{start.reference} and {end.reference} have the same coordinates: nothing to adapt.",
            "Use the vectors of both together as they are.",
        )
    tried = _methods(method)
    on = trial(pair(end, start), integer(pairs, "pairs", 1), integer(seed, "seed", 0))
    candidates = [candidate(adapter, on) for adapter in track(tried, "adapters")]
    chosen = best(candidates, bar)
    if chosen.recall < bar and not force:
        raise _below(start, end, chosen, on, bar)
    facts = _facts(chosen, candidates, on, bar, seed)
    if judge is not None:
        facts["tasks"] = dict(judge(start, end, chosen.adapter))
    with spaceport.store.keeping(start.record.space, wait) as keeper:
        chosen.adapter.save(keeper.folder)
        name = chosen.adapter.name
        kept = keeper.keep(start.record, KIND, name, onto=end.record, facts=facts)
    return published(spaceport.store, kept)


def _methods(method: Method) -> list[Adapter]:
    """The adapters to try: those that were named, else every method as it is."""
    if method is None:
        return [make("adapters", name, {}) for name in names("adapters")]
    told = [method] if isinstance(method, str | Adapter) else list(method)
    return [parse("adapters", each) if isinstance(each, str) else each for each in told]


def _facts(
    chosen: Candidate, candidates: Sequence[Candidate], on: Trial, bar: float, seed: int
) -> dict[str, Any]:
    raw = on.raw()
    return {
        **chosen.facts(),
        **on.facts,
        "adapter_fingerprint": chosen.adapter.fingerprint,
        "metric": on.metric,
        "normalized": on.normalized,
        "raw_recall": None if raw is None else raw.recall,
        "raw_mrr": None if raw is None else raw.mrr,
        "raw_neighbors": None if raw is None else raw.neighbors,
        "bar": bar,
        "forced": chosen.recall < bar,
        "seed": seed,
        "candidates": [each.facts() for each in candidates],
    }


def _below(start: Version, end: Version, chosen: Candidate, on: Trial, bar: float) -> InputError:
    found, raw = chosen.found, on.raw()
    bare = "" if raw is None else f", {raw.recall:.3f} without an adapter"
    return InputError(
        f"No adapter tried leads from {start.reference} to {end.reference} well enough: "
        f"{chosen.adapter.spec} recovers {found.recall:.3f} of recall@10 ({found.recall_low:.3f} to "
        f"{found.recall_high:.3f}{bare}), and the bar is {bar:g}; {len(on.X):,} pairs, "
        f"{found.queries:,} items held out.",
        "Move what uses the old version to the new one, share more items, or publish it with --force, "
        "marked for ever.",
    )
