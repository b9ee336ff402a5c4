"""How each kind of column becomes numbers; a rule is plain data, saved with the encoder.

==========  ====================================================================================
number      (x - mean) / σ; a missing one is the median; its own indicator says that it was missing
category    an indicator for each kept category, one for all others, one for missing
date        years, standardized; day of the year, day of the week and hour as points on circles
text        tf-idf of hashed words, projected on its main directions, the first of variance 1
nothing     no numbers: the column was empty, constant, or was to be skipped
==========  ====================================================================================

An indicator is share^-rarity, where it is not 0; the share is that of its rows. Taken as they are
(rarity 0) frequent categories have the largest variance; rarity 1/2 gives multiple correspondence
analysis, and with standardized numbers the factor analysis of mixed data: Pagès, J. (2004). Analyse
factorielle de données mixtes. Revue de statistique appliquée 52, section 2; Escofier, B. (1979).
Traitement simultané de variables qualitatives et quantitatives. Cahiers de l'analyse des données 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders._tables import Double, dates_of, floats_of, kind_of, strings_of
from spaceport.errors import InputError
from spaceport.tokens import Tokenizer

__all__ = ["RULES", "Category", "Date", "Nothing", "Number", "Rule", "Text", "hashed_words"]

BUCKETS = 4096
_FARTHEST = 1e6
_YEAR = 365.2425 * 86400e6  # microseconds
_DAY = 86400 * 10**6


@dataclass(frozen=True)
class Rule:
    """What is done with the column `column`, whose values were of the kind `given` when it was learnt."""

    column: str
    given: str
    name: ClassVar[str]

    @property
    def labels(self) -> list[str]:
        """What each number stands for, in order."""
        raise NotImplementedError

    def numbers(self, array: pa.Array) -> Double:
        """Turn n values of the right kind into numbers, (n, w)."""
        raise NotImplementedError

    def block(self, array: pa.Array) -> Matrix:
        """Turn n values into float32, (n, w), after a look at their kind."""
        self.refuse(array)
        return np.asarray(self.numbers(array), dtype=np.float32)

    def sparse(self, array: pa.Array) -> Any:
        """Give the same as a sparse array."""
        from scipy.sparse import csr_array

        return csr_array(self.block(array))

    def refuse(self, array: pa.Array) -> None:
        """Refuse values of another kind than those that the rule was learnt from."""
        got = kind_of(array.type, self.column)
        if got in (self.given, "nothing") or self.given == "nothing":
            return
        first = next(value for value in array.to_pylist() if value is not None)
        raise InputError(
            f"The column `{self.column}` was learnt from {_PLURAL[self.given]}; got {_PLURAL[got]}, "
            f"for example {first!r}.",
            "Give the column as it was in the table that was learnt from, None where it is missing.",
        )

    def told(self) -> dict[str, Any]:
        """Give the rule as plain data."""
        return {"rule": self.name, **asdict(self)}


@dataclass(frozen=True)
class Nothing(Rule):
    """No numbers at all, and why."""

    why: str
    name: ClassVar[str] = "nothing"

    @property
    def labels(self) -> list[str]:
        """None."""
        return []

    def numbers(self, array: pa.Array) -> Double:
        """Give n rows without columns."""
        return np.zeros((len(array), 0))


@dataclass(frozen=True)
class Number(Rule):
    """Standardize; with `points`, interpolate first between these values and their `scores`."""

    median: float
    center: float
    deviation: float
    missing: float
    points: list[float]
    scores: list[float]
    name: ClassVar[str] = "number"

    @property
    def labels(self) -> list[str]:
        """The column, and that it is missing."""
        gap = [f"{self.column} is missing"] * (self.missing > 0)
        return [self.column] * (self.deviation > 0) + gap

    def numbers(self, array: pa.Array) -> Double:
        """Give the standardized number and the missing indicator, as far as they vary."""
        x = floats_of(array, self.column)
        bare = np.isnan(x)
        x = np.where(bare, self.median, x)
        if self.points:
            x = np.interp(x, self.points, self.scores)
        parts = []
        if self.deviation > 0:
            parts.append(np.clip((x - self.center) / self.deviation, -_FARTHEST, _FARTHEST))
        if self.missing > 0:
            parts.append(bare * self.missing)
        return np.stack(parts, axis=1) if parts else np.zeros((len(x), 0))


@dataclass(frozen=True)
class Category(Rule):
    """An indicator for each of `values`, then for others and for missing as far as there were any.

    A category that was not kept, or never seen, is one of the others; where fitting met no others,
    and for a missing value where none was missing, no indicator is set.
    """

    values: list[str]
    weights: list[float]
    others: bool
    missing: bool
    name: ClassVar[str] = "category"

    @property
    def labels(self) -> list[str]:
        """Column and category."""
        kinds = [f"= {value}" for value in self.values]
        kinds += ["is another"] * self.others + ["is missing"] * self.missing
        return [f"{self.column} {kind}" for kind in kinds]

    def codes(self, array: pa.Array) -> npt.NDArray[np.int64]:
        """Which indicator each value sets, -1 for none; shape (n,)."""
        places = {value: place for place, value in enumerate(self.values)}
        other = len(places) if self.others else -1
        gap = len(self.weights) - 1 if self.missing else -1
        found = (gap if v is None else places.get(v, other) for v in strings_of(array))
        return np.fromiter(found, np.int64, len(array))

    def numbers(self, array: pa.Array) -> Double:
        """Give the weighted indicators."""
        codes = self.codes(array)
        numbers = np.zeros((len(codes), len(self.weights)))
        rows = np.flatnonzero(codes >= 0)
        numbers[rows, codes[rows]] = np.array(self.weights)[codes[rows]]
        return numbers

    def sparse(self, array: pa.Array) -> Any:
        """Give the same as a sparse array, at most one number a row."""
        from scipy.sparse import csr_array

        self.refuse(array)
        codes = self.codes(array)
        rows = np.flatnonzero(codes >= 0)
        weights = np.array(self.weights, np.float32)[codes[rows]]
        return csr_array((weights, (rows, codes[rows])), shape=(len(codes), len(self.weights)))


@dataclass(frozen=True)
class Date(Rule):
    """Standardized years, and circles whose two coordinates have variance 1 together."""

    median: float
    center: float
    deviation: float
    clock: bool
    missing: float
    name: ClassVar[str] = "date"

    @property
    def labels(self) -> list[str]:
        """Column and part of the date."""
        circles = ["day of year", "day of week", *(["hour"] if self.clock else [])]
        parts = [f"{way} of {circle}" for circle in circles for way in ("cosine", "sine")]
        parts = ["year"] * (self.deviation > 0) + parts + ["is missing"] * (self.missing > 0)
        return [f"{self.column} {part}" for part in parts]

    def numbers(self, array: pa.Array) -> Double:
        """Give years, circles and the missing indicator; a missing date is in no direction of a circle."""
        dates = dates_of(array)
        bare = np.isnat(dates)
        years = np.where(bare, self.median, years_of(dates))
        parts = [(years - self.center) / self.deviation] if self.deviation > 0 else []
        for turn in _turns(dates)[: 2 + self.clock]:
            angle = 2 * np.pi * np.where(bare, 0, turn)
            parts += [np.where(bare, 0, np.cos(angle)), np.where(bare, 0, np.sin(angle))]
        if self.missing > 0:
            parts.append(bare * self.missing)
        return np.stack(parts, axis=1)


@dataclass(frozen=True)
class Text(Rule):
    """Tf-idf of hashed words, rows of unit length, times directions of shape (buckets, t)."""

    idf: npt.NDArray[np.float32] = field(repr=False)
    directions: Matrix = field(repr=False)
    name: ClassVar[str] = "text"

    @property
    def labels(self) -> list[str]:
        """Column and direction."""
        return [f"{self.column} direction {k}" for k in range(1, self.directions.shape[1] + 1)]

    def numbers(self, array: pa.Array) -> Double:
        """Project the words; a missing text is the origin, like one without words."""
        words = hashed_words(strings_of(array), self.idf)
        return np.asarray(words @ self.directions, np.float64)

    def told(self) -> dict[str, Any]:
        """Give the rule as plain data; its arrays are saved apart."""
        return {"rule": self.name, "column": self.column, "given": self.given}


RULES: dict[str, type[Rule]] = {rule.name: rule for rule in (Nothing, Number, Category, Date, Text)}

_PLURAL = {
    "number": "numbers",
    "text": "text",
    "truth": "truth values",
    "date": "dates",
    "nothing": "nothing",
}


def years_of(dates: npt.NDArray[np.datetime64]) -> Double:
    """Years since 1970, with their fraction; what NaT gives is no date."""
    years: Double = dates.astype(np.int64) / _YEAR
    return years


def hashed_words(texts: Sequence[str | None], idf: npt.NDArray[np.float32] | None) -> Any:
    """Sparse (n, buckets) rows of unit length of (1 + ln count) idf; without `idf`, the counts."""
    from scipy.sparse import csr_array

    tokens = Tokenizer()
    counts = [Counter(crc32(w.encode()) % BUCKETS for w in tokens(text or "")) for text in texts]
    ends = np.cumsum([0, *map(len, counts)])
    places = np.array([place for count in counts for place in count], np.int32)
    times = np.array([n for count in counts for n in count.values()], np.float32)
    if idf is not None:
        times = (1 + np.log(times)) * idf[places]
        row = np.repeat(np.arange(len(counts)), np.diff(ends))
        times /= np.sqrt(np.bincount(row, times.astype(np.float64) ** 2, len(counts)))[row]
    return csr_array((times.astype(np.float32), places, ends), shape=(len(counts), BUCKETS))


def _turns(dates: npt.NDArray[np.datetime64]) -> list[Double]:
    """How far round the year, the week and the day each date is, in [0, 1)."""
    micros = dates.astype(np.int64)
    starts = dates.astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64)
    return [(micros - starts) / (366 * _DAY), (micros // _DAY + 3) % 7 / 7, micros % _DAY / _DAY]
