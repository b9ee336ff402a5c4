"""The gate: an alias moves to a version that every consumer can live with, or a person says why not.

The rule. A consumer's task is done with the candidate's vectors. It can live with the candidate

- *raw*, if the score is at most the tolerance below the baseline: its pin moves with the alias;
- *through the adapter*, if that holds of the vectors brought back to the coordinates it was registered on;
- else not at all, and the alias stays.

Only the difference of the two scores decides, so that the same numbers always give the same verdict. The
95 % interval beside it, paired by items, tells how much of it chance could be.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spaceport.errors import ParameterError, RefusedError
from spaceport.progress import track
from spaceport.spaces.compatibility.replaying import Result, replay
from spaceport.storage.aliases import last_standing
from spaceport.storage.names import check_alias, parse

if TYPE_CHECKING:
    from spaceport.quality.paired import Difference
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version
    from spaceport.storage.names import Number
    from spaceport.storage.store import Consumer

__all__ = ["Gate", "cut_over", "gate", "promote", "rollback"]


@dataclass(frozen=True)
class Gate:
    """What the replay of every consumer's task found.

    Attributes
    ----------
    candidate : str
        The version that is to be promoted.
    alias : str
    before : Number or None
        What the alias stood for when the replay began.
    results : tuple of Result
        One a consumer, by name.
    registered : frozenset of (str, int or None)
        The consumers that were replayed: name and task's artifact.
    """

    candidate: str
    alias: str
    before: Number | None
    results: tuple[Result, ...]
    registered: frozenset[tuple[str, int | None]]

    @property
    def passed(self) -> bool:
        """Every consumer can live with the candidate."""
        return not self.failing

    @property
    def failing(self) -> list[str]:
        """The consumers that cannot."""
        return [result.consumer for result in self.results if result.verdict == "fails"]

    @property
    def pins(self) -> dict[str, str]:
        """The pins that move with the alias: of consumers that live with the candidate raw."""
        number = parse(self.candidate).selector or ""
        return {
            result.consumer: pin
            for result in self.results
            if result.verdict == "raw" and (pin := _of_length(number, result.pin)) != result.pin
        }

    def rows(self) -> list[dict[str, Any]]:
        """The table that people look at."""
        return [
            {
                "consumer": result.consumer,
                "owner": result.owner,
                "pin": result.pin,
                "task": result.measure,
                "baseline": f"{result.baseline:.3f}",
                "raw": _shown(result.raw),
                "adapted": _shown(result.adapted),
                "anew": "–" if result.anew is None else f"{result.anew:.3f}",
                "verdict": _VERDICTS[result.verdict],
            }
            for result in self.results
        ]

    def evidence(self) -> dict[str, Any]:
        """Everything that was measured, as plain JSON-able values."""
        return {"consumers": [result.to_dict() for result in self.results]}

    def __str__(self) -> str:
        space = parse(self.candidate).space
        before = "nothing" if self.before is None else f"{space}@{self.before}"
        head = f"{space}@{self.alias}: from {before} to {self.candidate}"
        if not self.results:
            return f"{head}; there are no consumers"
        rows = self.rows()
        widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
        table = [
            "  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip()
            for row in [{name: name for name in widths}, *rows]
        ]
        notes = [f"{result.consumer}: {result.note}" for result in self.results if result.note]
        return "\n".join([head, *table, *notes])


_VERDICTS = {"raw": "passes", "adapter": "passes through the adapter", "fails": "FAILS"}


def gate(
    spaceport: Spaceport,
    reference: str,
    alias: str,
    run_commands: bool | None = None,
    anew: bool = True,
) -> Gate:
    """Replay every consumer of a version's space on that version; nothing is moved or written down.

    Raises
    ------
    ParameterError
        A consumer's task is a command, and nobody said that commands may be run.
    """
    check_alias(alias)
    candidate = spaceport[reference]
    space = candidate.record.space
    registered = spaceport.store.consumers(space)
    _check_commands(registered, run_commands)
    before = spaceport.store.aliases(space).get(alias)
    results = [
        replay(spaceport, consumer, candidate, anew) for consumer in track(registered, "replaying")
    ]
    return Gate(
        candidate=candidate.reference,
        alias=alias,
        before=None if before is None else before.number,
        results=tuple(results),
        registered=frozenset((consumer.name, consumer.artifact) for consumer in registered),
    )


def promote(
    spaceport: Spaceport,
    reference: str,
    alias: str,
    note: str = "",
    override: str | None = None,
    run_commands: bool | None = None,
) -> tuple[Version, Gate]:
    """Replay, then let the alias stand for the version, or refuse; see `Spaceport.promote`.

    Raises
    ------
    RefusedError
        A consumer cannot live with the version; that is written into the history.
    BusyError
        The alias was moved, or a consumer added or removed, while the tasks were replayed.
    """
    found = gate(spaceport, reference, alias, run_commands)
    return cut_over(spaceport, found, note, override), found


def cut_over(
    spaceport: Spaceport, found: Gate, note: str = "", override: str | None = None
) -> Version:
    """Move alias and pins in one transaction on what a replay found, or refuse."""
    if override is not None and not override.strip():
        raise ParameterError(
            "`override` must say why. Got nothing.", "The history keeps the reason for ever."
        )
    evidence, failing = found.evidence(), ", ".join(found.failing)
    if failing and override is None:
        why = f"{failing} would break"
        spaceport.store.refuse(
            found.candidate, found.alias, f"{note}; {why}".lstrip("; "), evidence
        )
        raise RefusedError(
            f"{parse(found.candidate).space}@{found.alias} stays: {found.candidate} would break {failing}.",
            f'{_remedy(found)} `--override "why"` moves it all the same.',
        )
    if failing:
        note = f"{note}; override of {failing}: {override}".lstrip("; ")
        evidence["override"] = override
    spaceport.store.promote(
        found.candidate,
        found.alias,
        note,
        evidence=evidence,
        expected=found.before,
        pins=found.pins,
        consumers=found.registered,
    )
    return spaceport[found.candidate]


def rollback(spaceport: Spaceport, space: str, alias: str, note: str = "") -> Version:
    """Undo the last promotion that holds, and the moves of pins that came with it."""
    undone = last_standing(spaceport.store.history(space, alias))
    moved = {
        result["consumer"]: (_of_length(str(undone.after), result["pin"]), result["pin"])
        for result in undone.evidence.get("consumers", ())
        if result["verdict"] == "raw"
    }
    pins = {
        consumer.name: moved[consumer.name][1]
        for consumer in spaceport.store.consumers(space)
        if consumer.name in moved and consumer.pin == moved[consumer.name][0]
    }
    spaceport.store.rollback(space, alias, note, pins)
    return spaceport[f"{space}@{alias}"]


def _check_commands(registered: Sequence[Consumer], run_commands: bool | None) -> None:
    """Run no command of a catalog, which others may write into, unless somebody said so."""
    allowed = run_commands
    if allowed is None:
        allowed = os.environ.get("SPACEPORT_RUN_COMMANDS") == "1"
    commands = [c for c in registered if c.task.get("kind") == "command"]
    if commands and not allowed:
        told = "; ".join(f"{c.name} of {c.owner}: {c.task.get('command')}" for c in commands)
        raise ParameterError(
            f"The tasks of some consumers are commands, which would run here: {told}.",
            "If you trust them, promote with --run-commands (run_commands=True), or set "
            "SPACEPORT_RUN_COMMANDS=1.",
        )


def _remedy(found: Gate) -> str:
    """An adapter where there is none yet; else the owners."""
    major = parse(found.candidate).prefix or ()
    bare = [
        result.on
        for result in found.results
        if result.verdict == "fails"
        and result.kind != "command"
        and result.adapter is None
        and (parse(result.on).prefix or ())[:1] != major[:1]
    ]
    owners = sorted({r.owner for r in found.results if r.verdict == "fails"})
    talk = f"Talk to {', '.join(owners)}."
    align = [f"`spaceport align {found.candidate} --onto {on}`" for on in sorted(set(bare))]
    return (
        f"Make an adapter ({', '.join(align)}), or talk to {', '.join(owners)}." if align else talk
    )


def _of_length(number: str, pin: str) -> str:
    """As many parts of a number as a pin has."""
    return ".".join(number.split(".")[: pin.count(".") + 1])


def _shown(found: Difference | None) -> str:
    if found is None:
        return "–"
    return f"{found.value:.3f} ({found.change:+.3f}, {found.low:+.3f} to {found.high:+.3f})"
