"""A first pass over a table: what each column holds, in bounded memory, and the rule that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from spaceport.encoders._decomposition import decompose
from spaceport.encoders._rules import (
    Category,
    Date,
    Nothing,
    Number,
    Rule,
    Text,
    hashed_words,
    years_of,
)
from spaceport.encoders._sampling import Counts, Sample
from spaceport.encoders._tables import Columns, Double, dates_of, floats_of, kind_of, strings_of
from spaceport.errors import InputError, NotFoundError, ParameterError, choices

__all__ = ["KINDS", "Choices", "Survey", "check_kinds", "rules_of"]

KINDS = ("number", "category", "date", "text", "nothing")
_NUMBERS = 1 << 16
_TEXTS = 1 << 13
_POINTS = 257
_WORDS = 3


@dataclass(frozen=True)
class Choices:
    """The parameters that decide a column's rule; see `Mixed`."""

    maximum_categories: int
    minimum_count: int
    rarity: float
    scaling: str
    text_dimension: int
    kinds: dict[str, str]
    seed: int


@dataclass
class Survey:
    """What is known of one column so far."""

    column: str
    choices: Choices
    given: str = "nothing"
    rows: int = 0
    filled: int = 0
    words: int = 0
    clock: bool = False
    counts: Counts = field(default_factory=Counts)
    sample: Sample = field(init=False)
    sums: Double = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        self.sample = Sample(_NUMBERS, self.choices.seed)
        self._told = self.choices.kinds.get(self.column)

    def add(self, array: pa.Array) -> None:
        """Look at more of the column."""
        kind = kind_of(array.type, self.column)
        self.rows += len(array)
        if kind == "nothing":
            return
        if self.given not in ("nothing", kind):
            raise InputError(
                f"The column `{self.column}` holds {self.given} in one batch and {kind} in another.",
                "Give the column one type.",
            )
        if self.given == "nothing" and kind == "text":
            self.sample = Sample(_TEXTS, self.choices.seed)
        self.given = kind
        looks = {"number": self._numbers, "date": self._dates}
        (self._strings if self._told == "category" else looks.get(kind, self._strings))(array)

    def _numbers(self, array: pa.Array) -> None:
        numbers = floats_of(array, self.column)
        self._measure(numbers[~np.isnan(numbers)])

    def _dates(self, array: pa.Array) -> None:
        dates = dates_of(array)
        dates = dates[~np.isnat(dates)]
        self.clock |= bool((dates != dates.astype("datetime64[D]")).any())
        self._measure(years_of(dates))

    def _strings(self, array: pa.Array) -> None:
        values = [value for value in strings_of(array) if value is not None]
        self.filled += len(values)
        self.words += sum(map(_words, values))
        self.counts.add(values)
        self.sample.add(np.array(values, object))

    def _measure(self, numbers: Double) -> None:
        """Count, mean and sum of squared deviations, merged as in `geometry.moments`."""
        self.sample.add(numbers)
        self.filled += len(numbers)
        if not len(numbers):
            return
        (n, mean, squares), m = self.sums, len(numbers)
        apart = numbers.mean() - mean
        squares += ((numbers - numbers.mean()) ** 2).sum() + apart**2 * (n * m / (n + m))
        self.sums = np.array([n + m, mean + apart * (m / (n + m)), squares])

    def rule(self) -> Rule:
        """Give the rule that follows."""
        wanted = self._told or self._kind()
        if not self.filled:
            return Nothing(self.column, self.given, "empty")
        if wanted == "nothing":
            return Nothing(self.column, self.given, "to be skipped")
        able = {"number": ("number",), "date": ("date",), "text": ("text",)}
        if self.given not in able.get(wanted, ("text", "number", "truth")):
            raise ParameterError(
                f"The column `{self.column}` holds {self.given}, which cannot be treated as {wanted}.",
                "Choose another kind, or convert the column in the table.",
            )
        made: Rule = getattr(self, f"_as_{wanted}")()
        return made if made.labels else Nothing(self.column, self.given, "constant")

    def _kind(self) -> str:
        if self.given in ("number", "date", "nothing"):
            return self.given
        most = self.choices.maximum_categories
        many = len(self.counts.counts) > most or self.counts.taken_off > 0
        return "text" if many and self.words >= _WORDS * self.filled else "category"

    def _weight(self, rows: float) -> float:
        """share^-rarity of an indicator; 0 where no row has it."""
        return float((rows / self.rows) ** -self.choices.rarity) if rows > 0 else 0.0

    def _gap(self) -> float:
        return self._weight(self.rows - self.filled)

    def _spread(self) -> tuple[float, float]:
        n, mean, squares = self.sums
        deviation = float(np.sqrt(squares / n))
        return float(mean), deviation if deviation > 1e-12 * abs(mean) else 0.0

    def _as_number(self) -> Number:
        median = float(np.median(self.sample.values))
        center, deviation = self._spread()
        points: list[float] = []
        scores: list[float] = []
        if self.choices.scaling == "rank" and deviation:
            points, scores = _ranks(self.sample.values)
            spread = np.interp(self.sample.values, points, scores)
            center, deviation = float(spread.mean()), float(spread.std())
        gap = self._gap()
        return Number(self.column, self.given, median, center, deviation, gap, points, scores)

    def _as_date(self) -> Date:
        median, gap = float(np.median(self.sample.values)), self._gap()
        return Date(self.column, self.given, median, *self._spread(), self.clock, gap)

    def _as_category(self) -> Category:
        kept = self.counts.largest(self.choices.maximum_categories, self.choices.minimum_count)
        others = self.filled - sum(n for _, n in kept)
        gaps = self.rows - self.filled
        rows = [n for _, n in kept] + [n for n in (others, gaps) if n]
        if len(rows) < 2:  # all rows alike
            return Category(self.column, self.given, [], [], False, False)
        weights = [self._weight(n) for n in rows]
        values = [value for value, _ in kept]
        return Category(self.column, self.given, values, weights, others > 0, gaps > 0)

    def _as_text(self) -> Rule:
        texts = self.sample.values.tolist()
        frequency = np.bincount(hashed_words(texts, None).indices, minlength=1)
        idf = np.ones(hashed_words([], None).shape[1], np.float32)
        idf[: len(frequency)] += np.log((1 + len(texts)) / (1 + frequency)).astype(np.float32)
        words = hashed_words(texts, idf)
        if not words.nnz:
            return Nothing(self.column, self.given, "without words")
        many = min(self.choices.text_dimension, len(texts), int((frequency > 0).sum()))
        directions = decompose(words, many, self.choices.seed)[1]
        spread = float((words @ directions).std(axis=0).max())
        return Text(self.column, self.given, idf, directions / np.float32(spread or 1))


