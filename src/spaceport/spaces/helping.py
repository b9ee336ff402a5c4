"""What would help where two coordinate systems do not agree: a published adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spaceport.errors import SpaceportError
from spaceport.storage.names import parse

if TYPE_CHECKING:
    from spaceport.spaces.space_vectors import Coordinates
    from spaceport.storage.store import Store

__all__ = ["adapter_between"]


def adapter_between(store: Store, of: Coordinates, onto: Coordinates) -> str | None:
    """Name the latest adapter that takes vectors of `of` to `onto`; None where there is none."""
    try:
        adapters = store.artifacts(of.space, "adapter")
    except SpaceportError:  # the space lies in another store
        return None
    for adapter in reversed(adapters):
        if _in(of, adapter.of) and _in(onto, adapter.onto or ""):
            return f"The adapter `{adapter.name}` leads from {adapter.of} to {adapter.onto}"
    return None


def _in(coordinates: Coordinates, reference: str) -> bool:
    """Whether the version that `reference` names is of the coordinates' space and major."""
    told = parse(reference) if reference else None
    major = None if told is None else (told.prefix or (None,))[0]
    return told is not None and (told.space, major) == (coordinates.space, coordinates.number.major)
