"""`spaceport build ratings`: spaces of users and items."""

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

__all__ = ["ratings"]


@app.command(
    epilog="Example: spaceport build ratings ratings.csv --titles movies.csv --space movies"
)
def ratings(
    path: Annotated[
        Path,
        typer.Argument(help="Events: CSV, TSV, .dat, JSONL (each also .gz), or Parquet."),
    ],
    space: SpaceName,
    user: Annotated[
        str | None, typer.Option("--user", help="The column of users [default: by its name].")
    ] = None,
    item: Annotated[
        str | None, typer.Option("--item", help="The column of items [default: by its name].")
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            "--value",
            help="The column of ratings or counts [default: by its name; none: each event counts 1].",
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", help="The column of times [default: by its name].")
    ] = None,
    duplicates: Annotated[
        str,
        typer.Option(
            "--duplicates", help="Several events of one user and item: sum, last or error."
        ),
    ] = "sum",
    minimum: Annotated[
        float | None, typer.Option("--minimum", help="Leave out events with a smaller value.")
    ] = None,
    part: Annotated[str, typer.Option("--part", help="all, train or test.")] = "all",
    share: Annotated[float, typer.Option("--share", help="The test part's share.")] = 0.2,
    split: Annotated[
        str,
        typer.Option("--split", help="What is held out for the test part: random, time or last."),
    ] = "random",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random split.")] = 0,
    titles: Annotated[
        Path | None, typer.Option("--titles", help="A table with the items' names.")
    ] = None,
    title_id: Annotated[
        str | None,
        typer.Option("--title-id", help="Its column of item ids [default: by its name]."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", help="Its column of names [default: by its name].")
    ] = None,
    title_names: Annotated[
        str | None,
        typer.Option("--title-names", help="Its columns, by commas, where it has no header line."),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(
            "--names", help="The events' columns, by commas, where there is no header line."
        ),
    ] = None,
    skip_lines: Annotated[
        int, typer.Option("--skip-lines", min=0, help="Lines to leave out before the events.")
    ] = 0,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Between the fields [default: by the ending].")
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", help="csv, tsv, dat, jsonl or parquet [default: by the ending]."),
    ] = None,
    method: Method = "als",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Annotated[
        str, typer.Option("--metric", help="dot, cosine or euclidean; the scores are dot products.")
    ] = "dot",
    encoding: Encoding = "utf-8",
    refit: Refit = False,
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Learn users and items from ratings, plays or purchases."""
    from spaceport import sources

    source = sources.interactions(
        path, user=user, item=item, value=value, time=time, duplicates=duplicates, minimum=minimum,
        part=part, share=share, split=split, seed=seed, titles_from=titles, title_id=title_id,
        title=title, title_names=_listed(title_names), encoding=encoding, delimiter=delimiter,
        names=_listed(names), skip_lines=skip_lines, format=format,
    )  # fmt: skip
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store,
        catalog,
        space,
        encoder,
        source,
        as_json,
        metric=metric,
        refit=refit,
        bump=bump,
        dimensions=permit or (),
        wait=wait,
    )


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else names.split(",")
