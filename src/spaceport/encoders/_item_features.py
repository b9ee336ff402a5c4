"""What is told of items as one sparse matrix: a rule for each column, learnt once and kept.

The rules are those of tables (`_rules`), but for text:

==================================  ================================================================
a column of                         becomes
==================================  ================================================================
text with `|` in one cell of        an indicator for each of the parts, a cell's k of them
twenty or more                      1 / √k each
free text                           tf-idf of its words, of unit length
==================================  ================================================================

Of either the 16,384 most frequent that stand in at least two items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.encoders._rules import RULES, Nothing, Rule
from spaceport.encoders._survey import Choices, Survey
from spaceport.encoders._tables import columns_of, kind_of, strings_of
from spaceport.errors import NotFoundError, choices
from spaceport.tokens import Tokenizer

__all__ = ["Bag", "ItemFeatures"]

_SEPARATOR = "|"
_SHARE = 0.05  # of the cells with a separator, from which the column holds several values
_MOST = 16_384
_LEAST = 2


@dataclass(frozen=True)
class Bag(Rule):
    """Several of `values` in one cell, words or what `separator` stands between; rows of unit length."""

    separator: str
    values: list[str]
    weights: list[float]
    name: ClassVar[str] = "bag"

    @classmethod
    def of(cls, column: str, array: pa.Array, separator: str) -> Rule:
        """Learn which values there are; a word's weight is 1 + ln((1 + n) / (1 + its items))."""
        cells = [_parts(cell, separator) for cell in strings_of(array)]
        counts = Counter(part for cell in cells for part in cell)
        frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
        kept = [(value, times) for value, times in frequent if times >= _LEAST]
        if not kept:
            return Nothing(column, "text", "nothing stands in two items")
        shares = np.log((1 + len(cells)) / (1 + np.array([times for _, times in kept])))
        weights = 1 + (shares if not separator else 0 * shares)
        return cls(column, "text", separator, [value for value, _ in kept], weights.tolist())

    @property
    def labels(self) -> list[str]:
        """Column and value."""
        return [f"{self.column} has {value}" for value in self.values]

    def sparse(self, array: pa.Array) -> Any:
        """Give n cells as a sparse array, (n, w), float32; a cell without a known value is zero."""
        from scipy.sparse import csr_array

        self.refuse(array)
        places = {value: place for place, value in enumerate(self.values)}
        cells = [
            sorted(places[part] for part in _parts(cell, self.separator) if part in places)
            for cell in strings_of(array)
        ]
        lengths = np.array([len(cell) for cell in cells], np.int64)
        columns = np.array([place for cell in cells for place in cell], np.int64)
        weights = np.array(self.weights)[columns]
        row = np.repeat(np.arange(len(cells)), lengths)
        weights /= np.sqrt(np.bincount(row, weights**2, len(cells)))[row]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        shape = (len(cells), len(places))
        return csr_array((weights.astype(np.float32), columns, ends), shape=shape)


class ItemFeatures:
    """The rules of the columns, and the matrix that they make of items' rows."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    @classmethod
    def learn(
        cls, table: pa.Table, names: Sequence[str] | None, kinds: Mapping[str, str], seed: int
    ) -> ItemFeatures:
        """Learn the rules of the columns `names` of a table, default all but ``item``.

        Raises
        ------
        NotFoundError
            No such column.
        InputError
            A column holds what there is no rule for.
        """
        known = [name for name in table.column_names if name != "item"]
        for name in (*(names or ()), *kinds):
            if name not in known:
                raise NotFoundError(f"The items have no column `{name}`.", choices(name, known))
        told = Choices(100, _LEAST, 0.0, "rank", 1, dict(kinds), seed)
        wanted = known if names is None else list(names)
        return cls([_rule(name, table.column(name).combine_chunks(), told) for name in wanted])

    @property
    def labels(self) -> list[str]:
        """What each column of the matrix stands for."""
        return [label for rule in self.rules for label in rule.labels]

    def sparse(self, rows: Any) -> Any:
        """Items' rows as a sparse array of shape (n, w), float32.

        Parameters
        ----------
        rows : Arrow array of structs, or sequence of n mappings
        """
        from scipy.sparse import csr_array, hstack

        rules = [rule for rule in self.rules if rule.labels]
        if not rules:
            return csr_array((len(rows), 0), dtype=np.float32)
        columns = columns_of(rows, [rule.column for rule in self.rules])
        parts = [rule.sparse(columns[rule.column]) for rule in rules]
        return hstack(parts, format="csr", dtype=np.float32)

    def of_items(self, items: Sequence[str], table: pa.Table) -> Any:
        """The features of `items`, (m, w), from a table with the column ``item``.

        An item that is not in the table is a row of gaps.
        """
        found = pc.index_in(pa.array(items, pa.string()), value_set=table.column("item").unique())
        return self.sparse(table.take(found).to_struct_array())

    def facts(self) -> dict[str, str]:
        """Each column's rule, and why a column has none."""
        return {
            rule.column: f"{rule.name} ({len(rule.labels)})"
            if rule.labels
            else getattr(rule, "why", "")
            for rule in self.rules
        }

    def told(self) -> list[dict[str, Any]]:
        """The rules as plain data."""
        return [rule.told() for rule in self.rules]

    @classmethod
    def restore(cls, told: list[dict[str, Any]]) -> ItemFeatures:
        """Take back what `told` gave."""
        known = RULES | {Bag.name: Bag}
        return cls([known[t["rule"]](**{k: v for k, v in t.items() if k != "rule"}) for t in told])


def _rule(name: str, array: pa.Array, told: Choices) -> Rule:
    kind = told.kinds.get(name)
    if kind is None and kind_of(array.type, name) == "text" and _several(array):
        return Bag.of(name, array, _SEPARATOR)
    survey = Survey(name, told)
    survey.add(array)
    rule = survey.rule()
    return Bag.of(name, array, "") if rule.name == "text" else rule


def _several(array: pa.Array) -> bool:
    """A column whose cells hold several values with a separator between them."""
    found = pc.sum(pc.match_substring(array.cast(pa.string()), _SEPARATOR)).as_py() or 0
    return bool(found >= _SHARE * max(len(array) - array.null_count, 1) and found)


def _parts(cell: str | None, separator: str) -> set[str]:
    if cell is None:
        return set()
    if separator:
        return {part.strip() for part in cell.split(separator)} - {""}
    return set(Tokenizer()(cell))
