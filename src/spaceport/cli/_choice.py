"""What `layers` prints of a choice, for people and for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spaceport.cli.common import emit, say

if TYPE_CHECKING:
    from spaceport.spaces.choice import Choice, Row

__all__ = ["plain", "tell"]


def plain(choice: Choice, version: str | None) -> dict[str, Any]:
    """Everything that was found, for machines."""
    return {
        "model": choice.model,
        "task": choice.task,
        "encoder": choice.encoder.spec,
        "chosen": asdict(choice.best),
        "proof": [asdict(each) for each in choice.proof],
        "rows": [asdict(row) for row in choice.rows],
        "dimensions": [asdict(each) for each in choice.shorter],
        "facts": choice.facts,
        "version": version,
    }


def tell(choice: Choice) -> None:
    """The scores as a table, the shorter vectors, the proof, and how to use the choice."""
    facts = choice.facts
    say(f"{choice.task}, on {facts['chosen on']:,}\n")
    emit(_table(choice), False)
    half = (choice.best.high - choice.best.low) / 2
    say(f"\n* chosen   = not told apart from the highest   a score's interval is about ±{half:.3f}")
    if choice.shorter:
        say("")
        emit([_short(asdict(each)) for each in choice.shorter], False)
    say(f"\nOn {facts['confirmed on']:,} others, which the choice never saw:\n")
    emit(
        [
            {
                "what": each.what,
                "where": each.where,
                "pooling": each.pooling,
                "score": f"{each.score:.3f} ({each.low:.3f} to {each.high:.3f})",
                "gain": f"{each.gain:+.3f} ({each.gain_low:+.3f} to {each.gain_high:+.3f})",
            }
            for each in choice.proof
        ],
        False,
    )
    say(f'\nUse it: --method "{choice.encoder.spec}"')
    left = {k: v for k, v in facts.items() if k.startswith(("with", "in classes")) and v}
    for name, count in left.items():
        say(f"Left out: {count:,} {name}.")
    say(
        f"{facts['bytes of the vectors'] / 1e6:,.0f} MB of vectors, "
        f"{facts['seconds of encoding']:.1f} s of encoding, {facts['seconds of scoring']:.1f} s of scoring."
    )


def _table(choice: Choice) -> list[dict[str, Any]]:
    """A row for each layer or join, a column for each pooling."""
    rows: dict[str, dict[str, Any]] = {}
    for row in choice.rows:
        line = rows.setdefault(
            row.where,
            {
                "where": row.where,
                "dimension": row.dimension,
                "ms an item": f"{row.milliseconds:.2f}",
            },
        )
        line[row.pooling] = f"{row.score:.3f} {_mark(choice, row)}".rstrip()
    return list(rows.values())


def _mark(choice: Choice, row: Row) -> str:
    return "*" if row == choice.best else "=" if row.tied else ""


def _short(each: dict[str, Any]) -> dict[str, Any]:
    mark = "=" if each["tied"] else ""
    return {
        "dimension": each["dimension"],
        "how": each["how"],
        "score": f"{each['score']:.3f} {mark}".rstrip(),
    }
