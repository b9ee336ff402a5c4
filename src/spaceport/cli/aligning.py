"""`align`: learn, measure and publish an adapter from one version's coordinates to another's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say
from spaceport.errors import ParameterError

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.adapted import Published

__all__ = ["add_to"]


def align(
    space: Space,
    onto: Annotated[
        str | None, typer.Option("--onto", help="The version whose coordinates are wanted.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="An adapter, or several to choose from [default: all]."),
    ] = None,
    bar: Annotated[
        float, typer.Option("--bar", help="Share of recall@10 that it must recover.")
    ] = 0.95,
    force: Annotated[
        bool, typer.Option("--force", help="Publish it below the bar, marked for ever.")
    ] = False,
    pairs: Annotated[
        int, typer.Option("--pairs", min=1, help="How many shared items to learn from at most.")
    ] = 50_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="For what is drawn.")] = 0,
    listed: Annotated[
        bool, typer.Option("--list", help="Only show the adapters that there are.")
    ] = False,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for another writer of the same space.")
    ] = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Publish an adapter that brings a version's vectors to another's coordinates."""
    opened = open_store(store, catalog)
    if listed:
        emit([_row(each) for each in opened.adapters(opened[space].record.space)], as_json)
        return
    if onto is None:
        raise ParameterError(
            "`--onto` is missing.",
            f"Say which coordinates are wanted: spaceport align {space} --onto {space.partition('@')[0]}@1",
        )
    made = opened.align(
        space, onto, method, bar=bar, force=force, pairs=pairs, seed=seed, wait=wait
    )
    if as_json:
        told = {"of": made.of.reference, "onto": made.onto.reference, **made.facts}
        say(json.dumps(told, ensure_ascii=False, allow_nan=False))
        return
    _tell(made)


def _tell(made: Published) -> None:
    facts = made.facts
    say(f"Published {made}\n")
    raw = {"adapter": "none", "recall@10": facts["raw_recall"], "MRR": facts["raw_mrr"]}
    raw |= {"neighbors@10": facts["raw_neighbors"]}
    rows = [_candidate(each) for each in facts["candidates"]]
    emit(rows if facts["raw_recall"] is None else [*rows, raw], False, [*rows[0]])
    say(
        f"\nLearnt from {facts['pairs']:,} of {facts['shared']:,} shared items; judged on "
        f"{facts['held_out']:,} others among {facts['index']:,} rows of {made.onto.reference}."
    )


def _candidate(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "adapter": told["spec"],
        "recall@10": told["recall"],
        "95 % interval": f"{told['recall_low']:.3f} to {told['recall_high']:.3f}",
        "MRR": told["mrr"],
        "neighbors@10": told["neighbors"],
        "fit seconds": told["fit seconds"],
    }


def _row(each: Published) -> dict[str, Any]:
    facts = each.facts
    return {
        "of": each.of.reference,
        "onto": each.onto.reference,
        "adapter": each.spec,
        "recall@10": each.recall,
        "MRR": facts["mrr"],
        "neighbors@10": facts["neighbors"],
        "pairs": facts["pairs"],
        "forced": f"below {facts['bar']:g}" if each.forced else "",
        "created": each.artifact.created,
    }


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: spaceport align news@2 --onto news@1")(align)
