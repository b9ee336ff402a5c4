"""The command `spaceport`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from spaceport import __version__
from spaceport.cli import (
    aligning,
    building,
    canaries,
    consumers,
    diffing,
    drifting,
    exchange,
    exporting,
    joining,
    layers,
    looking,
    mapping,
    migrating,
    promoting,
    recommending,
    scoring,
    storing,
    watching,
)
from spaceport.errors import SpaceportError

__all__ = ["app", "main"]

INTERRUPTED = 130
"""The exit code that Typer gives after Ctrl-C."""

app = typer.Typer(
    name="spaceport",
    help="Embeddings as versioned interfaces: compute, publish, search, map.",
    epilog="Example: spaceport build words wiki.txt.gz --space words-en && spaceport near words-en queen",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(building.app, name="build")
for group in (
    aligning,
    canaries,
    consumers,
    diffing,
    drifting,
    exchange,
    exporting,
    joining,
    layers,
    looking,
    mapping,
    migrating,
    promoting,
    recommending,
    scoring,
    storing,
    watching,
):
    group.add_to(app)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.")
    ] = False,
) -> None:
    if version:
        sys.stdout.write(f"spaceport {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line; errors made on purpose are two lines and exit code 1."""
    try:
        app()
    except SpaceportError as error:
        sys.stderr.write(f"spaceport: {error}\n")
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            sys.stderr.write("spaceport: Interrupted; nothing was published.\n")
            sys.stderr.write("Every published version is whole; run the command again to go on.\n")
        raise
