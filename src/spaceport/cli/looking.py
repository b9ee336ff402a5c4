"""`near`, `analogy`, `list`, `show`: look things up."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["add_to"]

Count = Annotated[int, typer.Option("--count", "-k", min=1, help="How many to show.")]


def near(
    space: Space,
    query: Annotated[
        str, typer.Argument(help="The id of an item, a text, a file, or a row as JSON.")
    ],
    k: Count = 10,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Metadata columns to show.")
    ] = None,
    through: Annotated[
        str | None,
        typer.Option("--through", help="The version whose encoder serves, by a published adapter."),
    ] = None,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show the items nearest to an item, a text, a picture, a sound or a row."""
    version = open_store(store, catalog)[space]
    shown = None if as_json else ["id", "similarity", *(columns or _short(version))]
    emit(version.nearest(query, k, through).rows(), as_json, shown)


def analogy(
    space: Space,
    a: Annotated[str, typer.Argument(help="king")],
    b: Annotated[str, typer.Argument(help="man")],
    c: Annotated[str, typer.Argument(help="woman")],
    k: Count = 10,
    method: Annotated[str, typer.Option("--method", help="3cosadd or 3cosmul.")] = "3cosadd",
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show what is to C as A is to B: A - B + C."""
    found = open_store(store, catalog)[space].analogy(a, c, minus=b, k=k, method=method)
    emit(found.rows(), as_json, None if as_json else ["id", "similarity"])


def list_(
    space: Annotated[str | None, typer.Argument(help="Show all versions of this space.")] = None,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List the spaces with their latest versions, or all versions of one space."""
    opened = open_store(store, catalog)
    versions = list(opened) if space is None else opened.versions(space)
    rows = [
        {
            "version": version.reference,
            "rows": len(version),
            "dimension": version.contract.dimension,
            "metric": version.contract.metric,
            "encoder": version.record.spec,
            "aliases": ", ".join(
                alias
                for alias, named in opened.aliases(version.record.space).items()
                if named == version.reference
            ),
            "created": version.record.created,
        }
        for version in versions
    ]
    emit(rows, as_json)


def show(
    space: Space,
    how: Annotated[bool, typer.Option("--how", help="Say how each fact was measured.")] = False,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", help="Draw how the training went, as .png or .svg."),
    ] = None,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Draw where it comes from instead of its card.")
    ] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show a version's card, or its lineage."""
    from spaceport.spaces.card import to_text

    version = open_store(store, catalog)[space]
    if curve is not None:
        version.draw_curve(curve)
    if as_json:
        told = {"version": version.reference, "contract": version.contract.to_dict()}
        told |= {"lineage": dict(version.record.lineage)}
        say(
            json.dumps(told | {"card": [asdict(fact) for fact in version.card]}, ensure_ascii=False)
        )
        return
    if lineage:
        say(version.lineage())
        return
    say(f"{version}\n")
    say(to_text(version.card, how=how))


def _short(version: Version) -> list[str]:
    """The columns that fit on a line: the label and two others; the text if there is no other."""
    names = [name for name in version.columns if name not in ("text", "thumbnail")]
    label = [version.label] if version.label else []
    return list(dict.fromkeys([*label, *names]))[:3] or version.columns[:1]


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: spaceport near words-en queen")(near)
    app.command(epilog="Example: spaceport analogy words-en king man woman")(analogy)
    app.command("list", epilog="Example: spaceport list words-en")(list_)
    app.command(epilog="Example: spaceport show words-en --how")(show)