def check_kinds(kinds: Mapping[str, str] | None) -> None:
    """Check that `kinds` gives columns kinds that there are."""
    for column, kind in (kinds or {}).items():
        if kind not in KINDS:
            raise ParameterError(
                f"There is no kind of column `{kind}` (for `{column}`).", choices(str(kind), KINDS)
            )


def _words(text: str) -> int:
    return text.count(" ") + 1


def _ranks(sample: Double) -> tuple[list[float], list[float]]:
    """Some values of the sample and the normal score of each one's middle rank."""
    from scipy.special import ndtri

    ordered = np.sort(sample)
    points = np.unique(np.quantile(ordered, np.linspace(0, 1, _POINTS), method="nearest"))
    ranks = np.searchsorted(ordered, points) + np.searchsorted(ordered, points, "right")
    return points.tolist(), ndtri(ranks / (2 * len(ordered))).tolist()


def rules_of(batches: Iterable[Columns], choices: Choices) -> list[Rule]:
    """Survey all columns, and give each one's rule, in the order in which they come up."""
    found: dict[str, Survey] = {}
    for columns in batches:
        for name, array in columns.items():
            found.setdefault(name, Survey(name, choices)).add(array)
    _refuse_unknown(choices.kinds, list(found))
    return [survey.rule() for survey in found.values()]


def _refuse_unknown(kinds: dict[str, str], columns: list[str]) -> None:
    for column in kinds:
        if column not in columns:
            raise NotFoundError(
                f"`kinds` names a column `{column}`, which the table does not have.",
                choices(column, columns),
            )
