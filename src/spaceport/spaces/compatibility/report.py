"""A diff as people read it: lines of text, and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spaceport.maps.page import difference

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.diff import Diff
    from spaceport.spaces.compatibility.neighborhoods import Item, Named

__all__ = ["to_text", "write"]

_FIRST = 5
_WIDE = 44
_TITLE = 30


def to_text(diff: Diff, how: bool = False) -> str:
    """Write the diff as lines, the findings first."""
    return "\n".join(_lines(diff, how))


def write(path: Path, diff: Diff) -> None:
    """Write the diff as an HTML page, or its picture as PNG or SVG."""
    sheet = _sheet(diff)
    if path.suffix.lower() == ".html":
        difference.write_page(path, sheet)
    else:
        difference.write_picture(path, sheet)


def _lines(diff: Diff, how: bool) -> Iterator[str]:
    yield f"{diff.old} → {diff.new}"
    yield ""
    yield from (f"  {finding.text}" for finding in diff.findings)
    yield ""
    yield from _items(diff)
    yield ""
    yield from _sides(diff)
    yield ""
    yield f"Measured on the {diff.items.shared:,} shared items"
    facts = [*diff.figures, *diff.probes]
    width = max(len(fact.name) for fact in facts)
    for fact in facts:
        yield f"  {fact.name:<{width}}  {fact.text}"
        if how:
            yield f"  {'':<{width}}    {fact.how}"
    yield from _regions(diff)
    yield from _moved(diff)


def _items(diff: Diff) -> Iterator[str]:
    items = diff.items
    by = "by id and content" if items.by_content else "by id alone"
    yield f"Items: {items.old:,} → {items.new:,}, {items.shared:,} shared ({by})"
    for kind in ("added", "removed", "changed"):
        ids = getattr(items, kind)
        if ids:
            yield f"  {kind:<8} {len(ids):,}: {_some(ids)}"


def _sides(diff: Diff) -> Iterator[str]:
    rows = [("", (diff.old, diff.new)), *((row.name, row.texts) for row in diff.sides)]
    name = max(len(first) for first, _ in rows)
    wide = min(_WIDE, max(len(texts[0]) for _, texts in rows))
    for first, (old, new) in rows:
        same = "  =" if first and old == new else f"  {_cut(new)}"
        yield f"  {first:<{name}}  {_cut(old):<{wide}}{same}".rstrip()


def _regions(diff: Diff) -> Iterator[str]:
    near = diff.near
    if near is None or not near.regions or near.overlap.mean == 1:
        return
    yield ""
    yield f"Neighbors that stay, {near.by}"
    for region in near.regions:
        yield f"  {region.overlap:.3f}  {_cut(region.name)} ({region.items:,} items)"


def _moved(diff: Diff) -> Iterator[str]:
    items = [item for item in diff.moved if item.overlap < 1]
    if not items or diff.near is None:
        return
    yield ""
    yield f"Neighborhoods that changed most, of {len(diff.near.overlap.each):,} asked"
    for item in items:
        yield f"  {_named(item)}: {item.overlap:.0%} stay, second-order cosine {item.second_order:.2f}"
        yield f"    was near  {', '.join(_short(other) for other in item.before)}"
        yield f"    is near   {', '.join(_short(other) for other in item.after)}"


def _sheet(diff: Diff) -> difference.Sheet:
    """What the page and the picture show."""
    near = diff.near
    items = diff.items
    counts = {kind: getattr(items, kind) for kind in ("added", "removed", "changed")}
    return difference.Sheet(
        old=diff.old,
        new=diff.new,
        findings=[finding.text for finding in diff.findings],
        items=[
            ("shared", f"{items.shared:,} of {items.old:,} and {items.new:,}"),
            *((kind, f"{len(ids):,}: {_some(ids)}") for kind, ids in counts.items() if ids),
        ],
        sides=[(row.name, *row.texts) for row in diff.sides],
        figures=[(fact.name, fact.text, fact.how) for fact in (*diff.figures, *diff.probes)],
        moved=[
            (
                item.id,
                item.text,
                item.overlap,
                [_named(other) for other in item.before],
                [_named(other) for other in item.after],
            )
            for item in diff.moved
            if item.overlap < 1
        ],
        kept=[] if near is None else [float(x) for x in near.overlap.each],
        k=0 if near is None else near.overlap.k,
        regions=[] if near is None else [(r.name, r.items, r.overlap) for r in near.regions],
        by="" if near is None else near.by,
        spectra=diff.spectra,
    )


def _named(item: Item | Named) -> str:
    return f"{item.id} “{item.text}”" if item.text else item.id


def _short(item: Named) -> str:
    """An id with the beginning of its text."""
    text = item.text if len(item.text) <= _TITLE else f"{item.text[: _TITLE - 1].rstrip()}…"
    return f"{item.id} “{text}”" if text else item.id


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _FIRST:,} more" if len(ids) > _FIRST else ""
    return ", ".join(ids[:_FIRST]) + more


def _cut(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
