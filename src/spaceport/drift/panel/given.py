"""What comes to be compared, made ready: arrays or sketches, checked, pooled, with ids.

Which units are exchanged follows from the sizes alone: rows where they are few; where one side is long, a
random part of it, since what is lost by that is little beside what the short side lacks; and blocks of rows
where both are long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, matrix
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.sizes import check_sizes
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError, MismatchError, ParameterError

__all__ = ["Given", "given"]

Places = npt.NDArray[np.intp]

ROWS = 16_384
"""Rows of both sides together that are exchanged one by one."""
_SHORT = 6_144
_KEPT = 8_192


@dataclass(frozen=True, eq=False)
class Given:
    """Two samples, ready.

    Attributes
    ----------
    pooled : Pooled
        What is tested.
    rows : ndarray of shape (k, d), float32
        Rows of both to be looked at: all, or a sample.
    current : ndarray of shape (k,), bool
        Which of these are current.
    ids : sequence of k str
    places : ndarray of shape (k,), intp
        Where each stood in what was given; -1 where it came in a sketch.
    counts, dropped : (int, int)
        Rows of the reference and of the current sample; broken rows that were left out.
    """

    pooled: Pooled
    rows: Matrix
    current: npt.NDArray[np.bool_]
    ids: Sequence[str]
    places: Places
    counts: tuple[int, int]
    dropped: tuple[int, int] = (0, 0)


def given(
    reference: Any,
    current: Any,
    *,
    permutations: int,
    seed: int,
    metric: str,
    ids: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
    cells: Sequence[Matrix] | None = None,
    drop: bool = False,
) -> Given:
    """Make two samples ready; see `comparing.compare`."""
    sketched = [isinstance(side, Sketch) for side in (reference, current)]
    if all(sketched):
        return _of_sketches(reference, current, permutations, seed)
    if any(sketched):
        raise ParameterError(
            "A sketch cannot be compared with an array: its rows are no more.",
            "Sketch the array with the sketch's basis: Sketch.of(sketch.basis, X).",
        )
    check_coordinates(reference, current)
    left = _Side.of(reference, "reference", ids[0], drop)
    right = _Side.of(current, "current", ids[1], drop, left.rows.shape[1])
    check_sizes(left.rows, right.rows)
    return _of_rows(left, right, permutations, seed, metric, cells)


def check_coordinates(reference: Any, current: Any) -> None:
    """Refuse vectors that say of themselves that they are of two coordinate systems.

    Raises
    ------
    MismatchError
        Of two spaces, or of two majors, even where the dimension is the same.
    """
    first, second = (getattr(side, "coordinates", None) for side in (reference, current))
    if first is None or second is None or first.agrees(second):
        return
    raise MismatchError(
        f"`reference` has the coordinates of {first.reference}, `current` those of {second.reference}.",
        "Compare vectors of one version; `spaceport diff` tells what a change of the model does.",
    )


@dataclass(frozen=True, eq=False)
class _Side:
    rows: Matrix
    ids: Sequence[str] | None
    places: Places
    dropped: int

    @classmethod
    def of(
        cls, X: Any, name: str, ids: Sequence[str] | None, drop: bool, dimension: int | None = None
    ) -> _Side:
        kept, places, count = _finite(X, drop, name, ids)
        rows = matrix(kept, name, dimension)
        if ids is not None and len(ids) != count:
            raise InputError(
                f"`{name}` has {count} rows and {len(ids)} ids.", "Give one id per row."
            )
        return cls(rows, ids, places, count - len(rows))

    def take(self, room: int, seed: int) -> _Side:
        """At most `room` of the rows, at random, in their order."""
        if len(self.rows) <= room:
            return self
        few = np.sort(generator(seed).permutation(len(self.rows))[:room])
        return _Side(self.rows[few], self.ids, self.places[few], self.dropped)

    def named(self) -> list[str]:
        return [str(place) if self.ids is None else self.ids[place] for place in self.places]


def _finite(
    X: Any, drop: bool, name: str, ids: Sequence[str] | None
) -> tuple[npt.ArrayLike, Places, int]:
    """Rows without NaN and infinity; they are refused unless told to be dropped."""
    rows: npt.NDArray[Any] = np.asarray(X)
    if rows.ndim != 2 or rows.dtype.kind != "f":
        checked = matrix(X, name)
        return checked, np.arange(len(checked)), len(checked)
    broken = ~np.isfinite(rows).all(axis=1)
    count = int(broken.sum())
    if count and not drop:
        first = int(np.argmax(broken))
        who = f"row {first}" if ids is None else f"row {first}, id {ids[first]!r}"
        raise InputError(
            f"`{name}` has {count} of {len(rows)} rows with NaN or infinity; the first is {who}.",
            "Mend what made them, or leave them out: drop=True (`--drop-broken`); they are counted.",
        )
    places = np.flatnonzero(~broken)
    return (rows[places] if count else rows), places, len(rows)


def _of_rows(
    left: _Side,
    right: _Side,
    permutations: int,
    seed: int,
    metric: str,
    cells: Sequence[Matrix] | None,
) -> Given:
    counts = len(left.rows), len(right.rows)
    if min(counts) <= _SHORT or sum(counts) <= ROWS:
        room = max(ROWS - min(counts), _KEPT)
        left, right = left.take(room, seed), right.take(room, seed)
        pooled = Pooled.of_rows(
            left.rows,
            right.rows,
            permutations,
            seed,
            metric,
            None if cells is None else _basis(left, right, metric, cells, seed),
        )
    else:
        basis = _basis(left, right, metric, cells, seed)
        first, second = (Sketch.of(basis, side.rows, room=_KEPT) for side in (left, right))
        pooled = Pooled.of_sketches(first, second, permutations, seed)
        left, right = left.take(_KEPT, seed), right.take(_KEPT, seed)
    rows = pooled.basis.ready(np.concatenate([left.rows, right.rows]))
    return Given(
        pooled,
        rows,
        np.arange(len(rows)) >= len(left.rows),
        left.named() + right.named(),
        np.concatenate([left.places, right.places]),
        counts,
        (left.dropped, right.dropped),
    )


def _basis(
    left: _Side, right: _Side, metric: str, cells: Sequence[Matrix] | None, seed: int
) -> Basis:
    """Of the pool: as much of each side as there is of it."""
    share = min(1.0, 4 * _KEPT / (len(left.rows) + len(right.rows)))
    few = [side.take(max(8, round(share * len(side.rows))), seed).rows for side in (left, right)]
    return Basis.fit(np.concatenate(few), metric, cells, seed)


def _of_sketches(reference: Sketch, current: Sketch, permutations: int, seed: int) -> Given:
    pooled = Pooled.of_sketches(reference, current, permutations, seed)
    rows = np.concatenate([reference.rows, current.rows])
    return Given(
        pooled,
        rows,
        np.arange(len(rows)) >= len(reference.rows),
        reference.ids + current.ids,
        np.full(len(rows), -1),
        (reference.count, current.count),
    )
