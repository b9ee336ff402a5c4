"""`score`: how well a space does its work."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spaceport.cli.common import (
    AsJson,
    Space,
    StoreCatalog,
    StorePath,
    emit,
    open_store,
    parameters,
    say,
)

if TYPE_CHECKING:
    from spaceport.sources.base import Source
    from spaceport.spaces.version import Version

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
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="How to read the events: user=…, item=…"),
    ] = None,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="The events that `build ratings --part train` left out."),
    ] = False,
    record: Annotated[bool, typer.Option(help="Keep the scores on the card, as a patch.")] = True,
    how: Annotated[bool, typer.Option("--how", help="Say how each was measured.")] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Score a version on tasks; the scores go on its card, which makes a patch."""
    from spaceport.spaces.card import to_text

    opened = open_store(store, catalog)
    version, facts = opened.score(
        space,
        label=label,
        analogies=analogies,
        similarity=similarity,
        interactions=_events(opened[space], interactions, held_out, settings or []),
        record=record,
    )
    if as_json:
        emit([{"version": version.reference, **asdict(fact)} for fact in facts], True)
        return
    say(to_text(facts, how=how))
    say(f"\non {version}")


def _events(
    version: Version, path: Path | None, held_out: bool, settings: list[str]
) -> Source | None:
    from spaceport.methods import make
    from spaceport.spaces.scoring import held_out_source

    if held_out:
        return held_out_source(version)
    if path is None:
        return None
    found: Source = make("sources", "interactions", parameters(settings, path=str(path)))
    return found


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples: spaceport score papers --label venue; spaceport score movies --held-out"
    )(score)
