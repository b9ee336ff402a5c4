"""`spaceport build audio`: spaces of sounds."""

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

__all__ = ["audio"]


@app.command(
    epilog="Example: spaceport build audio recordings.tar.gz --space digits --label digit "
    "--name-pattern '(?P<digit>\\d)_(?P<speaker>\\w+)_\\d+'"
)
def audio(
    path: Annotated[
        Path, typer.Argument(help="A folder, .tar[.gz], .zip, or Parquet file of WAV, FLAC, OGG.")
    ],
    space: SpaceName,
    column: Annotated[
        str | None, typer.Option("--column", help="The column with the sounds (Parquet).")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option("--id", help="The column with the ids (Parquet) [default: by content]."),
    ] = None,
    label: Label = None,
    name_pattern: Annotated[
        str | None,
        typer.Option(help="Regular expression; its named groups become metadata."),
    ] = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be read.")
    ] = False,
    method: Method = "logmel",
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
    """Embed the sounds of a folder, an archive or a Parquet column."""
    from spaceport import sources

    source = sources.audio(
        str(path),
        column=column,
        id=id,
        label=label,
        skip_unreadable=skip_unreadable,
        name_pattern=name_pattern,
    )
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, refit=refit, bump=bump, dimensions=permit or (), wait=wait,
    )  # fmt: skip
