"""`spaceport build pairs`: one space for two languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.building.base import (
    AsJson,
    Bump,
    Dimension,
    Encoding,
    Method,
    Metric,
    Permit,
    Refit,
    Settings,
    SpaceName,
    StoreCatalog,
    StorePath,
    Wait,
    app,
    build,
    encoder_of,
    parameters,
)

__all__ = ["pairs"]


@app.command(epilog="Example: spaceport build pairs fra.txt --languages en,fr --space words-en-fr")
def pairs(
    path: Annotated[
        Path,
        typer.Argument(help="A pair a line with a tab between; or CSV, JSONL (also .gz), Parquet."),
    ],
    languages: Annotated[
        str,
        typer.Option("--languages", help="Short names of the two, as the columns stand: en,fr."),
    ],
    space: SpaceName,
    columns: Annotated[
        str | None,
        typer.Option("--columns", help="The two columns, where they are called otherwise."),
    ] = None,
    part: Annotated[
        str, typer.Option("--part", help="all, train, or test (every tenth pair).")
    ] = "all",
    skip_empty: Annotated[
        bool, typer.Option("--skip-empty", help="Leave out pairs with an empty side.")
    ] = False,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="A row for each pair, not for each word.")
    ] = False,
    method: Method = "bilingual",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Metric = "cosine",
    encoding: Encoding = "utf-8",
    refit: Refit = False,
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Learn one space for the words of two languages from pairs of sentences."""
    from spaceport import sources

    source = sources.pairs(
        str(path),
        languages=_names(languages),
        columns=None if columns is None else _names(columns),
        part=part,
        skip_empty=skip_empty,
        encoding=encoding,
    )
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    rows = "items" if sentences else "entities"
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, rows=rows, refit=refit, bump=bump, dimensions=permit or (), wait=wait,
    )  # fmt: skip


def _names(told: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in told.split(","))
