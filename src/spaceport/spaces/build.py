"""Build a version: plan (a value that can be read), then apply (dull).

    source ── spool ──▶ difference from the latest version ──▶ Plan ── encode what is new ──▶ version

What is unchanged is not encoded again. A fitted encoder with the same parameters is taken over from
the latest version, so that its coordinates stay; ``refit=True`` learns anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spaceport.encoders.base import Encoder
from spaceport.errors import ParameterError
from spaceport.progress import task
from spaceport.sources.base import Source
from spaceport.spaces.canaries import canary_places
from spaceport.spaces.change import Change, Evidence, kind_of_change, raised
from spaceport.spaces.contract import Contract
from spaceport.spaces.draft import Draft, Order
from spaceport.spaces.encoding import Encoding, hashes, keeps_positions, row_ids, row_schema
from spaceport.spaces.evidence import of_entities, of_items
from spaceport.spaces.items import Difference, Spool, difference
from spaceport.spaces.layout import entity_batch, item_rows, item_schema, pick, unfixed
from spaceport.spaces.publish import publish
from spaceport.spaces.reading import read_canaries, read_encoder
from spaceport.spaces.resuming import check_resume, learnt
from spaceport.spaces.space_vectors import Coordinates, agreeing

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store, Writer
    from spaceport.storage.vectors import VectorTable

__all__ = ["Built", "Plan", "build"]


@dataclass(frozen=True)
class Plan:
    """What a build will do.

    Attributes
    ----------
    space : str
        The space's name.
    base : Record or None
        The latest version, which the new one follows.
    encoder : Encoder or None
        What encodes the items; None where the items are vectors already.
    settled : bool
        The encoder is the base's: coordinates stay, unchanged items keep their vectors.
    difference : Difference
        What happens to which item.
    """

    space: str
    base: Record | None
    encoder: Encoder | None
    settled: bool
    difference: Difference

    @property
    def nothing(self) -> bool:
        """There is nothing to do."""
        return self.settled and self.difference.nothing

    def __str__(self) -> str:
        d = self.difference
        after = f"after {self.base.reference}" if self.base else "first version"
        encode = len(d.added) + len(d.changed) if self.settled else d.count
        return (
            f"{self.space}, {after}: encode {encode:,} items, keep {d.count - encode:,}, "
            f"remove {len(d.removed):,}"
        )


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes
    ----------
    record : Record
        The version.
    change : Change
        Its kind, with the reason.
    plan : Plan or None
        None for entities.
    evidence : Evidence or None
        What was measured; None for a first version, or where nothing changed.
    """

    record: Record
    change: Change
    plan: Plan | None = None
    evidence: Evidence | None = None

    @property
    def measured(self) -> list[str]:
        """What the kind was decided on, a line each."""
        return [] if self.evidence is None else self.evidence.lines()


def build(store: Store, order: Order, wait: float = 0.0) -> Built:
    """Build a version as told and publish it, unless nothing changed."""
    with store.writing(order.space, wait=wait) as writer:
        order = _stamped(store, writer.latest, order)
        if order.rows == "entities":
            return _build_entities(store, writer, order)
        with closing(Spool(order.source)) as spool:
            return _build_items(store, writer, replace(order, source=spool), spool)


def _stamped(store: Store, base: Record | None, order: Order) -> Order:
    """The order with what its vectors say of themselves; refused where they are of other coordinates.

    A major is what other coordinates are, so one who asks for a major may publish them.
    """
    stamp = order.source.stamp if order.encoder is None else None
    if stamp is None:
        return order
    if base is not None and order.bump != "major":
        from spaceport.spaces.compatibility.adapted import advice

        here = Coordinates(base.space, base.number, base.fingerprint)
        there = Coordinates.of_stamp(stamp)
        agreeing(here, there, partial(advice, store), "bump major publishes them anyway")
    return replace(order, stamp=stamp)


