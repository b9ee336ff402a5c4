"""Broken vectors first: what is wrong with rows before anything is asked about their distribution.

=================  ===============================================================================
missing            no vector, or no content to encode
dimension          another number of numbers than the version's vectors have
infinite           NaN or infinity
unreadable         a content that the encoder cannot read
zero               all numbers 0: an item of which the encoder knows nothing. Counted, not broken
copies             exact copies of other rows. Counted
length             the norms of sound rows
unseen             of each text the share of tokens that the encoder has no vector for
=================  ===============================================================================

The first four are *broken*: nothing can be tested with them. They are refused unless they are to be left
out, and then they are counted.

Two healths are compared check by check: shares of rows by Fisher's exact test, means by Welch's t, the
p-values adjusted by Holm, so that all checks together say something wrong with probability at most α. Both
take rows to be independent. Copies are counted over distinct vectors, at the number of rows of the
smaller side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import CorruptError, InputError
from spaceport.monitoring.copies import Copies
from spaceport.monitoring.events import FAULTS, Events
from spaceport.monitoring.spread import Spread, welch
from spaceport.quality.rates import fisher, holm, newcombe

__all__ = ["Finding", "Health", "compare"]

NAMED = 5
"""How many ids are told of each kind."""

_WORDS = {
    "missing": "no vector or content",
    "dimension": "another dimension",
    "infinite": "NaN or infinity",
    "unreadable": "a content that cannot be read",
    "zero": "only zeros",
}
_LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class Health:
    """What some rows are like; `a + b` is that of both.

    Attributes
    ----------
    rows : int
    counts : dict of str to int
        Rows by what is wrong with them: the `FAULTS`, and ``zero``.
    first : dict of str to tuple of str
        Of each kind the first ids.
    copies : Copies
        Of sound rows that are not zero.
    norms : Spread
        Of sound rows.
    unseen : Spread
        Of texts with a token.
    """

    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(_WORDS, 0))
    first: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(_WORDS, ()))
    copies: Copies = field(default_factory=lambda: Copies.of(np.zeros((0, 1), np.float32)))
    norms: Spread = field(default_factory=Spread)
    unseen: Spread = field(default_factory=Spread)

    @classmethod
    def of(cls, events: Events) -> Health:
        """Look at some events."""
        sound = events.sound
        rows = events.vectors if sound.all() else events.vectors[sound]
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        nothing = np.zeros(len(events), bool)
        nothing[np.flatnonzero(sound)[norms == 0]] = True
        masks = {name: events.faults == place for place, name in enumerate(FAULTS, 1)}
        masks["zero"] = nothing
        return cls(
            rows=len(events),
            counts={name: int(mask.sum()) for name, mask in masks.items()},
            first={name: _ids(events.ids, mask) for name, mask in masks.items()},
            copies=Copies.of(rows if norms.all() else rows[norms > 0]),
            norms=Spread.of(norms),
            unseen=_unseen(events),
        )

    @classmethod
    def of_vectors(cls, X: Matrix) -> Health:
        """Look at a version's own vectors (n, d), finite."""
        count = len(X)
        events = Events(
            ids=pa.array([""] * count, pa.string()),
            at=np.zeros(count, "datetime64[us]"),
            vectors=np.asarray(X),
            faults=np.zeros(count, np.uint8),
        )
        return cls.of(events)

    @property
    def broken(self) -> int:
        """Rows that cannot be tested."""
        return sum(self.counts[name] for name in FAULTS)

    @property
    def sound(self) -> int:
        """Rows that can."""
        return self.rows - self.broken

    def refuse(self, path: str) -> None:
        """Raise if any row is broken.

        Raises
        ------
        InputError
            Counts and first ids of each kind.
        """
        if not self.broken:
            return
        told = "; ".join(
            f"{self.counts[name]:,} with {_WORDS[name]} ({_few(self.first[name], self.counts[name])})"
            for name in FAULTS
            if self.counts[name]
        )
        raise InputError(
            f"{path} has {self.broken:,} broken rows of {self.rows:,}: {told}.",
            "Mend what made them, or leave them out and have them counted: --drop-broken.",
        )

    def __add__(self, other: Health) -> Health:
        return Health(
            rows=self.rows + other.rows,
            counts={name: self.counts[name] + other.counts[name] for name in _WORDS},
            first={name: (*self.first[name], *other.first[name])[:NAMED] for name in _WORDS},
            copies=self.copies + other.copies,
            norms=self.norms + other.norms,
            unseen=self.unseen + other.unseen,
        )

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            "rows": self.rows,
            "counts": dict(self.counts),
            "first": {name: list(ids) for name, ids in self.first.items()},
            "copies": self.copies.to_dict(),
            "norms": self.norms.to_dict(),
            "unseen": self.unseen.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Health:
        """Undo `to_dict`.

        Raises
        ------
        CorruptError
        """
        try:
            counts = {name: int(told["counts"][name]) for name in _WORDS}
            found = cls(
                rows=int(told["rows"]),
                counts=counts,
                first={name: tuple(map(str, told["first"][name])) for name in _WORDS},
                copies=Copies.from_dict(told["copies"]),
                norms=Spread.from_dict(told["norms"]),
                unseen=Spread.from_dict(told["unseen"]),
            )
            if found.rows < 0 or min(counts.values()) < 0 or found.broken > found.rows:
                raise ValueError(f"{found.broken} broken rows of {found.rows}")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptError(
                "What is kept of a day's health cannot be read.", "Run `spaceport verify`."
            ) from error
        return found


