"""What ways of making vectors are judged by: a label to be read off them, or pairs that people judged.

Each task has two parts. The choice is made on the first; the second is for the winner alone, since the
best of many scores is partly luck.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer
from spaceport.errors import InputError, ParameterError, choices
from spaceport.quality.probe import split
from spaceport.quality.selection import (
    PROBES,
    Standing,
    cosines,
    cross_validated,
    of_answers,
    of_cosines,
)
from spaceport.sources.base import Source
from spaceport.spaces.samples import Sample, draw

__all__ = ["LabelTask", "PairTask", "Task"]

FOLDS = 3
_LEAST = FOLDS + 1  # items of a class: one for each fold, and one held out


class Task(ABC):
    """What is judged, on which items.

    Attributes
    ----------
    name : str
        For people: what the score is.
    items, held : list
        The items whose vectors are wanted: of the part that the choice is made on, and of the part
        that it never sees.
    facts : dict
        How many items there are, and which were left out; JSON-able.
    """

    name: str
    items: list[Any]
    held: list[Any]
    facts: dict[str, Any]

    @abstractmethod
    def standings(self, vectors: Sequence[Matrix]) -> list[Standing]:
        """Score candidates, each by its vectors of the `items`."""

    @abstractmethod
    def confirmed(self, vectors: Sequence[Matrix], held: Sequence[Matrix]) -> list[Standing]:
        """Score candidates on the part that the choice never saw; they may learn from the `items`."""


class LabelTask(Task):
    """A label to be read off the vectors.

    On the first part by cross-validation in three folds; on the second by a probe that learnt from the
    whole first part.

    Parameters
    ----------
    source : Source
    label : str
        The metadata column.
    test : Source, optional
        The second part; left out: `share` of each class of `source`.
    score : {"linear", "neighbors"}
        The probe.
    sample : int
        How many items to draw from each source at most.
    share : float
    seed : int

    Raises
    ------
    InputError
        Fewer than two classes of four items, or labels that are measurements.
    """

    def __init__(
        self,
        source: Source,
        label: str,
        test: Source | None = None,
        score: str = "linear",
        sample: int = 2000,
        share: float = 0.25,
        seed: int = 0,
    ) -> None:
        if score not in PROBES:
            raise ParameterError(
                f"`score` must be one of {', '.join(PROBES)}. Got {score!r}.",
                choices(str(score), PROBES),
            )
        self.score, self._seed = score, seed
        size = integer(sample, "sample", 1)
        drawn = draw(source, [label], size, seed)
        told = [_class(value, label) for value in drawn.columns[label]]
        code = {name: place for place, name in enumerate(_classes(told, label, drawn))}
        known = [row for row, name in enumerate(told) if name in code]
        items = [drawn.items[row] for row in known]
        codes = np.array([code[told[row]] for row in known])
        if test is None:
            first, second = split(codes, share, seed)
            self.items, self.codes = [items[row] for row in first], codes[first]
            self.held, self.held_codes = [items[row] for row in second], codes[second]
        else:
            self.items, self.codes = items, codes
            self.held, self.held_codes = _held(test, label, code, size, seed)
        probe = "linear probe" if score == "linear" else "neighbors' vote"
        self.name = f"{probe} of {label}"
        self.facts = {
            "items of the source": drawn.seen,
            "with a content seen before": drawn.repeated,
            "without a label": told.count(None),
            "in classes of fewer than four": len(told) - told.count(None) - len(known),
            "classes": len(code),
            "chosen on": len(self.items),
            "confirmed on": len(self.held),
            "always the commonest class": float(
                (self.held_codes == np.bincount(self.codes).argmax()).mean()
            ),
        }

    def standings(self, vectors: Sequence[Matrix]) -> list[Standing]:
        """By the answers of probes that learnt from the other folds."""
        from spaceport.progress import track

        return of_answers(
            [
                cross_validated(X, self.codes, self.score, FOLDS, self._seed)
                for X in track(vectors, "scoring")
            ]
        )

    def confirmed(self, vectors: Sequence[Matrix], held: Sequence[Matrix]) -> list[Standing]:
        """By the answers of probes that learnt from the first part."""
        probe = PROBES[self.score]
        return of_answers(
            [
                probe(X, self.codes, Q) == self.held_codes
                for X, Q in zip(vectors, held, strict=True)
            ]
        )


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


def _class(value: Any, label: str) -> str | None:
    """A label as text; None where it is missing."""
    if value is None or value != value or value == "":
        return None
    if isinstance(value, float) and not value.is_integer():
        raise InputError(
            f"The column `{label}` holds measurements, for example {value!r}, and no classes.",
            "Divide them into classes, for example low, middle and high.",
        )
    return str(value)


def _classes(told: Sequence[str | None], label: str, drawn: Sample) -> list[str]:
    counts = Counter(name for name in told if name is not None)
    classes = sorted(name for name, times in counts.items() if times >= _LEAST)
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} classes of `{label}` have {_LEAST} items or more, of {len(counts)} classes "
            f"in {len(drawn.items):,} items.",
            "Two are needed: name another column, or draw more items (sample=).",
        )
    return classes


def _held(
    test: Source, label: str, code: dict[str, int], size: int, seed: int
) -> tuple[list[Any], npt.NDArray[Any]]:
    drawn = draw(test, [label], size, seed)
    told = [_class(value, label) for value in drawn.columns[label]]
    known = [row for row, name in enumerate(told) if name in code]
    if not known:
        raise InputError(
            f"No item of {test.spec} has a label that was learnt.", "Give a test of the same classes."
        )
    return [drawn.items[row] for row in known], np.array([code[str(told[row])] for row in known])


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
