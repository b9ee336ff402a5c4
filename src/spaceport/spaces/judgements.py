"""Pairs of texts that people judged, as what ways of making vectors are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer
from spaceport.errors import InputError
from spaceport.quality.ranks import cosines
from spaceport.quality.selection import Standing, of_cosines
from spaceport.sources.base import Source
from spaceport.spaces.samples import Sample, draw
from spaceport.spaces.tasks import Task

__all__ = ["PairTask"]


class PairTask(Task):
    """Pairs of texts, and how alike people find the two of each; judged by the cosines' ranks.

    Parameters
    ----------
    source : Source
        Its contents are the first texts of the pairs.
    second, score : str
        Metadata columns: the second text, and the judgement, a number on any scale.
    test : Source, optional
        The second part, with the same columns; left out: `share` of the pairs of `source`.
    sample : int
        How many pairs to draw from each source at most.
    share : float
    seed : int

    Raises
    ------
    InputError
        Judgements that are no numbers, missing texts, or too few pairs.
    """

    def __init__(
        self,
        source: Source,
        second: str,
        score: str,
        test: Source | None = None,
        sample: int = 2000,
        share: float = 0.25,
        seed: int = 0,
    ) -> None:
        size = integer(sample, "sample", 1)
        drawn = draw(source, [second, score], size, seed, repeats=True)
        pairs, judged = _pairs(drawn, second, score)
        if test is None:
            chosen_on, held = _parts(len(pairs), share, seed)
            held_pairs = [pairs[row] for row in held]
            held_judged, judged = judged[held], judged[chosen_on]
            pairs = [pairs[row] for row in chosen_on]
        else:
            held_pairs, held_judged = _pairs(
                draw(test, [second, score], size, seed, repeats=True), second, score
            )
        self.items, self._places = _distinct(pairs)
        self.held, self._held_places = _distinct(held_pairs)
        self._judged, self._held_judged = judged, held_judged
        self._seed = seed
        self.name = f"Spearman with {score}"
        self.facts = {
            "pairs of the source": drawn.seen,
            "chosen on": len(judged),
            "confirmed on": len(held_judged),
        }

    def standings(self, vectors: Sequence[Matrix]) -> list[Standing]:
        """By the rank correlation of cosines and judgements."""
        return _correlated(vectors, self._places, self._judged, self._seed)

    def confirmed(self, vectors: Sequence[Matrix], held: Sequence[Matrix]) -> list[Standing]:
        """The same on the second part; nothing is learnt."""
        return _correlated(held, self._held_places, self._held_judged, self._seed)


def _correlated(
    vectors: Sequence[Matrix], places: npt.NDArray[Any], judged: npt.NDArray[Any], seed: int
) -> list[Standing]:
    first, second = places
    return of_cosines([cosines(X[first], X[second]) for X in vectors], judged, seed=seed)


def _pairs(
    drawn: Sample, second: str, score: str
) -> tuple[list[tuple[str, str]], npt.NDArray[np.float64]]:
    judged, others = drawn.columns[score], drawn.columns[second]
    wrong = [value for value in judged if isinstance(value, bool | str) or not _finite(value)]
    if wrong:
        raise InputError(
            f"{len(wrong):,} of {len(judged):,} values of `{score}` are no numbers; the first is {wrong[0]!r}.",
            "Name the column with the judgements, and leave out the pairs without one.",
        )
    bare = [row for row, text in enumerate(others) if not isinstance(text, str) or not text.strip()]
    if bare:
        raise InputError(
            f"{len(bare):,} of {len(others):,} pairs have no text in `{second}`.",
            "Name the column with the second text, and leave out the pairs without one.",
        )
    return list(zip(drawn.items, others, strict=True)), np.array(judged, np.float64)


def _finite(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))


def _parts(count: int, share: float, seed: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    held = round(share * count)
    if not 3 <= held <= count - 3:
        raise InputError(
            f"Of {count} pairs {held} would be held out.",
            "Give more pairs, or a share between 0 and 1 that leaves three on either side.",
        )
    order = generator(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def _distinct(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], npt.NDArray[Any]]:
    """Each text once, and the places of the pairs' two texts among them, (2, pairs)."""
    place: dict[str, int] = {}
    for pair in pairs:
        for text in pair:
            place.setdefault(text, len(place))
    places = np.array([[place[a], place[b]] for a, b in pairs]).T
    return list(place), places
