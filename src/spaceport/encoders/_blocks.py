"""A table as one matrix: every column's numbers beside each other, by rules learnt in a first pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.encoders._rules import RULES, Rule, Text
from spaceport.encoders._survey import Choices, rules_of
from spaceport.encoders._tables import columns_of
from spaceport.encoders.base import State, contents
from spaceport.errors import InputError
from spaceport.sources.base import Source

__all__ = ["Blocks"]


class Blocks:
    """The rules of a table's columns, and the matrix that they make of its rows."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    @classmethod
    def learn(cls, source: Source, choices: Choices) -> Blocks:
        """Survey a source of tables.

        Raises
        ------
        InputError
            No column varies, or one holds what there is no rule for.
        """
        rules = rules_of((columns_of(contents(batch)) for batch in source.batches()), choices)
        if not any(rule.labels for rule in rules):
            raise InputError(
                f"None of the {len(rules)} columns varies: there is nothing to tell rows apart by.",
                "Give a column with at least two values in at least two rows.",
            )
        return cls(rules)

    @property
    def labels(self) -> list[str]:
        """What each column of the matrix stands for."""
        return [label for rule in self.rules for label in rule.labels]

    def dense(self, items: Any) -> Matrix:
        """Rows as float32, shape (n, w)."""
        columns = columns_of(items, self._names())
        return np.concatenate([rule.block(columns[rule.column]) for rule in self.rules], axis=1)

    def sparse(self, items: Any) -> Any:
        """Rows as a sparse float32 array, shape (n, w)."""
        from scipy.sparse import hstack

        columns = columns_of(items, self._names())
        parts = [rule.sparse(columns[rule.column]) for rule in self.rules if rule.labels]
        return hstack(parts, format="csr", dtype=np.float32)

    def batches(self, source: Source) -> Iterator[Matrix]:
        """Give the matrix of each batch of a source."""
        return (self.dense(contents(batch)) for batch in source.batches())

    def all_sparse(self, source: Source) -> Any:
        """Give the whole source as one sparse array."""
        from scipy.sparse import vstack

        return vstack([self.sparse(contents(b)) for b in source.batches()], format="csr")

    def facts(self) -> dict[str, Any]:
        """Give each column's rule, and why a column has none."""
        told = {rule.column: f"{rule.name} ({len(rule.labels)})" for rule in self.rules}
        return told | {r.column: getattr(r, "why", "") for r in self.rules if not r.labels}

    def state(self) -> State:
        """Give the rules as plain data, and the arrays of those for text."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for place, rule in enumerate(self.rules):
            if isinstance(rule, Text):
                arrays[f"text.{place}.idf"] = rule.idf
                arrays[f"text.{place}.directions"] = rule.directions
        return arrays, {"rules": [rule.told() for rule in self.rules]}

    @classmethod
    def restore(cls, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> Blocks:
        """Take back what `state` gave."""
        rules = []
        for place, told in enumerate(values["rules"]):
            parts = {key: value for key, value in told.items() if key != "rule"}
            if told["rule"] == Text.name:
                parts |= {key: arrays[f"text.{place}.{key}"] for key in ("idf", "directions")}
            rules.append(RULES[told["rule"]](**parts))
        return cls(rules)

    def _names(self) -> list[str]:
        return [rule.column for rule in self.rules]