@dataclass(frozen=True)
class Finding:
    """One check of two healths.

    Attributes
    ----------
    check : str
        ``missing``, ``dimension``, ``infinite``, ``unreadable``, ``zero``, ``copies``, ``length``, ``unseen``.
    reference, current : float
        Shares of rows; means for ``length`` and ``unseen``.
    low, high : float
        95 % interval of current − reference.
    p : float
        Adjusted for the number of checks.
    found : bool
        It is at most α, and for ``length`` the change above a ten-thousandth.
    """

    check: str
    reference: float
    current: float
    low: float
    high: float
    p: float
    found: bool

    def __str__(self) -> str:
        name = {"length": "mean length", "unseen": "unseen tokens"}.get(self.check, self.check)
        shares = self.check != "length"
        before, after = (
            f"{value:.3%}" if shares else f"{value:.4g}" for value in (self.reference, self.current)
        )
        return f"{name}: {before} before, {after} now (p = {self.p:.2g})"

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def compare(reference: Health, current: Health, alpha: float = 0.01) -> list[Finding]:
    """Compare what rows are like, check by check, what was found first.

    Parameters
    ----------
    reference, current : Health
    alpha : float
        Probability that any check finds something although nothing changed, at most.

    Returns
    -------
    list of Finding
        Of every check that could be made, by p.
    """
    made = [_share_of(name, reference, current) for name in _WORDS]
    made.append(_copies_of(reference, current))
    made += [_mean_of(name, reference, current) for name in ("length", "unseen")]
    checks = [check for check in made if check is not None]
    adjusted = holm([check[-1] for check in checks])
    findings = []
    for (name, before, after, low, high, _), p in zip(checks, adjusted, strict=True):
        large = name != "length" or abs(after - before) > _LEAST * max(before, after)
        findings.append(Finding(name, before, after, low, high, p, p <= alpha and large))
    return sorted(findings, key=lambda finding: (not finding.found, finding.p))


def _share_of(name: str, reference: Health, current: Health) -> tuple[Any, ...] | None:
    sides = (reference, current)
    rows = [h.sound if name == "zero" else h.rows for h in sides]
    return _shares(name, [h.counts[name] for h in sides], rows)


def _copies_of(reference: Health, current: Health) -> tuple[Any, ...] | None:
    """Among distinct vectors those that stand twice, at the number of rows of the smaller side."""
    least = min(reference.norms.count, current.norms.count)
    thin = [
        side.copies.thinned(least / side.norms.count if side.norms.count else 1.0)
        for side in (reference, current)
    ]
    return _shares("copies", [c.twice for c in thin], [len(c.counts) for c in thin])


def _shares(name: str, counts: Sequence[int], rows: Sequence[int]) -> tuple[Any, ...] | None:
    if not min(rows):
        return None
    low, high = newcombe(counts[1], rows[1], counts[0], rows[0])
    p = fisher(counts[1], rows[1], counts[0], rows[0])
    return (name, counts[0] / rows[0], counts[1] / rows[1], float(low), float(high), p)


def _mean_of(name: str, reference: Health, current: Health) -> tuple[Any, ...] | None:
    before, after = (h.norms if name == "length" else h.unseen for h in (reference, current))
    change = welch(before, after)
    return None if change is None else (
        name, before.mean, after.mean, change.low, change.high, change.p,
    )  # fmt: skip


def _unseen(events: Events) -> Spread:
    if events.tokens is None:
        return Spread()
    tokens, unseen = events.tokens[events.tokens[:, 0] > 0].T
    return Spread.of(unseen / tokens)


def _ids(ids: pa.Array, mask: Any) -> tuple[str, ...]:
    return tuple(ids[int(row)].as_py() for row in np.flatnonzero(mask)[:NAMED])


def _few(ids: Sequence[str], count: int) -> str:
    more = ", …" if count > len(ids) else ""
    return f"{', '.join(repr(id[:40]) for id in ids)}{more}"
