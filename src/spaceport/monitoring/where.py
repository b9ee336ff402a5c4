"""A condition on the rows of a table: ``year >= 2017 and venue == 'nips'``.

The text is parsed as Python would parse it and then read node by node; nothing of it is ever evaluated.
What may stand there: names of columns, literals, ``== != < <= > >=`` (chained too), ``in`` and ``not in``
a list of literals, ``is null`` and ``is not null``, ``and``, ``or``, ``not``, parentheses, and the bare
name of a column of truth values.

A comparison with a missing value is neither true nor false, and so is its ``not`` (three-valued logic, as
in SQL); rows are kept where the whole is true.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import NotFoundError, ParameterError, choices

__all__ = ["Where"]

Truth: TypeAlias = Any
"""An Arrow array of truth values, null where nobody knows."""

_LONGEST = 10_000
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("equal", "=="),
    ast.NotEq: ("not_equal", "!="),
    ast.Lt: ("less", "<"),
    ast.LtE: ("less_equal", "<="),
    ast.Gt: ("greater", ">"),
    ast.GtE: ("greater_equal", ">="),
}
_TURNED = {"less": "greater", "less_equal": "greater_equal"}
_TURNED |= {other: one for one, other in _TURNED.items()}
_NULLS = ("null", "None")


@dataclass(frozen=True)
class Where:
    """A condition that was read and can be asked of any table.

    Attributes
    ----------
    text : str
        As it was given.
    columns : tuple of str
        The columns that it speaks of, in the order of their names.

    Examples
    --------
    >>> rows = pa.table({"year": [2016, 2018, None], "venue": ["nips", "nips", "cvpr"]})
    >>> Where.parse("year >= 2017 and venue == 'nips'").mask(rows)
    array([False,  True, False])
    >>> Where.parse("year is null or not venue in ['nips', 'icml']").mask(rows)
    array([False, False,  True])
    >>> Where.parse("yaer > 2000").mask(rows)
    Traceback (most recent call last):
        ...
    spaceport.errors.NotFoundError: The condition 'yaer > 2000' names `yaer`, which is no column.
    Did you mean year? There are: venue, year.
    """

    text: str
    columns: tuple[str, ...]
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str) -> Where:
        """Read a condition.

        Raises
        ------
        ParameterError
            It is no condition, or holds what may not stand in one; the part is told.
        """
        tree = _parsed(text)
        _refuse_strange(tree, text)
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - {"null"}
        return cls(text, tuple(sorted(names)), tree)

    def mask(self, table: pa.Table | pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Tell which rows fulfil it, shape (n,).

        Raises
        ------
        NotFoundError
            A name that is no column.
        ParameterError
            A column that cannot be compared with what it is compared with; both are told.
        """
        known = table.schema.names
        for name in self.columns:
            if name not in known:
                raise NotFoundError(
                    f"The condition {self.text!r} names `{name}`, which is no column.",
                    choices(name, known),
                )
        found = _Reader(table, self.text).truth(self._tree)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        mask: npt.NDArray[np.bool_] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
        return mask


class _Reader:
    """Asks one table."""

    def __init__(self, table: pa.Table | pa.RecordBatch, text: str) -> None:
        self._table = table
        self._text = text

    def truth(self, node: ast.expr) -> Truth:
        """The rows where a part of the condition holds."""
        if isinstance(node, ast.BoolOp):
            join = pc.and_kleene if isinstance(node.op, ast.And) else pc.or_kleene
            return _joined([self.truth(value) for value in node.values], join)
        if isinstance(node, ast.UnaryOp):
            return pc.invert(self.truth(node.operand))
        if isinstance(node, ast.Compare):
            terms = [node.left, *node.comparators]
            parts = [
                self._compared(left, kind, right)
                for left, kind, right in zip(terms, node.ops, terms[1:], strict=False)
            ]
            return _joined(parts, pc.and_kleene)
        return self._bare(node)

    def _bare(self, node: ast.expr) -> Truth:
        if isinstance(node, ast.Name):
            column = self._column(node)
            if pa.types.is_boolean(column.type):
                return column
        raise ParameterError(
            f"The condition {self._text!r} has `{ast.unparse(node)}` where something that is true or "
            "false must stand.",
            "Compare it: year >= 2017.",
        )

    def _compared(self, left: ast.expr, kind: ast.cmpop, right: ast.expr) -> Truth:
        if isinstance(kind, ast.Is | ast.IsNot):
            missing = pc.is_null(self._column(left), nan_is_null=True)
            return missing if isinstance(kind, ast.Is) else pc.invert(missing)
        if isinstance(kind, ast.In | ast.NotIn):
            assert isinstance(right, ast.List | ast.Tuple | ast.Set)
            equal = [self._related(left, "equal", each) for each in right.elts]
            inside = _joined(equal, pc.or_kleene)
            return inside if isinstance(kind, ast.In) else pc.invert(inside)
        return self._related(left, _COMPARISONS[type(kind)][0], right)

    def _related(self, left: ast.expr, name: str, right: ast.expr) -> Truth:
        if not isinstance(left, ast.Name):
            left, right, name = right, left, _TURNED.get(name, name)
        column = self._column(left)
        other = self._column(right) if isinstance(right, ast.Name) else _value(right)
        try:
            return getattr(pc, name)(column, _fitting(other, column.type))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            what = column.type if isinstance(right, ast.Name) else ast.unparse(right)
            shown = other.type if isinstance(right, ast.Name) else what
            raise ParameterError(
                f"The column `{ast.unparse(left)}` holds {column.type}, which cannot be compared with "
                f"{shown}.",
                "Text stands in quotes, dates as text like '2017-01-31', numbers bare.",
            ) from error

    def _column(self, node: ast.expr) -> Any:
        assert isinstance(node, ast.Name)
        column = self._table.column(node.id)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return column


