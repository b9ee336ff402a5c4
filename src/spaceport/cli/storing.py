"""`verify`, `gc`: look after a store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, StoreCatalog, StorePath, emit, open_store, say

__all__ = ["add_to"]


def verify(
    space: Annotated[
        str | None, typer.Argument(help="A version [default: every version of every space].")
    ] = None,
    canaries: Annotated[
        bool, typer.Option(help="Encode the canaries again, too (runs the encoder).")
    ] = True,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file of a version and encode its canaries again; exit code 1 if something is wrong."""
    opened = open_store(store, catalog)
    names = (
        [version.reference for each in opened for version in opened.versions(each.record.space)]
        if space is None
        else [opened[space].reference]
    )
    found = {name: opened.verified(name, canaries) for name in names}
    if as_json:
        emit([{"version": name, **asdict(told)} for name, told in found.items()], True)
    else:
        for name, told in found.items():
            whole = f"every file is whole; {told.canaries}"
            say(f"{name}: {'; '.join(told.problems) or whole}")
    if any(told.problems for told in found.values()):
        raise typer.Exit(1)


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Remove files that belong to no published version (what a crash leaves)."""
    removed = open_store(store, catalog).gc(dry_run=dry_run)
    if as_json:
        emit([{"path": file.path, "bytes": file.size} for file in removed], True)
        return
    verb = "Would remove" if dry_run else "Removed"
    say(f"{verb} {len(removed)} files, {sum(file.size for file in removed):,} bytes.")
    for file in removed:
        say(f"  {file.path}  {file.size:,}")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: spaceport verify words-en")(verify)
    app.command(epilog="Example: spaceport gc --dry-run")(gc)
