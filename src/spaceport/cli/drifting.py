"""`drift`: whether two samples come from one source, how large the difference is, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, StoreCatalog, StorePath, emit, open_store, say
from spaceport.cli.watching import DRIFT

__all__ = ["add_to"]

SHOWN = 12
"""Cells that are printed."""


def drift(
    reference: Annotated[
        str,
        typer.Argument(help="How it was: a version, or a file of vectors (Parquet, Arrow, npy …)."),
    ],
    current: Annotated[
        str,
        typer.Argument(help="How it is now: a version, a file of vectors, or texts with --column."),
    ],
    where: Annotated[
        str | None, typer.Option("--where", help='Only these current rows: "year >= 2017".')
    ] = None,
    reference_where: Annotated[
        str | None, typer.Option("--reference-where", help="Only these rows of the reference.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column",
            help="The column of vectors; beside a version that encodes texts, of texts to encode.",
        ),
    ] = None,
    alpha: Annotated[
        float, typer.Option("--alpha", help="How often drift may be told where there is none.")
    ] = 0.05,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", help="The share of the items that may move, 0.05 say."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", help="A test of the panel; repeatable [centroid, mmd, cells]."),
    ] = None,
    permutations: Annotated[
        int, typer.Option("--permutations", min=1, help="Random splits.")
    ] = 999,
    metric: Annotated[
        str | None, typer.Option("--metric", help="cosine, dot or euclidean [the samples' own].")
    ] = None,
    in_sample: Annotated[
        bool,
        typer.Option("--in-sample", help="Compare with rows that the encoder learnt from, too."),
    ] = False,
    drop_broken: Annotated[
        bool, typer.Option("--drop-broken", help="Leave out rows with NaN, and count them.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write an .html page, or the picture as .png or .svg."),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option("--items", help="Write the items of the changed cells as Parquet."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="For what is drawn.")] = 0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Compare two samples; exit code 3 where there is drift (of practical size, given a tolerance)."""
    from spaceport.drift.panel.comparing import PANEL
    from spaceport.monitoring.drifting import drift as compare
    from spaceport.monitoring.samples import sample

    port = open_store(store, catalog)
    left = sample(reference, port, where=reference_where)
    right = sample(current, port, column=column, where=where, encoded_by=left.version)
    found = compare(
        left, right, alpha=alpha, tolerance=tolerance, tests=test or PANEL, permutations=permutations,
        seed=seed, metric=metric, drop=drop_broken, in_sample=in_sample,
    )  # fmt: skip
    if output is not None:
        from spaceport.monitoring.drawing import draw

        draw(found, output)
    if items is not None:
        found.write_items(items)
    if as_json:
        say(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        say(str(found))
        cells = found.cells()
        if cells:
            say("")
            emit(cells[:SHOWN], False)
        if len(cells) > SHOWN:
            say(f"… and {len(cells) - SHOWN} more; -o, --items and --json have them all.")
    if found.verdict.alarm:
        raise typer.Exit(DRIFT)


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog='Example: spaceport drift abstracts@1 new.parquet --where "year >= 2017" -o drift.html'
    )(drift)
