"""Two samples compared: the verdict, with what the cells are called and items to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.drift.panel.comparing import PANEL, compare
from spaceport.drift.panel.localization import CellChange, Item, Localization
from spaceport.drift.panel.verdict import Verdict
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import KEPT, Sketch
from spaceport.errors import InputError
from spaceport.hashes import hashes
from spaceport.monitoring.samples import Sample, check_coordinates, fair

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Drift", "drift"]

HELD = 1 << 27
"""Numbers of a sample that are held in memory; beyond that it is streamed twice."""
_LOOKED_AT = 4096
_LETTERS = 36  # of an example


@dataclass(frozen=True, eq=False)
class Drift:
    """What two samples differ in.

    Attributes
    ----------
    verdict : Verdict
    reference, current : Sample
    names : list of list of str
        What the cells of each level are called; empty where nobody named them.
    metric : str
    rows : (ndarray, ndarray)
        Vectors of both to draw: all, or some.
    ids : (list of str, list of str)
        Of these.
    """

    verdict: Verdict
    reference: Sample
    current: Sample
    names: list[list[str]]
    metric: str
    rows: tuple[Matrix, Matrix]
    ids: tuple[list[str], list[str]]

    def called(self, cell: CellChange) -> str:
        """What a cell is called: its number, and its name where it has one."""
        names = self.names[cell.level] if self.names else []
        return f"{cell.cell} {names[cell.cell]}".strip() if names else f"cell {cell.cell}"

    def cells(self) -> list[dict[str, Any]]:
        """The cells that changed, the strongest evidence first, as rows of a table."""
        where = self.verdict.where
        return [
            {
                "cell": self.called(each),
                "what": each.kind,
                "before": _share(each.before),
                "after": _share(each.after),
                "shift": f"{each.shift[0]:.2f} sd",
                "p": f"{each.p:.2g}",
                "for example": next((_told(item) for item in each.items if item.why == "new"), ""),
            }
            for each in (where.named() if where is not None else ())
        ]

    def __str__(self) -> str:
        return f"{self.reference.name} → {self.current.name}\n{self.verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values that JSON can hold."""
        told = {"reference": self.reference.name, "current": self.current.name}
        return told | self.verdict.to_dict() | {"names": self.names}

    def write_items(self, path: str | Path) -> Path:
        """Write the items of the cells that changed as Parquet, for relabeling."""
        return (self.verdict.where or Localization(())).write_items(path)


def drift(
    reference: Sample,
    current: Sample,
    *,
    alpha: float = 0.05,
    tolerance: float | None = None,
    tests: Sequence[str] = PANEL,
    permutations: int = 999,
    seed: int = 0,
    metric: str | None = None,
    drop: bool = False,
    in_sample: bool = False,
) -> Drift:
    """Compare two samples.

    Parameters
    ----------
    reference, current : Sample
    alpha, tolerance, tests, permutations, seed, drop
        As in `drift.panel.comparing.compare`.
    metric : str, optional
        By default the one that the samples tell, else ``euclidean``.
    in_sample : bool
        Compare with rows that the version's encoder learnt from, all the same.

    Raises
    ------
    MismatchError
        They are known to be of other coordinates.
    SpaceportError
        The encoder learnt from the reference's rows; see `unseen`.
    """
    check_coordinates(reference, current)
    if not in_sample:
        reference = fair(reference)
    metric = metric or _metric(reference, current)
    version = reference.version
    cells = None if version is None else version.cells[:2]
    told: dict[str, Any] = {"alpha": alpha, "tolerance": tolerance, "tests": tests}
    told |= {"permutations": permutations, "seed": seed}
    left, right = _held(reference), _held(current)
    if left is not None and right is not None:
        verdict = compare(
            left.vectors,
            right.vectors,
            metric=metric,
            cells=cells,
            drop=drop,
            ids=(left.ids, right.ids),
            metadata=(left.metadata, right.metadata),
            **told,
        )
        rows = (left.some(seed), right.some(seed))
    else:
        basis = _basis((reference, current), metric, cells, seed)
        sides = [
            Sketch.of_stream(basis, _finite(reference, drop), room=KEPT),
            Sketch.of_stream(basis, _finite(current, drop)),
        ]
        verdict = compare(*sides, **told)
        rows = (_sampled(sides[0]), _sampled(sides[1]))
    return Drift(
        verdict,
        reference,
        current,
        _names(version),
        metric,
        (rows[0][0], rows[1][0]),
        (rows[0][1], rows[1][1]),
    )


