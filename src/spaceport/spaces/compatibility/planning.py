"""The plan of a migration: what it will encode, cost and touch, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaceport.errors import NotFoundError, ParameterError
from spaceport.methods import parse as parse_method
from spaceport.sources.base import Source, content_bytes
from spaceport.spaces.compatibility.adapted import find
from spaceport.spaces.compatibility.derived import derived
from spaceport.spaces.compatibility.stored import Part, Stored, source_named
from spaceport.spaces.compatibility.timing import Pace, pace, to_fit_on
from spaceport.spaces.items import content_hash
from spaceport.spaces.journal import Journal
from spaceport.storage.names import check_space, parse
from spaceport.storage.writer import UNPUBLISHED

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["MigrationPlan", "Order", "order", "plan", "published_already"]


@dataclass(frozen=True)
class Order:
    """What a migration was asked for, made definite.

    Attributes
    ----------
    start : Version
        Whose items are encoded anew.
    encoder : Encoder
    source : Source
        Its contents.
    alias : str or None
        What is to stand for the new version.
    done : Version or None
        The version that an earlier run of the same migration published.
    """

    start: Version
    encoder: Encoder
    source: Source
    alias: str | None
    done: Version | None


@dataclass(frozen=True)
class MigrationPlan:
    """What a migration will do.

    Attributes
    ----------
    start, method : str
        The version that it starts from, and the new encoder as one line.
    published : str or None
        The new version, where an earlier run got as far as that.
    alias, stands_for : str or None
        The alias that will move, and the version that it stands for.
    items, kept, encode : int
        Items in all; vectors in the journal of a run that was cut off; contents that are still to be
        encoded, equal ones once.
    pace : Pace
        What was measured on a sample.
    price : float or None
        For a million tokens.
    derived : tuple of str
        Artifacts that hold in the old coordinates only, to be made anew: kind, name, version.
    consumers : tuple of str
        Whose tasks will be replayed: name, owner, pin.
    adapter : str or None
        The adapter back to `start`, where there is one.
    """

    start: str
    method: str
    published: str | None
    alias: str | None
    stands_for: str | None
    items: int
    kept: int
    encode: int
    pace: Pace
    price: float | None
    derived: tuple[str, ...]
    consumers: tuple[str, ...]
    adapter: str | None

    @property
    def vector_bytes(self) -> int | None:
        """What the vectors will take up, 4 bytes a number; None where the dimension is not known yet."""
        dimension = self.pace.dimension
        return None if dimension is None else self.items * dimension * 4

    @property
    def seconds(self) -> tuple[float, float, float] | None:
        """Encoding, and fitting where the encoder is fitted: mean, low, high; None where not measured."""
        p = self.pace
        if p.seconds is None or p.low is None or p.high is None:
            return None
        fit = (p.fit or 0.0) * self.items
        return tuple(fit + each * self.encode for each in (p.seconds, p.low, p.high))  # type: ignore[return-value]

    @property
    def tokens(self) -> int | None:
        """About how many tokens will be sent."""
        return None if self.pace.tokens is None else round(self.pace.tokens * self.encode)

    @property
    def cost(self) -> float | None:
        """Tokens times price, in the price's currency; None where either is not known."""
        if self.price is None or self.tokens is None:
            return None
        return self.price * self.tokens / 1e6

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON-able values."""
        more = {name: getattr(self, name) for name in ("vector_bytes", "seconds", "tokens", "cost")}
        return asdict(self) | more

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def order(
    spaceport: Spaceport,
    space: str,
    method: str | Encoder,
    source: Source | str | None = None,
    start: str | None = None,
    alias: str | None = None,
) -> Order:
    """Make definite what a migration is asked for.

    Where `start` is left out, it is the latest version of the major that the alias stands for; without
    an alias, the latest version that the method did not make.

    Raises
    ------
    NotFoundError
        There is no version to start from.
    InputError
        The contents are not kept, and no source was given.
    """
    check_space(space)
    encoder: Encoder = parse_method("encoders", method) if isinstance(method, str) else method
    first = _start(spaceport, space, encoder, start, alias)
    if first.record.space != space:
        raise ParameterError(
            f"{first.reference} is no version of {space}.", f"Start from a version of {space}."
        )
    given = source_named(source, first.contract.modality) if isinstance(source, str) else source
    done = published_already(spaceport, first, encoder)
    return Order(first, encoder, given or Stored(first), alias, done)


def plan(spaceport: Spaceport, asked: Order, price: float | None = None) -> MigrationPlan:
    """Count, measure on a sample, and list what a migration touches; nothing is written."""
    start, encoder = asked.start, asked.encoder
    space = start.record.space
    if price is None:
        price = getattr(encoder, "price", None)
    items, hashes = _contents(asked.source)
    kept = 0 if asked.done else len(hashes & _journal(spaceport, space, encoder))
    measured = pace(encoder, Part(asked.source, to_fit_on(encoder), items))
    stands = spaceport.aliases(space).get(asked.alias or "")
    back = None if asked.done is None else find(spaceport.store, asked.done, start)
    return MigrationPlan(
        start=start.reference,
        method=encoder.spec,
        published=None if asked.done is None else asked.done.reference,
        alias=asked.alias,
        stands_for=stands,
        items=items,
        kept=kept,
        encode=0 if asked.done else len(hashes) - kept,
        pace=measured,
        price=price,
        derived=tuple(
            f"{each.kind} {each.name} ({each.of})"
            for each in derived(spaceport, start)
            if each.fits
        ),
        consumers=tuple(
            f"{each.name} of {each.owner} (pin {each.pin})" for each in spaceport.consumers(space)
        ),
        adapter=None if back is None else repr(back),
    )


def published_already(spaceport: Spaceport, start: Version, encoder: Encoder) -> Version | None:
    """Give the latest version after `start`, in other coordinates, that the same method made."""
    later = [
        version
        for version in spaceport.versions(start.record.space)
        if version.record.number > start.record.number
        and not version.coordinates.agrees(start.coordinates)
        and _made_by(version, encoder)
    ]
    return later[-1] if later else None


def _made_by(version: Version, encoder: Encoder) -> bool:
    if version.record.notes.get("encoder") != encoder.name:
        return False
    known = version.encoder
    return known is not None and known.numbers() == encoder.numbers()


def _start(
    spaceport: Spaceport, space: str, encoder: Encoder, start: str | None, alias: str | None
) -> Version:
    if start is not None:
        return spaceport[start if "@" in start or start == space else f"{space}@{start}"]
    stands = spaceport.aliases(space).get(alias or "")
    if stands is not None:
        major = str(parse(stands).selector).partition(".")[0]
        return spaceport[f"{space}@{major}"]
    versions = spaceport.versions(space)
    latest = versions[-1]
    if not _made_by(latest, encoder):
        return latest
    others = [v for v in versions if not v.coordinates.agrees(latest.coordinates)]
    if not others:
        raise NotFoundError(
            f"{latest.reference} was made by {encoder.spec} already, and there is no other major.",
            "Name another method, or the version to start from (--from).",
        )
    return others[-1]


def _contents(source: Source) -> tuple[int, set[bytes]]:
    """How many items, and the hashes of their contents."""
    items = 0
    hashes: set[bytes] = set()
    for batch in source.batches():
        items += batch.num_rows
        hashes.update(content_hash(data) for data in content_bytes(batch.column("content")))
    return items, hashes


def _journal(spaceport: Spaceport, space: str, encoder: Encoder) -> set[bytes]:
    """Hashes of the contents that a run which was cut off has encoded."""
    if not encoder.costly or encoder.fitted:
        return set()
    folder = Path(spaceport.store.root) / UNPUBLISHED / space / encoder.fingerprint[:32]
    return Journal(folder).hashes() if folder.is_dir() else set()


def _lines(p: MigrationPlan) -> Iterator[str]:
    yield f"from      {p.start}"
    yield f"method    {p.method}"
    if p.published:
        yield f"published {p.published} by an earlier run; nothing is encoded again"
    yield f"items     {p.items:,}; to encode {p.encode:,}, in the journal {p.kept:,}"
    if p.vector_bytes is not None:
        yield f"vectors   {p.vector_bytes:,} bytes ({p.items:,} × {p.pace.dimension} × 4)"
    if p.seconds is not None:
        mean, low, high = p.seconds
        fit = ", fitting with it" if p.pace.fit is not None else ""
        yield f"seconds   {mean:,.1f} ({low:,.1f} to {high:,.1f}), to encode, from {p.pace.items} items{fit}"
    if p.pace.note:
        yield f"note      {p.pace.note}"
    if p.tokens is not None:
        how = "as the endpoint counts" if p.pace.counted else "a fourth of the characters"
        yield f"tokens    about {p.tokens:,} ({how})"
    if p.cost is not None:
        yield f"money     about {p.cost:,.4f}, at {p.price:g} a million tokens"
    yield f"adapter   {p.adapter or f'to be learnt: new coordinates to {p.start}'}"
    yield f"derived   {', '.join(p.derived) or 'nothing is stamped with the old coordinates'}"
    yield f"consumers {', '.join(p.consumers) or 'none'}"
    if p.alias is not None:
        yield f"alias     {p.alias}, which stands for {p.stands_for or 'nothing'}"
