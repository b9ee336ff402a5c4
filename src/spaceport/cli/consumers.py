"""`consumers` and `derived`: who uses a space, and what holds in its coordinates."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say

if TYPE_CHECKING:
    from spaceport.storage.store import Consumer

__all__ = ["add_to"]

app = typer.Typer(
    help="Register who uses a space, with a task that is replayed before an alias moves.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OfSpace = Annotated[str, typer.Argument(help="The space.")]
Name = Annotated[str, typer.Argument(help="The consumer.")]


@app.command(
    epilog="Example: spaceport consumers add news --name spam-filter --owner mail-team --pin 1 "
    "--task task.parquet --label spam --tolerance 0.01"
)
def add(
    space: OfSpace,
    name: Annotated[str, typer.Option("--name", help="What the use is called.")],
    pin: Annotated[
        str, typer.Option("--pin", help="The versions it can live with: 1, 1.2 or 1.2.0.")
    ],
    task: Annotated[
        Path | None,
        typer.Option("--task", help="Labeled items, or queries: a table, or a folder of files."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column to read off the vectors.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Who answers for it [default: you].")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="How much of the score may be lost.")
    ] = 0.01,
    column: Annotated[
        str | None, typer.Option("--column", help="The task's column with the content.")
    ] = None,
    by_id: Annotated[
        str | None,
        typer.Option("--by-id", help="The task's column with ids of the space's items instead."),
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(
            "--classifier",
            help="Weights of a linear classifier, safetensors or JSON [default: one is learnt].",
        ),
    ] = None,
    relevant: Annotated[
        str | None,
        typer.Option("--relevant", help="Of queries: the column with the id of an item to find."),
    ] = None,
    measure: Annotated[str, typer.Option("--measure", help="Of queries: ndcg or recall.")] = "ndcg",
    k: Annotated[int, typer.Option("-k", min=1, help="Of queries: how many are looked at.")] = 10,
    command: Annotated[
        str | None, typer.Option("--command", help="A program whose exit code decides; no shell.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds that the command may take.")
    ] = 600.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Register a consumer; its task is done at once on the version that it is pinned to."""
    arguments = None if command is None else shlex.split(command)
    if arguments and not as_json:
        say(f"Runs now and at each promotion: {json.dumps(arguments, ensure_ascii=False)}")
    made = open_store(store, catalog).add_consumer(
        space, name, task, pin=pin, owner=owner, tolerance=tolerance, label=label, column=column,
        by_id=by_id, classifier=classifier, relevant=relevant, measure=measure, k=k,
        command=arguments, timeout=timeout,
    )  # fmt: skip
    if as_json:
        emit([asdict(made)], True)
        return
    say(_line(made))


@app.command("list", epilog="Example: spaceport consumers list news")
def list_(
    space: OfSpace,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List the consumers of a space."""
    found = open_store(store, catalog).consumers(space)
    rows = [asdict(each) for each in found] if as_json else [_row(each) for each in found]
    if not rows and not as_json:
        say(f"{space} has no consumers.")
        return
    emit(rows, as_json)


@app.command(epilog="Example: spaceport consumers show news spam-filter")
def show(
    space: OfSpace,
    name: Name,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a consumer."""
    from spaceport.spaces.compatibility.consumers import find

    found = asdict(find(open_store(store, catalog), space, name))
    if as_json:
        emit([found], True)
        return
    told = {**found, **found.pop("task")}
    width = max(map(len, told))
    for key, value in told.items():
        if key != "task":
            say(f"{key:<{width}}  {value}")


@app.command(epilog="Example: spaceport consumers remove news spam-filter")
def remove(
    space: OfSpace, name: Name, store: StorePath = None, catalog: StoreCatalog = None
) -> None:
    """Let a consumer go; the history keeps that it was there."""
    open_store(store, catalog).remove_consumer(space, name)
    say(f"{name} is no consumer of {space} any more.")


def derived(
    space: Space,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List classifiers, centroids, thresholds and tasks that hold in a version's coordinates only."""
    opened = open_store(store, catalog)
    found = opened.derived(space)
    if as_json:
        emit([asdict(each) for each in found], True)
        return
    version = opened[space].reference
    emit(
        [
            {
                "kind": each.kind,
                "name": each.name,
                "of": each.of,
                f"fits {version}": "yes" if each.fits else "NO",
                "created": each.created,
                "who": each.who,
            }
            for each in found
        ],
        False,
    )


def _row(consumer: Consumer) -> dict[str, Any]:
    task = consumer.task
    return {
        "name": consumer.name,
        "owner": consumer.owner,
        "pin": consumer.pin,
        "task": task.get("measure"),
        "score": task.get("baseline"),
        "tolerance": consumer.tolerance,
        "on": task.get("on"),
        "created": consumer.created,
    }


def _line(consumer: Consumer) -> str:
    task = consumer.task
    score = f"{task['baseline']:.3f} ({task['low']:.3f} to {task['high']:.3f})"
    return (
        f"{consumer.name} of {consumer.owner}: {task['measure']} {score} on {task['on']}, "
        f"{task['scored']} scored; at most {consumer.tolerance:g} of it may be lost."
    )


def add_to(main: typer.Typer) -> None:
    """Add this file's commands."""
    main.add_typer(app, name="consumers")
    main.command(epilog="Example: spaceport derived news@2")(derived)
