"""`map`: make a version visible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import Space, StoreCatalog, StorePath, open_store, say

if TYPE_CHECKING:
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

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
    new: Annotated[
        Path | None,
        typer.Option(
            "--new", help="A file of new items: placed on the map, colored by how unusual they are."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", help="Of --new: the column of vectors, or of texts to encode."),
    ] = None,
    store: StorePath = None,
    catalog: StoreCatalog = None,
) -> None:
    """Draw the map of a version, with new items on it where --new names some."""
    opened = open_store(store, catalog)
    version = opened[space]
    added = {} if new is None else _read(opened, version, new, column)
    version.map(output, color=color, method=method, **added)
    say(f"Wrote the map of {version} to {output} ({output.stat().st_size:,} bytes).")


def _read(opened: Spaceport, version: Version, path: Path, column: str | None) -> dict[str, Any]:
    """New items out of a file: vectors, or texts that the version's encoder encodes."""
    import numpy as np

    from spaceport.monitoring.samples import check_coordinates, sample

    encoded_by = version if column is not None and version.encoder is not None else None
    there = sample(str(path), opened, column=column, encoded_by=encoded_by)
    check_coordinates(sample(version.reference, opened), there)
    parts = list(there.parts())
    told = _contents(path, column) if encoded_by is not None else [part.metadata for part in parts]
    known = [batch.column("text").to_pylist() for batch in told if "text" in batch.schema.names]
    return {
        "new": np.concatenate([part.vectors for part in parts]),
        "new_ids": [name for part in parts for name in part.ids],
        "new_texts": [text for texts in known for text in texts] or None,
    }


def _contents(path: Path, column: str | None) -> list[Any]:
    """The texts that were encoded, as record batches."""
    from spaceport import sources

    batches = sources.texts(path, column=column).batches()
    return [batch.select(["content"]).rename_columns(["text"]) for batch in batches]


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("map", epilog="Example: spaceport map abstracts -o abstracts.html")(map_)
