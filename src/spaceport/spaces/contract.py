"""What a space promises to those who use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from spaceport.errors import CorruptError, ParameterError
from spaceport.geometry.similarity import METRICS

__all__ = ["TOLERANCE", "Contract"]

TOLERANCE = 1e-3
"""Where vectors came without their encoder, so that no noise can be measured: the largest distance,
relative to the longer vector, at which two vectors count as equal. A trip through float16 moves them by
up to 5e-4; another model by about 1."""


@dataclass(frozen=True)
class Contract:
    """What a space promises.

    Attributes
    ----------
    modality : str
        What the items are, in the words of `sources.base.Source`: ``"words"``, ``"texts"``, …
    dimension : int
        Length of each vector.
    metric : {"cosine", "dot", "euclidean"}
        The similarity under which distance carries meaning.
    normalized : bool
        Rows are unit length (a zero row, an item about which nothing is known, is permitted).
    fingerprint : str
        64 hexadecimal digits over everything that changes the numbers; never a name.
    dtype : str
        Always ``"float32"`` in this release.
    roles : tuple of str
        The sides of a search that the encoder tells apart.
    dimensions : tuple of int
        Shorter prefixes of a vector that may be used alone; empty means none.
    tolerance : float
        How far a canary may be from its vector; see `canaries`, or `TOLERANCE` where there are none.
    losses : tuple of float
        Of each of `dimensions` the share of the 10 nearest that are lost with it.
    """

    modality: str
    dimension: int
    metric: str
    normalized: bool
    fingerprint: str
    dtype: str = "float32"
    roles: tuple[str, ...] = ("document",)
    dimensions: tuple[int, ...] = ()
    tolerance: float = TOLERANCE
    losses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ParameterError(
                f"`metric` must be one of {', '.join(METRICS)}. Got {self.metric!r}.", "Choose one."
            )

    def check_role(self, role: str) -> str:
        """Give `role` back; a ParameterError where the encoder does not tell such a side apart."""
        if role not in self.roles:
            raise ParameterError(
                f"`role` must be one of {', '.join(self.roles)}. Got {role!r}.", "Choose one."
            )
        return role

    def check_dimension(self, dimension: int) -> int:
        """Give `dimension` back; a ParameterError where vectors may not be cut so short."""
        if dimension in (self.dimension, *self.dimensions):
            return dimension
        pairs = zip(self.dimensions, self.losses, strict=True)
        known = ", ".join(f"{each} (loses {loss:.1%} of the neighbors)" for each, loss in pairs)
        raise ParameterError(
            f"Vectors of {self.dimension} numbers may not be cut to {dimension!r}.",
            f"Permitted are {known}."
            if known
            else "No shorter ones were measured: build with dimensions=[...].",
        )

    def to_dict(self) -> dict[str, Any]:
        """The contract as plain JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Contract:
        """Undo `to_dict`."""
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        try:
            return cls(**told)
        except TypeError as error:
            raise CorruptError(
                "The catalog's contract of a version lacks something, or has too much.",
                "Restore the catalog from a backup.",
            ) from error
