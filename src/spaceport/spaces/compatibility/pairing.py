"""The items that two versions share, and their vectors side by side, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.arrays import Matrix
from spaceport.errors import NotFoundError
from spaceport.quality.overlap import draw
from spaceport.spaces.layout import unfixed

if TYPE_CHECKING:
    from spaceport.spaces.version import Version
    from spaceport.storage.vectors import VectorTable

__all__ = ["Pairs", "pair", "table_of"]

Places: TypeAlias = npt.NDArray[np.int64]

_SHOWN = 2


@dataclass(frozen=True, eq=False)
class Pairs:
    """What two versions have in common, and what not.

    Attributes
    ----------
    old, new : Version
        The two sides.
    old_rows, new_rows : ndarray of shape (n,), int64
        Where the shared items stand in each; `old_rows` ascend.
    by_content : bool
        Items count as shared where id *and* content are the same. False where the contents are no
        evidence, and ids alone decide: one version keeps no hashes, the modalities differ, or the
        vectors came without an encoder, so that they are the content themselves.
    """

    old: Version
    new: Version
    old_rows: Places
    new_rows: Places
    by_content: bool
    _changed: pa.Array = field(repr=False)
    _added: pa.Array = field(repr=False)
    _removed: pa.Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.old_rows)

    @cached_property
    def ids(self) -> list[str]:
        """The shared items' ids, in the order of `old_rows`."""
        whole = pa.concat_arrays(_column(table_of(self.old), "id"))
        return _listed(whole.take(pa.array(self.old_rows)))

    @cached_property
    def changed(self) -> list[str]:
        """Ids that both have with another content."""
        return _listed(self._changed)

    @cached_property
    def added(self) -> list[str]:
        """Ids that only the new version has."""
        return _listed(self._added)

    @cached_property
    def removed(self) -> list[str]:
        """Ids that only the old version has."""
        return _listed(self._removed)

    def blocks(self, rows: int = 8192) -> Iterator[tuple[Matrix, Matrix]]:
        """Yield the shared vectors side by side, ``(b, p)`` and ``(b, q)`` float32, b <= `rows`.

        Neither side is ever held whole.
        """
        left = _streamed(table_of(self.old), self.old_rows, rows)
        right = _streamed(table_of(self.new), self.new_rows, rows)
        yield from zip(left, right, strict=True)

    def take(self, places: Places) -> tuple[Matrix, Matrix]:
        """Fetch the vectors of the shared items at `places`, in that order."""
        return self.left(places), self.right(places)

    def left(self, places: Places) -> Matrix:
        """Fetch the old vectors of the shared items at `places`, in that order."""
        return _taken(table_of(self.old), self.old_rows[places])

    def right(self, places: Places) -> Matrix:
        """Fetch the new vectors of the shared items at `places`, in that order."""
        return _taken(table_of(self.new), self.new_rows[places])

    def names(self, places: Places) -> list[str]:
        """Fetch the ids of the shared items at `places`, in that order."""
        found = table_of(self.old).rows(self.old_rows[places], columns=["id"])
        return _listed(found.column("id"))

    def sample(self, count: int, seed: int = 0) -> tuple[list[str], Matrix, Matrix]:
        """Draw shared items without replacement: ids, old vectors (c, p), new vectors (c, q)."""
        places = draw(len(self), count, seed)
        return (self.names(places), *self.take(places))


def pair(old: Version, new: Version) -> Pairs:
    """Find the items that two versions share.

    Raises
    ------
    NotFoundError
        There are none; the message shows ids of both.
    """
    old_ids, new_ids = _column(table_of(old), "id"), _column(table_of(new), "id")
    known, asked = pa.chunked_array(old_ids), pa.chunked_array(new_ids)
    place = pc.index_in(asked, value_set=known)
    added = asked.filter(pc.is_null(place))
    where = place.combine_chunks().fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    new_rows = np.flatnonzero(where >= 0)
    old_rows = where[new_rows]
    missing = np.ones(len(known), bool)
    missing[old_rows] = False
    order = np.argsort(old_rows, kind="stable")
    old_rows, new_rows = old_rows[order], new_rows[order]
    by_content = _content_tells(old, new)
    same = _same_content(old, new, old_rows, new_rows) if by_content else np.ones(len(order), bool)
    changed = known.take(pa.array(old_rows[~same]))
    found = Pairs(
        old, new, old_rows[same], new_rows[same], by_content,
        changed, added, known.filter(pa.array(missing)),
    )  # fmt: skip
    if not len(found):
        raise _nothing_shared(found)
    return found


