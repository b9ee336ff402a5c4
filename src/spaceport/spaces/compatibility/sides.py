"""Two versions side by side: what each of them is, from their cards where they have one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spaceport.geometry import spectrum
from spaceport.quality.overlap import draw
from spaceport.spaces.compatibility.pairing import table_of
from spaceport.spaces.layout import unfixed

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.passing import Lengths
    from spaceport.spaces.version import Version

__all__ = ["Row", "side_by_side"]

_SPECTRUM_ROWS = 20_000
_NONE = "not measured"


@dataclass(frozen=True)
class Row:
    """One property of both versions, as values and as people read them.

    Attributes
    ----------
    name : str
    old, new : object
        JSON-able; None where it was not measured.
    texts : tuple of two str
    """

    name: str
    old: Any
    new: Any
    texts: tuple[str, str]


def side_by_side(old: Version, new: Version, lengths: tuple[Lengths, Lengths]) -> list[Row]:
    """Compare what the versions are.

    Parameters
    ----------
    old, new : Version
    lengths : tuple of two Lengths
        Of the shared rows, for versions whose contract does not say that rows have length one.
    """
    sides = [_side(version, rows) for version, rows in zip((old, new), lengths, strict=True)]
    return [
        Row(name, sides[0][name][0], sides[1][name][0], (sides[0][name][1], sides[1][name][1]))
        for name in sides[0]
    ]


def _side(version: Version, rows: Lengths) -> dict[str, tuple[Any, str]]:
    contract, record = version.contract, version.record
    unit = bool(contract.normalized or rows.normalized)
    told = _card(version)
    rank, isotropy = _shape(version, told)
    return {
        "encoder": (record.spec, record.spec or "imported"),
        "published": (record.created, record.created + (f" by {record.who}" if record.who else "")),
        "source": _source(version),
        "rows": (len(version), f"{len(version):,}"),
        "dimension": (contract.dimension, str(contract.dimension)),
        "metric": (contract.metric, contract.metric),
        "rows of length one": (unit, "yes" if unit else "no"),
        "effective rank": (rank, f"{rank:.1f}"),
        "isotropy": (isotropy, f"{isotropy:.3f}"),
        "orphans": _of_card(told, "orphans", lambda share: f"{share:.1%}"),
        "largest hub": _of_card(told, "largest hub", lambda hub: f"{hub[0]} ({hub[1]:,})"),
    }


def _card(version: Version) -> dict[str, Any]:
    if "card.json" not in version.store.files(version.record):
        return {}
    return {fact.name: fact.value for fact in version.card}


def _of_card(told: dict[str, Any], name: str, write: Callable[[Any], str]) -> tuple[Any, str]:
    return (told[name], write(told[name])) if name in told else (None, _NONE)


def _shape(version: Version, told: dict[str, Any]) -> tuple[float, float]:
    """Effective rank and isotropy: from the card, else of 20,000 rows drawn with seed 0."""
    if "effective rank" in told and "isotropy" in told:
        return told["effective rank"], told["isotropy"]
    table = table_of(version)
    places = draw(table.count, _SPECTRUM_ROWS, seed=0)
    rows = unfixed(table.rows(places, columns=["vector"]).column("vector"))
    return spectrum.effective_rank(rows), spectrum.isotropy(rows)


def _source(version: Version) -> tuple[Any, str]:
    """What the version was built from, as its lineage says."""
    source = version.record.lineage.get("source") or {}
    spec = source.get("spec") or version.record.notes.get("source")
    return (spec, str(spec)) if spec else (None, "not known")
