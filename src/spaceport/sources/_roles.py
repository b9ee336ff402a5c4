"""Which column of a table of events says who, what, how much and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spaceport.errors import NotFoundError, ParameterError, choices

__all__ = ["USUAL", "column_for", "needed_column", "simple"]

_ITEMS = ("item", "movie", "film", "artist", "song", "track", "album", "book", "product", "article")
_USERS = ("user", "customer", "visitor", "member", "reader", "account")

USUAL: Mapping[str, frozenset[str]] = {
    "user": frozenset([*_USERS, *(f"{name}id" for name in _USERS), "uid"]),
    "item": frozenset([*_ITEMS, *(f"{name}id" for name in _ITEMS), "iid", "isbn"]),
    "value": frozenset(
        [
            "value",
            "rating",
            "bookrating",
            "weight",
            "count",
            "plays",
            "playcount",
            "quantity",
            "stars",
        ]
    ),
    "time": frozenset(["time", "timestamp", "date", "datetime"]),
    "title_id": frozenset(["id", *_ITEMS, *(f"{name}id" for name in _ITEMS), "iid", "isbn"]),
    "title": frozenset(["title", "name", "movietitle", "booktitle", "artistname"]),
}
"""The usual names of a column by the part that it plays, as `simple` spells them."""


def simple(name: str) -> str:
    """The letters and digits of a column's name, in lower case.

    Examples
    --------
    >>> simple("user_id"), simple("userID"), simple("User-Id")
    ('userid', 'userid', 'userid')
    """
    return "".join(filter(str.isalnum, name.lower()))


def column_for(part: str, named: str | None, columns: Sequence[str], path: str) -> str | None:
    """The column that plays `part`: the one `named`, else the only one with a `USUAL` name.

    Raises
    ------
    NotFoundError
        No column is called `named`.
    ParameterError
        Several columns have a usual name.
    """
    if named is not None:
        if named not in columns:
            raise NotFoundError(f"{path} has no column `{named}`.", choices(named, columns))
        return named
    found = [name for name in columns if simple(name) in USUAL[part]]
    if len(found) > 1:
        raise ParameterError(
            f"{path} has {len(found)} columns that may hold the {part}: {', '.join(found)}.",
            f"Say which one: {part}={found[0]!r}.",
        )
    return found[0] if found else None


def needed_column(part: str, named: str | None, columns: Sequence[str], path: str) -> str:
    """As `column_for`, where there must be one.

    Raises
    ------
    NotFoundError
        No column has a usual name; the message lists the columns.
    """
    found = column_for(part, named, columns, path)
    if found is None:
        headless = any(name.replace(".", "").isdigit() for name in columns)
        remedy = (
            "If that is no header line, name the columns: names=['user', 'item', 'value']."
            if headless
            else f"Say which one: {part}=."
        )
        raise NotFoundError(
            f"{path} has no column with a usual name for the {part}; it has: {', '.join(columns)}.",
            remedy,
        )
    return found
