"""What a panel found, as a value: numbers, text for a person on call, JSON for a machine."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from spaceport.drift.base import Evidence
from spaceport.drift.panel.detectable import Detectable
from spaceport.drift.panel.effects import Effect
from spaceport.drift.panel.localization import Localization

__all__ = ["Verdict"]

_NAMED = 5


@dataclass(frozen=True)
class Verdict:
    """What the panel found.

    Attributes
    ----------
    p : float
        Of all members together: the chance of evidence at least as strong where nothing drifted.
    alpha : float
        The false-alarm rate: drift is told where p is at most this.
    evidence : tuple of Evidence
        Of each member.
    rows : (int, int)
        How many rows the reference and the current sample have.
    effects : tuple of Effect
        How large the drift is: ``moved``, ``changed``, ``mean``, ``within``.
    detectable : Detectable, optional
        What these samples would have shown four times in five.
    tolerance : float, optional
        The share of the items that may move before anybody cares.
    where : Localization, optional
        The cells.
    dropped : (int, int)
        Rows that were left out because they hold NaN or infinity.
    """

    p: float
    alpha: float
    evidence: tuple[Evidence, ...]
    rows: tuple[int, int] = (0, 0)
    effects: tuple[Effect, ...] = ()
    detectable: Detectable | None = None
    tolerance: float | None = None
    where: Localization | None = None
    dropped: tuple[int, int] = (0, 0)

    @property
    def drift(self) -> bool:
        """The p-value is at most alpha."""
        return self.p <= self.alpha

    @property
    def practical(self) -> bool | None:
        """At least `tolerance` of the items has moved: all of the interval lies above; None without one."""
        moved = self.effect("moved")
        return None if self.tolerance is None or moved is None else moved.low > self.tolerance

    @property
    def alarm(self) -> bool:
        """There is drift, and it is of practical size where a tolerance says what that is."""
        return self.drift and self.practical is not False

    def effect(self, name: str) -> Effect | None:
        """The effect of that name; None where it was not measured."""
        return next((effect for effect in self.effects if effect.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values that JSON can hold."""
        told = asdict(self)
        told.update(drift=self.drift, practical=self.practical, alarm=self.alarm)
        told["where"] = None if self.where is None else self.where.to_dict()
        plain: dict[str, Any] = _plain(told)
        return plain

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as strict JSON."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def __str__(self) -> str:
        told = [("drift" if self.drift else "no drift", self._heading())]
        told += [(effect.name, _sentence(effect)) for effect in self.effects]
        if self.practical is not None:
            told.append(("tolerance", self._practical()))
        if self.where is not None:
            told.append(("where", self.where.line(_NAMED)))
        if self.detectable is not None:
            told.append(("would find", _would_find(self.detectable)))
        told.append(("members", self._members()))
        return "\n".join(f"{name:<11}{text}" for name, text in told)

    def _heading(self) -> str:
        n, m = self.rows
        lost = sum(self.dropped)
        left = f"; {lost:,} broken rows left out" if lost else ""
        return f"p = {self.p:.2g} at alpha {self.alpha:g} · {n:,} rows then, {m:,} now{left}"

    def _practical(self) -> str:
        side = "more" if self.practical else "no more"
        return f"{side} than {self.tolerance:.1%} of the items has surely moved"

    def _members(self) -> str:
        return " · ".join(
            f"{each.test.removesuffix('()')} p = {each.p:.2g}" for each in self.evidence
        )


def _sentence(effect: Effect) -> str:
    value, low, high = effect.value, effect.low, effect.high
    if effect.name == "moved":
        return f"at least {low:.1%} of the items ({value:.1%} found)"
    if effect.name == "changed":
        return f"{value:.1%} of the items changed cells ({low:.1%} to {high:.1%})"
    span = f"{value:.2f} standard deviations ({low:.2f} to {high:.2f})"
    return (
        f"the mean moved by {span}" if effect.name == "mean" else f"cell {effect.cell}: by {span}"
    )


def _would_find(found: Detectable) -> str:
    mix = f"{found.mix:.1%} of the items from one cell" if found.mix <= 1 else "no change of cells"
    return f"a mean moved by {found.mean:.2f} standard deviations, or {mix} (4 times in 5)"


def _plain(value: Any) -> Any:
    """Without tuples, and None for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
