"""`spaceport build images`: spaces of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.building.base import (
    AsJson,
    Bump,
    Dimension,
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

__all__ = ["images"]


@app.command(epilog="Example: spaceport build images signs.tar.gz --label folder --space signs")
def images(
    path: Annotated[
        Path,
        typer.Argument(help="A folder, .tar[.gz], .zip, Parquet or IDX file of pictures."),
    ],
    space: SpaceName,
    column: Annotated[
        str | None, typer.Option("--column", help="The column with the pictures (Parquet).")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option("--id", help="The column with the ids (Parquet) [default: by content]."),
    ] = None,
    label: Label = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be read.")
    ] = False,
    thumbnail: Annotated[
        int, typer.Option(min=0, max=512, help="Longest side of the pictures on the map; 0: none.")
    ] = 48,
    method: Method = "pixels",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Metric = "cosine",
    refit: Refit = False,
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Embed the pictures of a folder, an archive or a Parquet column."""
    from spaceport import sources

    source = sources.images(
        str(path),
        column=column,
        id=id,
        label=label,
        skip_unreadable=skip_unreadable,
        thumbnail=thumbnail,
    )
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, refit=refit, bump=bump, dimensions=permit or (), wait=wait,
    )  # fmt: skip
