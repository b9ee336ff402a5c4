"""What the commands share: options, output for people and for machines."""

from __future__ import annotations

import ast
import json
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.errors import ParameterError

if TYPE_CHECKING:
    from spaceport.spaces.spaceport import Spaceport

__all__ = [
    "AsJson",
    "Space",
    "StoreCatalog",
    "StorePath",
    "emit",
    "open_store",
    "parameters",
    "say",
]

StorePath = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="SPACEPORT_STORE",
        help="The store's folder, or s3://bucket/prefix [default: ./spaceport-store].",
    ),
]
StoreCatalog = Annotated[
    str | None,
    typer.Option(
        "--catalog",
        envvar="SPACEPORT_CATALOG",
        help="SQLAlchemy URL of the catalog [default: SQLite].",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Space = Annotated[
    str, typer.Argument(help="A space or version: NAME, NAME@1, NAME@1.2.0 or NAME@alias.")
]


def open_store(path: str | None, catalog: str | None = None) -> Spaceport:
    """Open the store that the options name."""
    from spaceport.spaces.spaceport import open

    return open(path, catalog)


def say(text: str) -> None:
    """Print a line of result."""
    sys.stdout.write(text + "\n")


def emit(
    rows: Sequence[Mapping[str, Any]], as_json: bool, columns: Iterable[str] | None = None
) -> None:
    """Print rows: a table for people, a list of objects for machines."""
    if as_json:
        say(
            json.dumps(
                [dict(row) for row in rows], ensure_ascii=False, default=_plain, allow_nan=False
            )
        )
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = list(columns) if columns is not None else list(rows[0]) if rows else []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in shown:
        values = [row.get(name) for row in rows]
        numeric = bool(rows) and all(isinstance(value, int | float) for value in values)
        widest = max([len(name), *(len(_cell(value)) for value in values)])
        table.add_column(
            name,
            justify="right" if numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=min(widest, 24),
        )
    for row in rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in shown))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table)


def parameters(settings: Sequence[str], **named: Any) -> dict[str, Any]:
    """Join ``name=value`` settings with the named options that were given (not None).

    Examples
    --------
    >>> parameters(["window=8", "architecture=cbow"], dimension=100, epochs=None)
    {'dimension': 100, 'window': 8, 'architecture': 'cbow'}
    """
    chosen = {name: value for name, value in named.items() if value is not None}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name.isidentifier():
            raise ParameterError(f"`{setting}` is not a setting.", "Write --set name=value.")
        chosen[name] = _literal(value)
    return chosen


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _plain(value: Any) -> str:
    """What JSON lacks: bytes as base64, the rest as it is written."""
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return " ".join(str(value).split())