def _joined(parts: list[Truth], join: Callable[[Truth, Truth], Truth]) -> Truth:
    whole = parts[0]
    for part in parts[1:]:
        whole = join(whole, part)
    return whole


def _fitting(other: Any, kind: pa.DataType) -> Any:
    """What a column of this type is compared with; text is read as a date where the column holds dates."""
    if isinstance(other, pa.Array | pa.ChunkedArray):
        return other
    if pa.types.is_temporal(kind) and isinstance(other, str):
        zone = getattr(kind, "tz", None)
        moment = pa.scalar(other).cast(pa.timestamp("us"))
        return pc.assume_timezone(moment, "UTC") if zone else moment
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    fits = {str: texts, bool: pa.types.is_boolean(kind), int: numbers, float: numbers}
    if not fits.get(type(other), False) and not pa.types.is_null(kind):
        raise TypeError(type(other).__name__)
    return pa.scalar(other)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.UnaryOp):
        return operator.neg(_value(node.operand))
    assert isinstance(node, ast.Constant)
    return node.value


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ParameterError(
            f"The condition has {len(text):,} characters; {_LONGEST:,} are the most.", "Shorten it."
        )
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or "it is nested too deeply"
        raise ParameterError(
            f"The condition {_shown(text)} cannot be read: {reason}.",
            "Write it like: year >= 2017 and venue == 'nips' (== compares, text stands in quotes).",
        ) from error


def _refuse_strange(node: ast.expr, text: str) -> None:
    """Refuse everything that has no rule here."""
    try:
        _check(node)
    except (_StrangeError, RecursionError) as error:
        part = error.args[0] if isinstance(error, _StrangeError) else "too many nested parts"
        raise ParameterError(
            f"The condition {_shown(text)} has {part}.",
            "It may have columns, numbers, text in quotes, comparisons, in [...], is null, and, or, not.",
        ) from error


class _StrangeError(Exception):
    """A part that may not stand in a condition."""


def _check(node: ast.expr) -> None:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check(node.operand)
    elif isinstance(node, ast.Compare):
        terms = [node.left, *node.comparators]
        for left, kind, right in zip(terms, node.ops, terms[1:], strict=False):
            _check_pair(left, kind, right)
    elif not isinstance(node, ast.Name) or node.id in _NULLS:
        raise _StrangeError(f"`{ast.unparse(node)[:60]}` where a comparison must stand")


def _check_pair(left: ast.expr, kind: ast.cmpop, right: ast.expr) -> None:
    if isinstance(kind, ast.Is | ast.IsNot):
        _check_name(left)
        if ast.unparse(right) not in _NULLS:
            raise _StrangeError(f"`is {ast.unparse(right)[:60]}`")
    elif isinstance(kind, ast.In | ast.NotIn):
        _check_name(left)
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            raise _StrangeError(f"`in {ast.unparse(right)[:60]}`")
        for each in right.elts:
            _check_literal(each)
    else:
        sides = [side for side in (left, right) if not isinstance(side, ast.Name)]
        if len(sides) == 2:
            raise _StrangeError(f"no column in `{ast.unparse(left)[:30]}` and its comparison")
        for side in sides:
            _check_literal(side)
        for side in {left, right} - set(sides):
            _check_name(side)


def _check_name(node: ast.expr) -> None:
    if not isinstance(node, ast.Name) or node.id == "null":
        raise _StrangeError(f"`{ast.unparse(node)[:60]}` where the name of a column must stand")


def _check_literal(node: ast.expr) -> None:
    value = node.operand if isinstance(node, ast.UnaryOp) else node
    signed = value is not node
    if signed and not isinstance(getattr(node, "op", None), ast.USub):
        raise _StrangeError(f"`{ast.unparse(node)[:60]}`")
    kinds = (int, float) if signed else (str, int, float, bool)
    if not isinstance(value, ast.Constant) or type(value.value) not in kinds:
        hint = ", which `is null` finds" if ast.unparse(node) in _NULLS else ""
        raise _StrangeError(f"`{ast.unparse(node)[:60]}`{hint}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:96] + "…")
