"""`spaceport build table`, `vectors`: spaces of the rows of a table, and of vectors made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.building.base import (
    AsJson,
    Bump,
    Dimension,
    Encoding,
    Label,
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

__all__ = ["table", "vectors"]


@app.command(
    epilog="Example: spaceport build table adult.csv --label class --missing NA --space people"
)
def table(
    path: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL (each also .gz), or Parquet.")],
    space: SpaceName,
    id: Annotated[
        str | None,
        typer.Option("--id", help="The column with the ids [default: made from the row]."),
    ] = None,
    label: Label = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", help="The features [default: all but id and label]."),
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", help="Columns that are no features.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="Metadata columns to keep [default: all but the features]."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", help="A value that means missing, such as ? or NA."),
    ] = None,
    dates: Annotated[
        list[str] | None,
        typer.Option(
            "--date", metavar="COLUMN=FORMAT", help="The format of a column of dates, %d/%m/%Y."
        ),
    ] = None,
    keep_rows: Annotated[bool, typer.Option(help="Store the rows beside the vectors.")] = True,
    method: Method = "mixed",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Metric = "euclidean",
    encoding: Encoding = "utf-8",
    refit: Refit = False,
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Embed the rows of a table: numbers, categories, dates, texts and gaps."""
    from spaceport import sources

    source = sources.table(
        str(path),
        id=id,
        label=label,
        columns=columns or None,
        leave_out=leave_out or None,
        keep=keep or None,
        missing=missing or (),
        dates=_formats(dates or []) or None,
        encoding=encoding,
    )
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, keep_text=keep_rows, rows="items", refit=refit, bump=bump, dimensions=permit or (), wait=wait,
    )  # fmt: skip


@app.command(
    epilog="Example: spaceport build vectors images.lance --method 'pca(dimension=64)' --space small"
)
def vectors(
    path: Annotated[
        Path,
        typer.Argument(
            help="npy, npz, safetensors, Parquet, Arrow, a Lance dataset, or word vectors."
        ),
    ],
    space: SpaceName,
    ids: Annotated[
        Path | None, typer.Option("--ids", help="A text file with one id per line.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="The column or array with the vectors.")
    ] = None,
    label: Label = None,
    method: Method = "pca",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Metric = "euclidean",
    refit: Refit = False,
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Project vectors that were made elsewhere on fewer dimensions."""
    from spaceport import sources

    source = sources.vectors(
        str(path), ids=None if ids is None else str(ids), column=column, label=label
    )
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, rows="items", refit=refit, bump=bump, dimensions=permit or (), wait=wait,
    )  # fmt: skip


def _formats(told: list[str]) -> dict[str, list[str]]:
    """Formats by column, in the order told."""
    from spaceport.errors import ParameterError

    formats: dict[str, list[str]] = {}
    for text in told:
        column, sign, format = text.rpartition("=")
        if not sign or not column:
            raise ParameterError(
                f"`{text}` is not a date's format.", "Write --date column=%d/%m/%Y."
            )
        formats.setdefault(column, []).append(format)
    return formats
