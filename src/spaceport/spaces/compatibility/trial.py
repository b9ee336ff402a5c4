"""Adapters tried on the items that two versions share: learnt from some, judged on others.

The shared items are drawn with a seed. A fifth of them, 50 to 2,000, is held out; the adapters learn from
the rest, up to 50,000. An item whose content is among those held out is not learnt from, whatever its id.
Items whose vector is zero on either side, about which nothing is known, are left out of both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.adapters.base import Adapter
from spaceport.arrays import Matrix, generator
from spaceport.errors import InputError
from spaceport.geometry.base import normalize
from spaceport.quality.overlap import draw
from spaceport.quality.recovery import Recovery, behind, recovery
from spaceport.spaces.layout import unfixed

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.pairing import Pairs

__all__ = ["PAIRS", "Candidate", "K", "Trial", "best", "candidate", "landed", "trial"]

Places: TypeAlias = npt.NDArray[np.int64]

K = 10
PAIRS = 50_000
HELD_OUT = 2_000
LEAST_HELD_OUT = 50
INDEX = 100_000


@dataclass(frozen=True, eq=False)
class Trial:
    """What adapters learn from and are judged on.

    Attributes
    ----------
    X, Y : ndarray of shape (n, p) and (n, q), float32
        The pairs to learn from: as they come in, and as they are wanted.
    asked, truth : ndarray of shape (h, p) and (h, q), float32
        The pairs held out.
    index : ndarray of shape (m, q), float32
        What is searched: all rows of the version led to, or a sample of them.
    own : ndarray of shape (h,), int64
        Where the held-out items stand in the index.
    metric : str
    normalized : bool
        Whether rows of the version led to have unit length.
    facts : dict
        Counts of all this, and a SHA-256 over the pairs learnt from: fingerprints, ids, contents.
    """

    X: Matrix
    Y: Matrix
    asked: Matrix
    truth: Matrix
    index: Matrix
    own: Places
    metric: str
    normalized: bool
    facts: dict[str, Any]

    def judge(self, sent: Matrix) -> Recovery:
        """What the held-out items still find, as they were sent."""
        return recovery(sent, self.truth, self.index, K, self.metric, self.own)

    def raw(self) -> Recovery | None:
        """The same with no adapter at all; None where the dimensions differ."""
        return self.judge(self.asked) if self.asked.shape[1] == self.index.shape[1] else None


@dataclass(frozen=True, eq=False)
class Candidate:
    """An adapter that was fitted and judged."""

    adapter: Adapter
    found: Recovery
    seconds: float

    @property
    def recall(self) -> float:
        """recall@10: the held-out items always stand in the index."""
        assert self.found.recall is not None
        return self.found.recall

    def facts(self) -> dict[str, Any]:
        """A row of the table of candidates."""
        told = {"spec": self.adapter.spec, "fit seconds": round(self.seconds, 3)}
        return told | self.found.facts() | {"chosen": self.adapter.facts()}


def trial(pairs: Pairs, most: int = PAIRS, seed: int = 0) -> Trial:
    """Draw what to learn from and what to judge on; `pairs.new` leads to `pairs.old`.

    Raises
    ------
    InputError
        Too few pairs: it takes twice as many as the smaller dimension, and 50 to be held out.
    """
    places = draw(len(pairs), most + HELD_OUT, seed)
    places = generator(seed).permutation(places)
    wanted, given = pairs.take(places)
    known = given.any(axis=1) & wanted.any(axis=1)
    places, wanted, given = places[known], wanted[known], given[known]
    held = _held_out(pairs, len(places), given.shape[1], wanted.shape[1])
    contents = _contents(pairs, places, given)
    out = set(contents[:held])
    learnt = np.array([row for row in range(held, len(places)) if contents[row] not in out], int)
    learnt = learnt[:most]
    if len(learnt) < _least(given.shape[1], wanted.shape[1]):
        raise _too_few(pairs, held + len(learnt), given.shape[1], wanted.shape[1])
    index, own = _index(pairs, places[:held], seed)
    told = {
        "shared": len(pairs),
        "pairs": len(learnt),
        "held_out": held,
        "unknown": int((~known).sum()),
        "pairs_sha256": _digest(pairs, places[learnt], [contents[row] for row in learnt]),
    }
    contract = pairs.old.contract
    return Trial(
        given[learnt], wanted[learnt], given[:held], wanted[:held],
        index, own, contract.metric, contract.normalized, told,
    )  # fmt: skip


def candidate(adapter: Adapter, on: Trial) -> Candidate:
    """Fit an adapter and judge it on what was held out."""
    began = time.perf_counter()
    adapter.fit(on.X, on.Y)
    seconds = time.perf_counter() - began
    return Candidate(adapter, on.judge(landed(adapter, on.asked, on.normalized)), seconds)


def best(candidates: Sequence[Candidate], bar: float) -> Candidate:
    """Give the one with the least freedom among those as good as the best.

    The best keeps most of the neighbors, which tells adapters apart that all find the item itself. As
    good: the 95 % interval of what it is behind, over the same held-out items, holds zero. Where the best
    reaches the bar with its recall, so does the one that is given.
    """
    leader = max(candidates, key=lambda each: each.found.neighbors)
    level = min(bar, leader.recall)
    as_good = []
    for each in candidates:
        gap, half = behind(leader.found.each, each.found.each)
        if (gap <= half and each.recall >= level) or each is leader:
            as_good.append(each)
    return min(as_good, key=lambda each: (each.adapter.freedom, -each.found.neighbors))


def landed(adapter: Adapter, rows: Matrix, normalized: bool) -> Matrix:
    """Send rows over; unit rows where the target has them; a row of zeros stays one."""
    sent = adapter(rows)
    sent[~rows.any(axis=1)] = 0
    return normalize(sent) if normalized else sent


def _least(p: int, q: int) -> int:
    """How many pairs it takes to learn: with fewer even a rotation is mostly guessed."""
    return 2 * min(p, q)


def _held_out(pairs: Pairs, count: int, p: int, q: int) -> int:
    """How many of `count` items are held out."""
    if count < _least(p, q) + LEAST_HELD_OUT:
        raise _too_few(pairs, count, p, q)
    return min(HELD_OUT, max(LEAST_HELD_OUT, count // 5))


def _too_few(pairs: Pairs, count: int, p: int, q: int) -> InputError:
    of, onto = pairs.new.reference, pairs.old.reference
    need = _least(p, q) + LEAST_HELD_OUT
    return InputError(
        f"{of} and {onto} share {count:,} different items that both know; an adapter from {p} to {q} "
        f"dimensions needs {need:,}: {need - LEAST_HELD_OUT:,} to learn from, {LEAST_HELD_OUT} to be judged on.",
        "Publish more of the same items in both versions.",
    )


def _contents(pairs: Pairs, places: Places, given: Matrix) -> list[bytes]:
    """What tells whether two items are the same thing: the content's hash, or the vector itself."""
    if not pairs.by_content:
        return [row.tobytes() for row in given]
    rows = pairs.new._table.rows(pairs.new_rows[places], columns=["content_hash"])
    found: list[bytes] = rows.column("content_hash").to_pylist()
    return found


def _digest(pairs: Pairs, places: Places, contents: Sequence[bytes]) -> str:
    seen = sha256()
    for side in (pairs.new, pairs.old):
        seen.update(side.record.fingerprint.encode())
    for name, content in sorted(zip(pairs.names(places), contents, strict=True)):
        seen.update(name.encode("utf-8", "surrogatepass") + b"\0" + content)
    return seen.hexdigest()


def _index(pairs: Pairs, held: Places, seed: int) -> tuple[Matrix, Places]:
    """The rows to search, and where the held-out items stand among them."""
    rows, table = pairs.old_rows[held], pairs.old._table
    if table.count <= INDEX:
        return np.asarray(pairs.old.vectors()), rows
    chosen = np.union1d(draw(table.count, INDEX, seed), rows)
    vectors = unfixed(table.rows(chosen, columns=["vector"]).column("vector"))
    return vectors, np.searchsorted(chosen, rows)
