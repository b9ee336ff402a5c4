"""A sample of a window's rows that merges: those whose ids have the smallest hashes.

Of any collection the rows with the k smallest hashes are a simple random sample of it, and those of two
collections together are among the k smallest of each. Equal hashes, of one id that came twice, say,
are ordered by id and then by the row's bytes, so that the order of merging never shows.

Cohen, E. & Kaplan, H. (2007). Summarizing data using bottom-k sketches. PODC, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix

__all__ = ["SAMPLE", "Keys", "Sample", "merged"]

SAMPLE = 1024
"""How many rows a window's sample holds."""

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows with their ids, by ascending hash.

    Attributes
    ----------
    room : int
        The k; of two samples that are merged the smaller counts.
    keys : ndarray of shape (s,), uint64
    ids : tuple of s str
    refs : tuple of s str
        Where the contents lie; empty strings where nobody said.
    rows : ndarray of shape (s, d), float32
    """

    room: int
    keys: Keys
    ids: tuple[str, ...]
    refs: tuple[str, ...]
    rows: Matrix

    @classmethod
    def none(cls, dimension: int, room: int) -> Sample:
        """Give the sample of no rows."""
        return cls(room, np.empty(0, np.uint64), (), (), np.empty((0, dimension), np.float32))

    @property
    def bar(self) -> np.uint64:
        """The largest hash that could still come in."""
        return self.keys[-1] if len(self.keys) >= self.room else np.uint64(2**64 - 1)

    def __len__(self) -> int:
        return len(self.keys)

    def __add__(self, other: Sample) -> Sample:
        return merged([self, other])

    @classmethod
    def of(cls, room: int, keys: Keys, ids: list[str], refs: list[str], rows: Matrix) -> Sample:
        """Keep the rows with the `room` smallest hashes."""
        order = _order(keys, ids, rows)[:room]
        return cls(
            room,
            keys[order],
            tuple(ids[place] for place in order),
            tuple(refs[place] for place in order),
            rows[order],
        )


def merged(samples: list[Sample]) -> Sample:
    """Give the sample of all that several samples are of."""
    room = min(sample.room for sample in samples)
    keys = np.concatenate([sample.keys for sample in samples])
    bar = keys if len(keys) <= room else np.partition(keys, room - 1)[:room]
    highest = bar.max(initial=np.uint64(0))
    cuts = [int(np.searchsorted(sample.keys, highest, side="right")) for sample in samples]
    return Sample.of(
        room,
        np.concatenate([s.keys[:cut] for s, cut in zip(samples, cuts, strict=True)]),
        [name for s, cut in zip(samples, cuts, strict=True) for name in s.ids[:cut]],
        [ref for s, cut in zip(samples, cuts, strict=True) for ref in s.refs[:cut]],
        np.concatenate([s.rows[:cut] for s, cut in zip(samples, cuts, strict=True)]),
    )


def _order(keys: Keys, ids: list[str], rows: Matrix) -> npt.NDArray[np.intp]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    if (ordered[1:] != ordered[:-1]).all():
        return order
    by_all = sorted(order.tolist(), key=lambda at: (int(keys[at]), ids[at], rows[at].tobytes()))
    return np.array(by_all, np.intp)
