"""`map`: make a version visible."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import Space, StoreCatalog, StorePath, open_store, say

__all__ = ["add_to"]


def map_(
    space: Space,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="An .html page (self-contained) or a .png.")
    ],
    color: Annotated[
        str | None,
        typer.Option("--color", help="Metadata column to color by [default: the label]."),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method", help="A projection, or one with parameters: 'umap(neighbors=30)'."
        ),
    ] = "umap",
    store: StorePath = None,
    catalog: StoreCatalog = None,
) -> None:
    """Draw the map of a version."""
    version = open_store(store, catalog)[space]
    version.map(output, color=color, method=method)
    say(f"Wrote the map of {version} to {output} ({output.stat().st_size:,} bytes).")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("map", epilog="Example: spaceport map abstracts -o abstracts.html")(map_)
