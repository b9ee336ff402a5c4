"""`promote`, `rollback`, `history`: what an alias stands for, and how it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say
from spaceport.errors import ParameterError, RefusedError

if TYPE_CHECKING:
    from spaceport.storage.store import Event

__all__ = ["add_to"]


def promote(
    space: Space,
    alias: Annotated[str, typer.Option("--as", help="The alias that is to name this version.")],
    note: Annotated[str, typer.Option("--note", help="Why; kept in the history.")] = "",
    override: Annotated[
        str | None,
        typer.Option("--override", help="Move it although consumers break: why. Kept for ever."),
    ] = None,
    run_commands: Annotated[
        bool | None,
        typer.Option(
            "--run-commands/--no-run-commands",
            help="Run the commands that consumers registered [default: SPACEPORT_RUN_COMMANDS].",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only replay and print; nothing is written down.")
    ] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Replay every consumer's task, then let an alias name a version; exit code 1 where one would break."""
    from spaceport.spaces.compatibility.gate import cut_over

    opened = open_store(store, catalog)
    found = opened.gate(space, alias, run_commands=run_commands)
    if not as_json and found.results:
        say(f"{found}\n")
    refused: RefusedError | None = None
    try:
        if not dry_run:
            cut_over(opened, found, note, override)
    except RefusedError as error:
        refused = error
    moved = not (dry_run or refused)
    if as_json:
        told = {"version": found.candidate, "alias": alias, "moved": moved, "passed": found.passed}
        emit([told | found.evidence()], True)
    elif moved:
        say(f"{found.candidate.partition('@')[0]}@{alias} is now {found.candidate}.")
    if refused:
        raise refused
    if dry_run and not found.passed:
        raise typer.Exit(1)


def rollback(
    space: Annotated[str, typer.Argument(help="The space.")],
    named: Annotated[str | None, typer.Argument(metavar="ALIAS", help="The alias.")] = None,
    alias: Annotated[str | None, typer.Option("--as", help="The alias.")] = None,
    note: Annotated[str, typer.Option("--note", help="Why; kept in the history.")] = "",
    store: StorePath = None,
    catalog: StoreCatalog = None,
) -> None:
    """Let an alias name again what it named before its last move; nothing is replayed."""
    told = {each for each in (named, alias) if each is not None}
    if len(told) != 1:
        raise ParameterError(
            f"One alias is to be rolled back. Got {len(told)}.",
            f"Write: spaceport rollback {space} --as production",
        )
    chosen = told.pop()
    version = open_store(store, catalog).rollback(space, chosen, note)
    say(f"{space}@{chosen} is {version.reference} again.")


def history(
    space: Annotated[str, typer.Argument(help="The space.")],
    alias: Annotated[str | None, typer.Option("--as", help="Only this alias's moves.")] = None,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List all that happened to a space, the oldest first: versions, moves, refusals, consumers, adapters."""
    events = open_store(store, catalog).history(space, alias)
    if as_json:
        emit([asdict(event) for event in events], True)
        return
    widths = {name: max(len(getattr(e, name)) for e in events) for name in _COLUMNS}
    for event in events:
        for line in _lines(event, widths):
            say(line)


_COLUMNS = ("at", "who", "action", "subject")


def _lines(event: Event, widths: Mapping[str, int]) -> Iterator[str]:
    head = "  ".join(getattr(event, name).ljust(width) for name, width in widths.items())
    yield f"{head}  {'; '.join(filter(None, (event.detail, event.note)))}"
    for found in event.evidence.get("consumers", []):
        told = f"{found['measure']} {found['baseline']:.3f}, {_scores(found)}: {found['verdict']}"
        yield f"    {found['consumer']}: {told}"


def _scores(found: Mapping[str, Any]) -> str:
    pairs = [(name, found[name]) for name in ("raw", "adapted") if found[name] is not None]
    return ", ".join(f"{name} {score['value']:.3f}" for name, score in pairs) or "not replayed"


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: spaceport promote words-en@1.0.0 --as production")(promote)
    app.command(epilog="Example: spaceport rollback words-en --as production")(rollback)
    app.command(epilog="Example: spaceport history words-en")(history)
