"""Users' histories: from Arrow lists to sparse matrices, and from values to weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError, ParameterError, choices
from spaceport.sources.base import HISTORY, Source

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["WEIGHTINGS", "check_weighting", "histories", "one_left_out", "read", "weigh"]

WEIGHTINGS = ("value", "log", "binary")


def check_weighting(weighting: object) -> None:
    """Raise unless `weighting` is one of `WEIGHTINGS`."""
    if weighting not in WEIGHTINGS:
        raise ParameterError(
            f"There is no weighting `{weighting}`.", choices(str(weighting), WEIGHTINGS)
        )


def weigh(matrix: csr_array, weighting: str, alpha: float = 1.0) -> csr_array:
    """Turn values v ≥ 0 (ratings, counts) into weights c ≥ 0, by a stated rule.

    ============  ==================
    ``"value"``   c = α v
    ``"log"``     c = α ln(1 + v)
    ``"binary"``  c = α if v > 0
    ============  ==================

    Parameters
    ----------
    matrix : scipy.sparse.csr_array of shape (n, m), float32
    weighting : {"value", "log", "binary"}
    alpha : float

    Returns
    -------
    scipy.sparse.csr_array of shape (n, m), float32
        It shares its places with `matrix`.
    """
    from scipy.sparse import csr_array

    values = matrix.data
    if weighting == "log":
        values = np.log1p(values)
    elif weighting == "binary":
        values = values > 0
    weights = values.astype(np.float32) * np.float32(alpha)
    return csr_array((weights, matrix.indices, matrix.indptr), shape=matrix.shape)


def read(source: Source) -> tuple[list[str], list[str], csr_array]:
    """Read all histories of a source.

    Returns
    -------
    users, items : list of str
        n and m ids, each in the order of appearance.
    matrix : scipy.sparse.csr_array of shape (n, m), float32

    Raises
    ------
    InputError
        Nothing but empty histories; values that are negative or no number (counted).
    """
    users: list[str] = []
    parts: list[Any] = []
    for batch in source.batches():
        users += batch.column("id").to_pylist()
        parts.append(batch.column("content"))
    lists = pa.chunked_array(parts, HISTORY).combine_chunks()
    items = pc.drop_null(pc.struct_field(lists.flatten(), "item").unique())
    if not len(items):
        raise InputError(
            f"{source.spec} has {len(users)} users, none with an item.",
            "Check which columns hold the users and the items.",
        )
    return users, items.to_pylist(), histories(lists, items)


def histories(lists: Sequence[Any] | pa.Array, items: pa.Array) -> csr_array:
    """Lay histories out as rows; an item that is not among `items` is left out.

    Parameters
    ----------
    lists : n lists of structs (`sources.base.HISTORY`), or plain Python values that make them
    items : Arrow array of m strings

    Returns
    -------
    scipy.sparse.csr_array of shape (n, m), float32
        Columns ascending in each row; an item that stands twice has the sum of its values.

    Examples
    --------
    >>> row = [{"item": "a", "value": 2}, {"item": "?", "value": 9}, {"item": "b", "value": 1}]
    >>> histories([row, []], pa.array(["b", "a"])).toarray()
    array([[1., 2.],
           [0., 0.]], dtype=float32)
    """
    from scipy.sparse import csr_array

    if isinstance(lists, pa.ChunkedArray):
        lists = lists.combine_chunks()
    column = lists if isinstance(lists, pa.Array) else pa.array(lists, HISTORY)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    events = column.flatten()
    places = pc.index_in(pc.struct_field(events, "item"), value_set=items)
    values = pc.struct_field(events, "value").to_numpy(zero_copy_only=False)
    _refuse_bad(values, events)
    known = pc.is_valid(places).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(column)), lengths)[known]
    kept = np.bincount(row, minlength=len(column))
    columns = pc.drop_null(places).to_numpy(zero_copy_only=False)
    matrix = csr_array(
        (values[known].astype(np.float32), columns, np.concatenate([[0], np.cumsum(kept)])),
        shape=(len(column), len(items)),
    )
    matrix.sum_duplicates()  # sorts the columns, too
    return matrix


def one_left_out(history: csr_array) -> csr_array:
    """From one history of e entries, e histories, each without one entry."""
    from scipy.sparse import csr_array

    entries = history.nnz
    kept = ~np.eye(entries, dtype=bool)
    columns = np.broadcast_to(history.indices, kept.shape)[kept]
    values = np.broadcast_to(history.data, kept.shape)[kept]
    ends = np.arange(entries + 1) * (entries - 1)
    return csr_array((values, columns, ends), shape=(entries, history.shape[1]))


def _refuse_bad(values: Any, events: pa.Array) -> None:
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        first = events[int(bad.argmax())].as_py()
        raise InputError(
            f"{int(bad.sum())} of {len(values)} values are negative or no number; "
            f"the first, {first['value']}, is of item {first['item']!r}.",
            "Give numbers from 0 upward; leave out what was disliked.",
        )
