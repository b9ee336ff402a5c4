"""`import` and `export`: vectors from and to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say

__all__ = ["add_to"]


def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="npy, npz, safetensors, Parquet, Arrow, word2vec, GloVe or fastText .vec."
        ),
    ],
    space: Annotated[str, typer.Option("--space", help="The space's name.")],
    ids: Annotated[
        Path | None, typer.Option("--ids", help="A text file with one id per line.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="The column or array with the vectors.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="The format [default: found by content].")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric", help="cosine, dot or euclidean [default: the file's, else cosine]."
        ),
    ] = None,
    bump: Annotated[
        str | None,
        typer.Option("--bump", help="The least kind of version; major takes other coordinates."),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for another writer.")
    ] = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Publish vectors that another tool made."""
    from spaceport import sources

    source = sources.vectors(
        str(path), ids=None if ids is None else str(ids), column=column, format=format
    )
    metric = metric or (source.stamp.metric if source.stamp else "") or "cosine"
    opened = open_store(store, catalog)
    version, built = opened.built(space, None, source, metric=metric, bump=bump, wait=wait)
    if as_json:
        row = {"version": version.reference, "change": built.change.kind, "rows": len(version)}
        emit([row | {"reason": built.change.reason, "measured": built.measured}], True)
    elif built.change.kind == "none":
        say(f"Nothing changed: {version} stays.")
    else:
        say(f"Published {version} ({built.change.kind}: {built.change.reason})")
        for line in built.measured:
            say(f"  {line}")


def export(
    space: Space,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="word2vec, word2vec-text, glove, npy, npz, safetensors, parquet, arrow."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    store: StorePath = None,
    catalog: StoreCatalog = None,
) -> None:
    """Write a version's vectors for another tool."""
    version = open_store(store, catalog)[space]
    version.export(output, to)
    say(f"Wrote {version} to {output} ({output.stat().st_size:,} bytes).")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        "import", epilog="Example: spaceport import vectors.npy --ids ids.txt --space mine"
    )(import_)
    app.command(epilog="Example: spaceport export words-en@1 --to word2vec -o words.bin")(export)
