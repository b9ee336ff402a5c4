"""Published adapters: found again, and used so that one version's encoder serves another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spaceport.adapters.base import FILES, Adapter, from_bytes
from spaceport.arrays import matrix
from spaceport.errors import MismatchError, NotFoundError, ParameterError
from spaceport.spaces.compatibility.trial import landed
from spaceport.spaces.space_vectors import Coordinates, SpaceVectors, agreeing
from spaceport.storage.names import Number

if TYPE_CHECKING:
    from spaceport.spaces.holding import Holding
    from spaceport.storage.store import Artifact, Store

__all__ = [
    "KIND",
    "Published",
    "Through",
    "adapt",
    "adapters",
    "advice",
    "encode_through",
    "find",
    "published",
]

KIND = "adapter"


@dataclass(frozen=True)
class Through(Coordinates):
    """Coordinates that vectors were brought to, and by what.

    Attributes
    ----------
    through : str
        The adapter, as it prints.
    """

    through: str = ""


@dataclass(frozen=True, eq=False)
class Published:
    """An adapter that was measured and kept.

    Attributes
    ----------
    artifact : Artifact
        Its row in the catalog; `facts` of it say what was measured.
    of, onto : Coordinates
        Whose vectors come in, and whose coordinates come out.
    """

    artifact: Artifact
    of: Coordinates
    onto: Coordinates
    _store: Store

    @cached_property
    def adapter(self) -> Adapter:
        """The map itself, read and checked at first use."""
        described, weights = (self._store.read(self.artifact, name) for name in FILES)
        return from_bytes(described, weights)

    @property
    def facts(self) -> dict[str, Any]:
        """What was measured when it was published."""
        return dict(self.artifact.facts)

    @property
    def spec(self) -> str:
        """The method, as one line."""
        return str(self.artifact.facts["spec"])

    @property
    def recall(self) -> float:
        """recall@10 on items held out: the share of those that a full re-embedding finds."""
        return float(self.artifact.facts["recall"])

    @property
    def forced(self) -> bool:
        """It was published although it missed the bar."""
        return bool(self.artifact.facts["forced"])

    def __repr__(self) -> str:
        warning = f" · FORCED below {self.artifact.facts['bar']:g}" if self.forced else ""
        way = f"{self.of.reference} → {self.onto.reference}"
        return f"{way} · {self.spec} · recall@10 {self.recall:.3f}{warning}"

    def __call__(self, vectors: npt.ArrayLike) -> SpaceVectors:
        """Bring vectors over.

        Parameters
        ----------
        vectors : SpaceVectors or array-like of shape (n, p)
            In the coordinates `of`; whose a plain array is nobody can check.

        Returns
        -------
        SpaceVectors of shape (n, q)
            In the coordinates `onto`, unit rows where its version has them; zero rows stay zero.
            ``coordinates.through`` names the adapter.

        Raises
        ------
        MismatchError
            The vectors are of other coordinates.
        """
        if isinstance(vectors, SpaceVectors):
            agreeing(vectors.coordinates, self.of)
        rows = matrix(np.asarray(vectors), "vectors", self.adapter.dimensions[0])
        sent = landed(self.adapter, rows, bool(self.artifact.facts["normalized"]))
        to = Through(self.onto.space, self.onto.number, self.onto.fingerprint, repr(self))
        return SpaceVectors(sent, to)


def adapters(store: Store, space: str) -> list[Published]:
    """Give all adapters that lead away from a space, the oldest first."""
    return [published(store, artifact) for artifact in store.artifacts(space, KIND)]


def find(store: Store, of: Coordinates | Holding, onto: Coordinates | Holding) -> Published | None:
    """Give the adapter that brings vectors of `of` to the coordinates of `onto`; None: there is none.

    Of several it is the latest that reached its bar, else the latest.
    """
    start, end = _coordinates(of), _coordinates(onto)
    try:
        known = adapters(store, start.space)
    except NotFoundError:  # the vectors are of another store
        return None
    fit = [each for each in known if each.of.agrees(start) and each.onto.agrees(end)]
    return max(fit, key=lambda each: (not each.forced, each.artifact.id), default=None)


def advice(store: Store, of: Coordinates, onto: Coordinates) -> str | None:
    """Say which published adapter would help where vectors of `of` came instead of `onto`."""
    found = find(store, of, onto)
    if found is None:
        return None
    kept = found.artifact
    return f"The adapter `{kept.name}` leads from {kept.of} to {kept.onto}"


def adapt(version: Holding, vectors: npt.ArrayLike, of: str | None = None) -> SpaceVectors:
    """Bring vectors to the coordinates of `version`; see `Version.adapt`."""
    if of is None and not isinstance(vectors, SpaceVectors):
        raise ParameterError(
            "A plain array does not say whose coordinates it is in.",
            "Give what `Version.encode` or `Version.vectors` gave, or name the version: of='news@2'.",
        )
    if isinstance(vectors, SpaceVectors):
        start = vectors.coordinates
        if of is not None:
            agreeing(start, _version(version, of).coordinates)
    else:
        start = _version(version, str(of)).coordinates
    if start.agrees(version.coordinates):
        return SpaceVectors(vectors, version.coordinates)
    return _required(version, start)(vectors)


def encode_through(version: Holding, items: Sequence[Any], role: str, through: str) -> SpaceVectors:
    """Encode items by another version's encoder and bring them to the coordinates of `version`."""
    served = _version(version, through)
    if not served.coordinates.agrees(version.coordinates):
        _required(version, served.coordinates)  # before the encoder is run
    return adapt(version, served.encode(items, role))


def _required(version: Holding, start: Coordinates) -> Published:
    found = find(version.store, start, version)
    if found is None:
        raise MismatchError(
            f"No adapter leads from {start.reference} to {version.reference}.",
            f"Make one: spaceport align {start.reference} --onto {version.reference}",
        )
    return found


def _version(beside: Holding, reference: str) -> Holding:
    return type(beside)(beside.store, beside.store.resolve(reference))


def _coordinates(of: Coordinates | Holding) -> Coordinates:
    return of if isinstance(of, Coordinates) else of.coordinates


def published(store: Store, artifact: Artifact) -> Published:
    """Give an adapter by its row in the catalog."""
    target = store.resolve(str(artifact.onto))
    space, _, number = artifact.of.partition("@")
    of = Coordinates(space, Number.parse(number), artifact.fingerprint)
    onto = Coordinates(target.space, target.number, target.fingerprint)
    return Published(artifact, of, onto, store)
