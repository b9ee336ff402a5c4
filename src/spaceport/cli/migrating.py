"""`migrate`: change the model behind a space, planned and priced first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, StoreCatalog, StorePath, open_store, say

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.migration import Migration

__all__ = ["add_to"]


def migrate(
    space: Annotated[str, typer.Argument(help="The space.")],
    method: Annotated[
        str, typer.Option("--method", help="The new encoder: 'activations(minilm)'.")
    ],
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what it will encode, cost and touch.")
    ] = False,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="The version to start from [default: the alias's major, or the latest]."
        ),
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--as", help="The alias that is to name the new version.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            help="Where the items are, if the version keeps no contents: a path, or "
            '\'texts("news.csv", column="body", id="id")\'.',
        ),
    ] = None,
    price: Annotated[
        float | None, typer.Option("--price-per-million", help="The price of a million tokens.")
    ] = None,
    adapter: Annotated[
        bool, typer.Option(help="Learn an adapter back to the old coordinates.")
    ] = True,
    bar: Annotated[
        float, typer.Option("--bar", help="Share of recall@10 that the adapter must recover.")
    ] = 0.95,
    metric: Annotated[
        str | None, typer.Option("--metric", help="cosine, dot or euclidean [default: as it is].")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Why; kept in the history.")] = "",
    override: Annotated[
        str | None,
        typer.Option("--override", help="Move the alias although consumers break: why."),
    ] = None,
    run_commands: Annotated[
        bool | None,
        typer.Option(
            "--run-commands/--no-run-commands",
            help="Run the commands that consumers registered [default: SPACEPORT_RUN_COMMANDS].",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for another writer of the same space.")
    ] = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Build a version by another method beside the old one, align, replay, and move the alias at the end.

    A run that was cut off goes on where it was when the same command is given again.
    """
    from spaceport.spaces.compatibility.migration import finish, prepare
    from spaceport.spaces.compatibility.planning import order

    opened = open_store(store, catalog)
    if plan:
        planned = opened.plan_migration(
            space, method, source=source, start=start, alias=alias, price_per_million=price
        )
        say(json.dumps([planned.to_dict()], ensure_ascii=False) if as_json else str(planned))
        return
    done = prepare(
        opened, order(opened, space, method, source, start, alias), adapter=adapter, bar=bar,
        metric=metric, run_commands=run_commands, wait=wait,
    )  # fmt: skip
    if not as_json:
        say(str(done) if done.gate is None else f"{done}\n{done.gate}\n")
    finish(opened, done, note, override)
    if as_json:
        say(json.dumps([_told(done)], ensure_ascii=False))
    elif done.gate is not None:
        say(f"{space}@{alias} is now {done.version.reference}.")


def _told(done: Migration) -> dict[str, Any]:
    told = {
        "start": done.start.reference,
        "version": done.version.reference,
        "adapter": None if done.adapter is None else done.adapter.artifact.name,
        "learnt": list(done.learnt),
        "alias": None if done.gate is None else done.gate.alias,
    }
    return told if done.gate is None else told | done.gate.evidence()


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Example: spaceport migrate news --method 'activations(minilm)' --as production --plan"
    )(migrate)
