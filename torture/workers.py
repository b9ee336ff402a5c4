"""What the workers do, over and over; each step is told to the journal before it is taken."""

from __future__ import annotations

import random
import secrets
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spaceport.errors import BusyError, NotFoundError
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, open_store
from torture.contents import SCHEMA, batches
from torture.journal import IDLE, Journal
from torture.reading import look
from torture.watching import events, open_monitor

__all__ = ["WORKS", "Post", "run"]

SHARED, QUIET, BUILT, MOVED = "news", "quiet", "built", "moved"
LIVE = "live"
ALIASES = ("production", "staging")
WAIT = 300.0
PAUSE = 0.6  # so that whoever looks after the store keeps up with it


@dataclass
class Post:
    """Where a worker stands.

    Attributes
    ----------
    root, catalog : str
        The store.
    journal : Journal
    rng : random.Random
    stop : Path
        When this file is there, the worker ends.
    """

    root: str
    catalog: str | None
    journal: Journal
    rng: random.Random
    stop: Path

    @property
    def store(self) -> Store:
        """The store, opened anew, as another program would."""
        return open_store(self.root, self.catalog)


def publish(post: Post, space: str = SHARED) -> None:
    """Publish a major, minor or patch."""
    journal, token = post.journal, secrets.token_hex(8)
    journal.say("waiting")
    with post.store.writing(space, wait=WAIT) as writer:
        journal.say("writing vectors")
        latest = writer.latest
        change = post.rng.choice(("major", "minor", "minor", "patch")) if latest else "major"
        (writer.folder / "card.json").write_text(f'{{"token": "{token}"}}')
        (writer.folder / "cells.bin").write_bytes(post.rng.randbytes(20_000))
        if latest is None or change == "major":
            base, number = None, Number(latest.number.major + 1 if latest else 1)
            writer.create_vectors(SCHEMA, batches(token))
        else:
            base, number = latest.reference, latest.number.bump(change)
            if change == "minor":
                writer.extend_vectors(latest, [], batches(token))
            else:
                writer.keep_vectors(latest)
        told = {"token": token, "change": change, "base": base}
        journal.say("publishing", reference=f"{space}@{number}", **told)
        writer.publish(number, contract={}, fingerprint="f" * 64, notes={"token": token})
        journal.say("published", reference=f"{space}@{number}", token=token)


def publish_quietly(post: Post) -> None:
    """Publish where nobody else does, so that `gc` finds the space free."""
    publish(post, QUIET)
    time.sleep(0.1)


def build(post: Post) -> None:
    """Build texts: planned, encoded, measured, with card, cells and graph."""
    import spaceport as sp

    texts = [f"text {word} of many" for word in post.rng.sample(range(200), 40)]
    path = post.journal.path.with_suffix(".txt")
    path.write_text("\n".join(texts) + "\n")
    dimension = post.rng.choice((16, 16, 16, 24))
    post.journal.say("building")
    encoder, source = (
        sp.encoders.hashing(dimension=dimension),
        sp.sources.texts(path, format="lines"),
    )
    version = sp.open(post.root, post.catalog).build(BUILT, encoder, source, wait=WAIT)
    post.journal.say("published", reference=version.reference, rows=len(texts))


def migrate(post: Post) -> None:
    """Change the model behind a space, there and back again: build, align, replay, cut over."""
    import spaceport as sp

    store, note = sp.open(post.root, post.catalog), secrets.token_hex(8)
    post.journal.say("migrating", note=note)
    if MOVED not in store.store.spaces():
        texts = post.journal.path.with_suffix(".txt")
        texts.write_text("\n".join(f"text {word} of many" for word in range(60)) + "\n")
        store.build(
            MOVED, sp.encoders.hashing(dimension=16), sp.sources.texts(texts, format="lines")
        )
    if LIVE not in store.store.aliases(MOVED):
        version = store.promote(MOVED, LIVE, note)
    else:
        other = 40 - store.store.aliases(MOVED)[LIVE].dimension  # 16 and 24 by turns
        encoder = sp.encoders.hashing(dimension=other)
        version = store.migrate(MOVED, encoder, alias=LIVE, note=note, wait=WAIT).version
    post.journal.say("published", reference=version.reference, rows=60)
    post.journal.say("moved", note=note, alias=LIVE, reference=version.reference)


def promote(post: Post) -> None:
    """Move an alias to some version that it does not stand for."""
    store, alias = post.store, post.rng.choice(ALIASES)
    before = store.aliases(SHARED).get(alias)
    others = [r for r in store.versions(SHARED) if before is None or r.number != before.number]
    record = post.rng.choice(others)
    _move(post, "promoting", alias, lambda note: store.promote(
        record.reference, alias, note, expected=before.number if before else None))  # fmt: skip


def roll_back(post: Post) -> None:
    """Move an alias back."""
    alias = post.rng.choice(ALIASES)
    _move(post, "rolling back", alias, lambda note: post.store.rollback(SHARED, alias, note))


def _move(post: Post, phase: str, alias: str, move: Callable[[str], Record]) -> None:
    note = secrets.token_hex(8)
    post.journal.say(phase, note=note, alias=alias)
    record = move(note)
    post.journal.say("moved", note=note, alias=alias, reference=record.reference)


def keep(post: Post) -> None:
    """Keep an artifact: a file that a version does not list."""
    store, token = post.store, secrets.token_hex(8)
    record = post.rng.choice(store.versions(QUIET))
    post.journal.say("keeping", token=token)
    with store.keeping(QUIET, WAIT) as keeper:
        (keeper.folder / "probe.json").write_text(token)
        kept = keeper.keep(record, "probe", token)
        post.journal.say("kept", token=token, artifact=kept.id)
    time.sleep(0.05)


def watch(post: Post) -> None:
    """Update a monitor, now and then again when the events' labels are known."""
    token = secrets.token_hex(8)
    post.journal.say("watching", events=token)
    monitor = open_monitor(post.store, f"{BUILT}@1.0.0")
    dimension = monitor.version.contract.dimension
    for labeled in post.rng.choice(((True,), (True,), (False, True), (True, True))):
        post.journal.say("updating", events=token)
        monitor.update(events(token, dimension, labeled), wait=WAIT)
    post.journal.say("watched", events=token)


def clean(post: Post) -> None:
    """Remove what nobody lists, beside everyone else's work."""
    post.journal.say("collecting")
    removed = post.store.gc()
    post.journal.say("collected", files=len(removed))


def read(post: Post) -> None:
    """Look at everything that is there, and say what is wrong with it."""
    post.journal.say("reading")
    reads, faults = look(post.store, post.rng)
    post.journal.say("read", reads=reads)
    for fault in faults:
        post.journal.say("fault", what=fault)


WORKS: dict[str, Callable[[Post], None]] = {
    "publish": publish,
    "publish quietly": publish_quietly,
    "build": build,
    "promote": promote,
    "rollback": roll_back,
    "migrate": migrate,
    "keep": keep,
    "watch": watch,
    "gc": clean,
    "read": read,
}
"""What can be done, by its name."""

_EXPECTED = (BusyError, NotFoundError)


def run(post: Post, work: str) -> None:
    """Do one kind of work until told to stop; an error that is no answer is a fault."""
    while not post.stop.exists():
        post.journal.say(IDLE)
        try:
            WORKS[work](post)
        except _EXPECTED as error:
            post.journal.say("answered", what=str(error))
        except Exception:
            post.journal.say("fault", what=traceback.format_exc(limit=-6))
            time.sleep(0.2)
        time.sleep(post.rng.uniform(0.05, PAUSE))
