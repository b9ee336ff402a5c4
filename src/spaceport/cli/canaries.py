"""`canaries`: a version's inputs for what runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import Space, StoreCatalog, StorePath, open_store, say

__all__ = ["add_to"]


def canaries(
    space: Space,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write: JSON lines, id and content.")
    ],
    store: StorePath = None,
    catalog: StoreCatalog = None,
) -> None:
    """Write a version's canaries, to be encoded where production does; `watch --canaries` takes the vectors."""
    from spaceport.monitoring.canary_files import write_canaries

    version = open_store(store, catalog)[space]
    count = write_canaries(version, output)
    say(f"Wrote {count} canaries of {version.reference} to {output}.")


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Example: spaceport canaries news@production -o canaries.jsonl")(canaries)