def table_of(version: Version) -> VectorTable:
    """The rows of a version, as they are stored."""
    return version.store.vectors(version.record)


def _content_tells(old: Version, new: Version) -> bool:
    """Whether equal hashes mean the same item and other hashes another."""
    hashed = all("content_hash" in table_of(side).schema.names for side in (old, new))
    alike = old.contract.modality == new.contract.modality
    return hashed and alike and not any(_given(side) for side in (old, new))


def _given(version: Version) -> bool:
    """Whether the vectors were imported: what was hashed is then the vectors themselves."""
    vectors = version.contract.modality == "vectors"
    return vectors and "encoder.json" not in version.store.files(version.record)


def _same_content(
    old: Version, new: Version, old_rows: Places, new_rows: Places
) -> npt.NDArray[np.bool_]:
    sides = (old, old_rows), (new, new_rows)
    before, after = (
        pa.chunked_array(_column(table_of(side), "content_hash")).take(pa.array(rows))
        for side, rows in sides
    )
    same = pc.fill_null(pc.equal(before, after), False)
    equal: npt.NDArray[np.bool_] = same.combine_chunks().to_numpy(zero_copy_only=False)
    return equal


def _column(table: VectorTable, name: str) -> list[pa.Array]:
    """A column's chunks; strings with 64-bit offsets, so that they may be joined whatever their size."""
    kind = table.schema.field(name).type
    wide = pa.large_string() if pa.types.is_string(kind) else kind
    found = [batch.column(name).cast(wide) for batch in table.scan([name], batch_size=1 << 17)]
    return found or [pa.array([], wide)]


def _streamed(table: VectorTable, positions: Places, rows: int) -> Iterator[Matrix]:
    """Yield the vectors at `positions` in blocks: scanned where they ascend, else fetched."""
    if len(positions) and (np.diff(positions) > 0).all():
        yield from _even(_scanned(table, positions, rows), rows)
        return
    for start in range(0, len(positions), rows):
        yield _taken(table, positions[start : start + rows])


def _scanned(table: VectorTable, positions: Places, rows: int) -> Iterator[Matrix]:
    """Yield the vectors at ascending positions as they are scanned, in blocks of any size."""
    first = 0
    for batch in table.scan(["vector"], batch_size=rows):
        low, high = np.searchsorted(positions, [first, first + batch.num_rows])
        if high > low:
            whole = unfixed(batch.column("vector"))
            all_of_it = high - low == batch.num_rows
            yield whole if all_of_it else whole[positions[low:high] - first]
        first += batch.num_rows


def _even(blocks: Iterable[Matrix], rows: int) -> Iterator[Matrix]:
    """Cut blocks of any size anew: each has `rows` rows, the last one what is left."""
    held: list[Matrix] = []
    for block in blocks:
        held.append(block)
        while (count := sum(map(len, held))) >= rows:
            whole = held[0] if len(held) == 1 else np.concatenate(held)
            yield whole[:rows]
            held = [whole[rows:]] if count > rows else []
    if held:
        yield np.concatenate(held)


def _taken(table: VectorTable, positions: Places) -> Matrix:
    return unfixed(table.rows(positions, columns=["vector"]).column("vector"))


def _nothing_shared(found: Pairs) -> NotFoundError:
    old, new = found.old.reference, found.new.reference
    if len(found._changed):
        return NotFoundError(
            f"All {len(found._changed):,} ids that {old} and {new} share have other contents in each.",
            "Compare versions in which some items stayed as they were.",
        )
    sides = ((found._removed, old), (found._added, new))
    some = (f"{', '.join(map(repr, _listed(ids[:_SHOWN])))} in {name}" for ids, name in sides)
    return NotFoundError(
        f"{old} and {new} share no ids: for example {'; '.join(some)}.",
        "Give both the same ids for the same items.",
    )


def _listed(ids: pa.Array | pa.ChunkedArray) -> list[str]:
    found: list[str] = ids.to_pylist()
    return found