def _build_items(store: Store, writer: Writer, order: Order, spool: Spool) -> Built:
    check_resume(store, writer.latest, order)
    plan = _plan(store, writer.latest, order, spool)
    if plan.base is not None and plan.nothing and _shown_alike(store, plan.base, order, spool):
        return Built(plan.base, Change("none", "nothing changed"), plan)
    if plan.encoder is not None and not (plan.settled and plan.encoder.fitted):
        plan = replace(plan, encoder=learnt(store, plan.base, order, writer.unpublished))
    encoding = Encoding(plan.encoder, writer.unpublished)
    evidence = None if plan.base is None else _evidence(store, plan, plan.base, spool, encoding)
    change = _change(evidence, plan.difference, plan.base, order)
    table = _write_items(store, writer, plan, change, spool, encoding, order.keep_text)
    draft = Draft(
        order=replace(order, encoder=plan.encoder),
        base=plan.base,
        change=change,
        evidence=evidence,
        table=table,
        contents=None if plan.encoder is None else _contents_of(spool, table, encoding.positions),
        content_bytes=spool.content_bytes,
        encoded=not encoding.positions,
    )
    return Built(publish(store, writer, draft), change, plan, evidence)


def _build_entities(store: Store, writer: Writer, order: Order) -> Built:
    base = writer.latest
    check_resume(store, base, order)
    digest = order.source.digest()
    if base is not None and not order.refit and base.notes.get("source_digest") == digest:
        settled = _settle(store, base, order)
        if settled is not None:
            return Built(base, Change("none", "nothing changed"))
    encoder = learnt(store, base, order, writer.unpublished)
    entities = encoder.entities()
    if entities is None:
        raise ParameterError(
            f"{encoder.name} learns no entities.",
            'Choose one that learns words, or users and items; or build rows="items".',
        )
    batch = entity_batch(*entities, encoder.entity_columns())
    evidence = None if base is None else of_entities(store, base, encoder, *entities)
    before = () if base is None else hashes(store.vectors(base))
    change = _change(evidence, difference(before, _hashes(iter([batch]))), base, order)
    draft = Draft(
        order=replace(order, encoder=encoder),
        base=base,
        change=change,
        evidence=evidence,
        table=writer.create_vectors(batch.schema, iter([batch])),
        contents=_contents_of_entities(order.source),
        content_bytes=order.source.size(),
        source_digest=digest,
    )
    return Built(publish(store, writer, draft), change, None, evidence)


def _plan(store: Store, base: Record | None, order: Order, spool: Spool) -> Plan:
    before = () if base is None else hashes(store.vectors(base))
    differs = difference(before, _hashes(spool.read()))
    anew = order.refit or (order.resume and not differs.nothing)
    anew = anew or (_closed(order.encoder) and bool(differs.added or differs.changed))
    settled = None if base is None or anew else _settle(store, base, order)
    given = order.encoder is None and base is not None and _came_without_encoder(base, order)
    return Plan(
        space=order.space,
        base=base,
        encoder=settled or order.encoder,
        settled=given or settled is not None,
        difference=differs,
    )


def _settle(store: Store, base: Record, order: Order) -> Encoder | None:
    """The base's own encoder, if `order` asks for that method, parameters and metric.

    Not if its canaries have moved: the same parameters with another library can be another model.
    """
    asked = order.encoder
    known = read_encoder(store, base)
    if asked is None or known is None or not _same_metric(base, order):
        return None
    if known.name != asked.name or known.numbers() != asked.numbers():
        return None
    settled = known if asked.fitted else asked
    canaries = read_canaries(store, base)
    if (
        canaries is not None
        and canaries.departure(settled) > Contract.from_dict(base.contract).tolerance
    ):
        return None
    return settled


def _closed(encoder: Encoder | None) -> bool:
    return encoder is not None and encoder.closed


def _came_without_encoder(base: Record, order: Order) -> bool:
    return "encoder" not in base.notes and _same_metric(base, order)


def _same_metric(base: Record, order: Order) -> bool:
    return Contract.from_dict(base.contract).metric == order.metric


def _shown_alike(store: Store, base: Record, order: Order, spool: Spool) -> bool:
    """The base keeps the contents, and names the label, as `order` wants it."""
    schema = store.vectors(base).schema
    positions = keeps_positions(schema)
    items = row_schema(spool.schema, positions)
    wanted = item_schema(items, base.dimension, _keeps(order.keep_text, spool, positions))
    return schema.names == wanted.names and base.notes.get("label") == spool.label


def _keeps(keep_text: bool, spool: Spool, positions: bool) -> bool:
    """Whether contents are kept; a text is not repeated beside each of its positions."""
    return keep_text and spool.modality in ("texts", "table") and not positions