@dataclass(frozen=True, eq=False)
class _Held:
    ids: list[str]
    vectors: Matrix
    metadata: pa.Table

    def some(self, seed: int) -> tuple[Matrix, list[str]]:
        """Sound rows at random, at most as many as anybody looks at."""
        sound = np.flatnonzero(np.isfinite(self.vectors).all(axis=1))
        few = np.sort(np.random.default_rng(seed).permutation(sound)[:_LOOKED_AT])
        return self.vectors[few], [self.ids[place] for place in few]


def _held(side: Sample) -> _Held | None:
    """All rows in memory; None where they are too many."""
    parts, numbers = [], 0
    for part in side.parts():
        numbers += part.vectors.size
        if numbers > HELD:
            return None
        parts.append(part)
    if not parts:
        raise InputError(f"{side.name} has no rows.", "Give a sample that has some.")
    return _Held(
        [name for part in parts for name in part.ids],
        np.concatenate([part.vectors for part in parts]),
        pa.Table.from_batches([part.metadata for part in parts]),
    )


def _sampled(side: Sketch) -> tuple[Matrix, list[str]]:
    return side.rows, list(side.ids)


def _finite(side: Sample, drop: bool) -> Iterator[tuple[pa.Array, Matrix]]:
    for part in side.parts():
        sound = np.isfinite(part.vectors).all(axis=1)
        if not sound.all() and not drop:
            first = part.ids[int(np.argmin(sound))]
            raise InputError(
                f"{side.name} has rows with NaN or infinity; the first is {first!r}.",
                "Mend what made them, or leave them out: `--drop-broken`.",
            )
        yield pa.array(part.ids, pa.string()).filter(pa.array(sound)), part.vectors[sound]


def _basis(
    sides: tuple[Sample, Sample], metric: str, cells: Sequence[Matrix] | None, seed: int
) -> Basis:
    """Fit a basis to some rows of both sides, chosen by a hash of their ids."""
    return Basis.fit(np.concatenate([_some(side) for side in sides]), metric, cells, seed)


def _some(side: Sample) -> Matrix:
    keys, rows = np.empty(0, np.uint64), None
    for names, vectors in _finite(side, drop=True):
        keys = np.concatenate([keys, hashes(names)])
        rows = vectors if rows is None else np.concatenate([rows, vectors])
        lowest = np.argsort(keys)[:_LOOKED_AT]
        keys, rows = keys[lowest], rows[lowest]
    if rows is None:
        raise InputError(f"{side.name} has no rows.", "Give a sample that has some.")
    return rows


def _metric(reference: Sample, current: Sample) -> str:
    told = [side.stamp.metric for side in (reference, current) if side.stamp is not None]
    return next((metric for metric in told if metric), "euclidean")


def _names(version: Version | None) -> list[list[str]]:
    if version is None:
        return []
    from spaceport.spaces.mapping import cell_names

    return cell_names(version)


def _told(item: Item) -> str:
    """The first text among an item's metadata, or its id."""
    texts = [value for value in item.metadata.values() if isinstance(value, str) and " " in value]
    return shorten(texts[0], _LETTERS, placeholder="…") if texts else item.id


def _share(told: tuple[float, float, float]) -> str:
    return f"{told[0]:.1%} ({told[1]:.1%} to {told[2]:.1%})"
