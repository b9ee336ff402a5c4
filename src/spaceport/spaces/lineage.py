"""Where a version comes from: source, encoder, parent, command, libraries; written once, drawn as a tree."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaceport.spaces.items import Spool
from spaceport.storage.clock import now

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.spaces.draft import Draft
    from spaceport.storage.store import Record

__all__ = ["command", "draw", "libraries", "of_draft", "of_patch"]

_LIBRARIES = ("spaceport", "numpy", "scikit-learn", "faiss-cpu", "pylance")


def of_draft(draft: Draft, fingerprint: str) -> dict[str, Any]:
    """The lineage of a version that is built: JSON-able.

    Keys: ``source`` (spec, sha256 over ids, contents and metadata, items, bytes, read: when),
    ``encoder`` (spec, fingerprint; None where the vectors came without one), ``parent`` (the version
    that it follows, or None), ``command``, ``libraries``.
    """
    order, spool = draft.order, draft.order.source
    source: dict[str, Any] = {
        "spec": spool.spec,
        "sha256": spool.sha256 if isinstance(spool, Spool) else draft.source_digest,
        "items": spool.rows if isinstance(spool, Spool) else None,
        "bytes": draft.content_bytes,
        "read": spool.when if isinstance(spool, Spool) else now(),
    }
    encoder = order.encoder
    told = None if encoder is None else {"spec": encoder.spec, "fingerprint": fingerprint}
    parent = None if draft.base is None else draft.base.reference
    return {
        "source": source,
        "encoder": told,
        "parent": parent,
        "command": command(sys.argv),
        "libraries": libraries(encoder),
    }


def of_patch(base: Record) -> dict[str, Any]:
    """The lineage of a version that has the vectors of `base` and another card."""
    kept = {name: base.lineage.get(name) for name in ("source", "encoder")}
    return kept | {
        "parent": base.reference,
        "command": command(sys.argv),
        "libraries": libraries(None),
    }


def command(argv: Sequence[str]) -> str:
    """What was typed, as one line that a shell takes; passwords in URLs are left out.

    Of a program other than `spaceport` only its name is told: its arguments are its own affair.

    Examples
    --------
    >>> command(["/usr/bin/spaceport", "gc", "--catalog", "postgresql://ann:secret@host/db"])
    'spaceport gc --catalog postgresql://ann:***@host/db'
    >>> command(["train.py", "--key", "secret"])
    'train.py'
    """
    program = Path(argv[0]).name if argv and argv[0] else "python"
    if program != "spaceport":
        return program
    return re.sub(r"(://[^/@:\s]+):[^@\s]*@", r"\1:***@", shlex.join([program, *argv[1:]]))


def libraries(encoder: Encoder | None) -> dict[str, str]:
    """Versions of Python, of what every build uses, and of what the encoder's numbers depend on."""
    names = dict.fromkeys([*_LIBRARIES, *(() if encoder is None else encoder.libraries)])
    return {"Python": platform.python_version(), **{name: version(name) for name in names}}


def draw(record: Record, known: Mapping[str, Record]) -> str:
    """A version with all it comes from, as a tree.

    Parameters
    ----------
    record : Record
        The version.
    known : mapping of str to Record
        The versions by their full name.
    """
    return "\n".join(_branch(record, known))


def _branch(record: Record, known: Mapping[str, Record]) -> Iterator[str]:
    reason = record.notes.get("reason", "")
    yield f"{record.reference}  {record.kind}{f': {reason}' if reason else ''}"
    above = known.get(record.lineage.get("parent") or "")
    parts = [*_leaves(record), *([] if above is None else [list(_branch(above, known))])]
    for place, (first, *rest) in enumerate(parts):
        last = place == len(parts) - 1
        yield f"{'└' if last else '├'}── {first}"
        yield from (f"{' ' if last else '│'}   {line}" for line in rest)


def _leaves(record: Record) -> list[list[str]]:
    """What stands under a version, a list of lines each."""
    published = f"published {record.created}{f' by {record.who}' if record.who else ''}"
    told = record.lineage
    if not told:
        return [[published], ["made by a release that wrote down no lineage"]]
    leaves = [[published]]
    source, encoder = told.get("source"), told.get("encoder")
    if source is not None:
        count = "" if source["items"] is None else f"{source['items']:,} items, "
        read = f"{count}{source['bytes']:,} bytes, read {source['read']}"
        leaves.append([f"source {source['spec']}", read, f"sha256 {source['sha256']}"])
    if encoder is not None:
        leaves.append([f"encoder {encoder['spec']}", f"fingerprint {encoder['fingerprint']}"])
    versions = ", ".join(f"{name} {number}" for name, number in told["libraries"].items())
    return [*leaves, [f"command {told['command']}"], [f"with {versions}"]]
