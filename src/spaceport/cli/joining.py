"""`join`, `translate`: two languages in one space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say
from spaceport.errors import ParameterError

__all__ = ["add_to"]


def join(
    left: Annotated[str, typer.Argument(help="A space of words.")],
    right: Annotated[str, typer.Argument(help="Another, whose coordinates stay.")],
    dictionary: Annotated[
        Path, typer.Option("--dictionary", help="A left word, a tab and a right word a line.")
    ],
    languages: Annotated[
        str, typer.Option("--languages", help="Short names for left and right: en,fr.")
    ],
    space: Annotated[str, typer.Option("--space", help="The new space's name.")],
    refinements: Annotated[
        int, typer.Option("--refinements", min=0, help="Rounds that find more pairs by themselves.")
    ] = 5,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for another writer of the same space.")
    ] = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Lay a space of words onto another by a dictionary, and publish both as one space."""
    names = tuple(name.strip() for name in languages.split(","))
    version = open_store(store, catalog).join(
        space, left, right, dictionary, names, refinements=refinements, wait=wait
    )
    shown = ("training seeds known", "training residual", "source precision", "source held-out")
    facts = [fact for fact in version.card if fact.name.startswith(shown)]
    if as_json:
        told = {fact.name: fact.value for fact in facts}
        emit([{"version": version.reference, "rows": len(version), **told}], True)
        return
    say(f"Published {version}")
    for fact in facts:
        say(f"  {fact.name.partition(' ')[2]}: {fact.text}")


def translate(
    space: Space,
    text: Annotated[
        str, typer.Argument(help="en:cat, or a text after its language: 'en: the cat'.")
    ],
    to: Annotated[
        str | None, typer.Option("--to", help="The language to search in [default: the other one].")
    ] = None,
    k: Annotated[int, typer.Option("--count", "-k", min=1, help="How many to show.")] = 5,
    retrieval: Annotated[
        str, typer.Option("--retrieval", help="csls (without hubs) or cosine.")
    ] = "csls",
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show the words of another language that are nearest to a word or a text."""
    if ":" not in text:
        raise ParameterError(
            f"The text does not say its language: {text[:40]!r}.", "Write it like en:cat."
        )
    found = open_store(store, catalog)[space].translate(text, to, k, retrieval)
    emit(found.rows(), as_json, None if as_json else ["id", "similarity"])


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog="Example: spaceport join words-en words-fr --dictionary seed.tsv --languages en,fr --space words-en-fr"
    )(join)
    app.command(epilog="Example: spaceport translate words-en-fr en:cat --to fr")(translate)
