"""`score`: how well a space does its work."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say

if TYPE_CHECKING:
    from spaceport.sources.base import Source

__all__ = ["add_to"]


def score(
    space: Space,
    label: Annotated[
        str | None, typer.Option("--label", help="A metadata column to read off the vectors.")
    ] = None,
    analogies: Annotated[
        Path | None, typer.Option("--analogies", help="Questions, as in questions-words.txt.")
    ] = None,
    similarity: Annotated[
        Path | None, typer.Option("--similarity", help="Lines of two words and a judgement.")
    ] = None,
    interactions: Annotated[
        Path | None, typer.Option("--interactions", help="A file of events that were held out.")
    ] = None,
    part: Annotated[
        str, typer.Option("--part", help="Which part of the events: all, train or test.")
    ] = "all",
    user: Annotated[str | None, typer.Option("--user", help="The events' user column.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="The events' item column.")] = None,
    record: Annotated[bool, typer.Option(help="Keep the scores on the card, as a patch.")] = True,
    how: Annotated[bool, typer.Option("--how", help="Say how each was measured.")] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Score a version on tasks; the scores go on its card, which makes a patch."""
    from spaceport.spaces.card import to_text

    held_out = None if interactions is None else _events(interactions, part, user, item)
    version, facts = open_store(store, catalog).score(
        space,
        label=label,
        analogies=analogies,
        similarity=similarity,
        interactions=held_out,
        record=record,
    )
    if as_json:
        emit([{"version": version.reference, **asdict(fact)} for fact in facts], True)
        return
    say(to_text(facts, how=how))
    say(f"\non {version}")


def _events(path: Path, part: str, user: str | None, item: str | None) -> Source:
    from spaceport import sources

    found: Source = sources.interactions(str(path), user=user, item=item, part=part)
    return found


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Example: spaceport score papers --label venue")(score)
