"""`recommend`, `similar`, `explain`: ask a space that was built from interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store
from spaceport.errors import ParameterError

if TYPE_CHECKING:
    from spaceport.spaces.recommending import History, Ranked
    from spaceport.spaces.version import Version

__all__ = ["add_to"]

Count = Annotated[int, typer.Option("--count", "-k", min=1, help="How many to show.")]
Items = Annotated[
    list[str] | None,
    typer.Option(
        "--history",
        help="Items (ids or titles, by commas or one an option) of someone the space does not know.",
    ),
]
Item = Annotated[str, typer.Argument(help="An item's id, or its title.")]


def recommend(
    space: Space,
    user: Annotated[str | None, typer.Argument(help="A user's id; or give --history.")] = None,
    history: Items = None,
    k: Count = 10,
    seen: Annotated[
        bool, typer.Option("--seen", help="Show also what the user has already.")
    ] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show what a user, or someone with a history, may like."""
    version = open_store(store, catalog)[space]
    _show(version.recommend(_who(version, user, history), k, exclude_seen=not seen), as_json)


def similar(
    space: Space,
    item: Item,
    k: Count = 10,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show the items that are liked by the same users as an item."""
    _show(open_store(store, catalog)[space].similar(item, k), as_json)


def explain(
    space: Space,
    user: Annotated[str, typer.Argument(help="A user's id.")],
    item: Item,
    k: Count = 10,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show which items of a user's history add most to the score of an item."""
    version = open_store(store, catalog)[space]
    _show(version.explain(user, item, k), as_json)


def _who(version: Version, user: str | None, history: list[str] | None) -> History:
    from spaceport.spaces.recommending import items_of

    if (user is None) == (history is None):
        raise ParameterError(
            "A user or a history must be given, not both.",
            "Write: spaceport recommend SPACE USER, or spaceport recommend SPACE --history a,b,c.",
        )
    if user is not None:
        return user
    return [item for text in history or () for item in items_of(version, text)]


def _show(found: Ranked, as_json: bool) -> None:
    """Titles last, and no column of them where no item has one."""
    named = ["title"] if any(found.titles) else []
    emit(found.rows(), as_json, None if as_json else ["id", found.what, *named])


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog="Examples: spaceport recommend movies 1 -k 5; "
        'spaceport recommend movies --history "Toy Story (1995)" --history 260,1196'
    )(recommend)
    app.command(epilog='Example: spaceport similar movies "Toy Story (1995)"')(similar)
    app.command(epilog='Example: spaceport explain movies 1 "Matrix, The (1999)"')(explain)
