"""`diff`: what changed between two versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, open_store, say

__all__ = ["add_to"]


def diff(
    old: Space,
    new: Space,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write an .html page, or the picture as .png or .svg."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", help="Metadata column to score probes on [default: the label]."),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="Items that are asked for their neighbors.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="For what is drawn.")] = 0,
    how: Annotated[bool, typer.Option("--how", help="Say how each figure was measured.")] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two versions: items, vectors, neighbors, encoder."""
    from spaceport.spaces.compatibility.diff import diff as compare

    opened = open_store(store, catalog)
    found = compare(opened[old], opened[new], label=label, sample=sample, seed=seed)
    if output is not None:
        found.write(output)
    say(found.to_json() if as_json else found.to_text(how))


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: spaceport diff news@1 news@2 -o diff.html")(diff)