def _write_items(
    store: Store,
    writer: Writer,
    plan: Plan,
    change: Change,
    spool: Spool,
    encoding: Encoding,
    keep_text: bool,
) -> VectorTable:
    """Append to the base's dataset where coordinates and columns stay, else write a new one."""
    dimension = encoding.vectors(next(spool.batches()).slice(0, 1)).shape[1]
    kept_text = _keeps(keep_text, spool, encoding.positions)
    schema = item_schema(row_schema(spool.schema, encoding.positions), dimension, kept_text)
    if plan.base is None or change.kind == "major" or schema != store.vectors(plan.base).schema:
        return writer.create_vectors(schema, _encoded(encoding, schema, spool.batches()))
    d = plan.difference
    if plan.nothing and change.kind == "patch":
        return writer.keep_vectors(plan.base)
    fresh = {*d.added, *d.changed} if plan.settled else {*d.added, *d.changed, *d.kept}
    again = {*d.relabeled}
    if encoding.positions:  # their rows are many: encoding them again is simpler than taking them
        fresh, again = fresh | again, set()
    before = store.vectors(plan.base)
    gone = [*d.changed, *d.relabeled, *d.removed, *(() if plan.settled else d.kept)]
    gone = row_ids(before, gone) if encoding.positions else gone

    def rows() -> Iterator[pa.RecordBatch]:
        yield from _encoded(encoding, schema, (pick(batch, fresh) for batch in spool.batches()))
        for batch in spool.batches():
            chosen = pick(batch, again)
            if chosen.num_rows:
                kept = before.take(chosen.column("id").to_pylist(), columns=["vector"])
                yield item_rows(schema, chosen, unfixed(kept.column("vector")))

    return writer.extend_vectors(plan.base, gone, rows())


def _encoded(
    encoding: Encoding, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with task("encoding") as work:
        for batch in batches:
            if batch.num_rows:
                yield encoding.rows(schema, batch)
                work.advance(batch.num_rows)


def _evidence(store: Store, plan: Plan, base: Record, spool: Spool, encoding: Encoding) -> Evidence:
    """What shows whether the coordinates stay; a taken-over encoder is asked for its canaries only."""
    d = plan.difference
    asked_canaries_only = plan.settled and plan.encoder is not None
    shared = [] if asked_canaries_only or encoding.positions else [*d.kept, *d.relabeled]
    if plan.encoder is None:
        shared += d.changed
    return of_items(
        store,
        base,
        plan.encoder,
        plan.settled,
        spool.batches(),
        shared,
        encoding.vectors,
        spool.label,
    )


def _change(evidence: Evidence | None, d: Difference, base: Record | None, order: Order) -> Change:
    if base is None or evidence is None:
        return Change("major", "first version")
    contract = Contract.from_dict(base.contract)
    if contract.metric != order.metric:
        return Change("major", f"the metric was {contract.metric} and is now {order.metric}")
    found = kind_of_change(evidence, d.items_differ, True, contract.tolerance)
    return raised(found, order.bump)


def _contents_of_entities(source: Source) -> Callable[[Sequence[str]], list[Any]]:
    """Canaries of a space learnt whole: the words where it is words that were learnt, else contents."""
    if source.modality in ("words", "texts"):
        return list
    return lambda ids: _spread_contents(source)


def _contents_of(
    spool: Spool, table: VectorTable, positions: bool
) -> Callable[[Sequence[str]], list[Any]]:
    """The contents of the items behind some rows, in the rows' order."""

    def contents(ids: Sequence[str]) -> list[Any]:
        items = list(ids)
        if positions:
            parents = table.take(items, columns=["parent"]).column("parent").to_pylist()
            items = list(dict.fromkeys(parents))
        found: dict[str, Any] = {}
        for batch in spool.batches():
            chosen = pick(batch, {*items})
            told = (chosen.column(name).to_pylist() for name in ("id", "content"))
            found |= dict(zip(*told, strict=True))
        return [found[name] for name in items]

    return contents


def _spread_contents(source: Source) -> list[Any]:
    """Contents evenly spaced over a source, as plain Python values."""
    rows = sum(batch.num_rows for batch in source.batches())
    places, chosen, start = sorted({*canary_places(rows)}), list[Any](), 0
    for batch in source.batches():
        end = start + batch.num_rows
        here = [place - start for place in places if start <= place < end]
        chosen += batch.column("content").take(pa.array(here, pa.int64())).to_pylist()
        start = end
    return chosen


def _hashes(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, bytes, bytes]]:
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("id", "content_hash", "item_hash"))
        yield from zip(*columns, strict=True)
