"""Derived artifacts: classifiers, centroids and thresholds that hold in the coordinates of one version.

Each is stamped with that version and its fingerprint. Whoever changes the model behind a space gets
them listed, and using one with vectors of other coordinates is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import matrix
from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.geometry.neighbors import nearest
from spaceport.quality.linear import LinearClassifier
from spaceport.safe import read_arrays, read_json
from spaceport.spaces.compatibility.classifiers import read_classifier, write_classifier
from spaceport.spaces.space_vectors import Coordinates, SpaceVectors, agreeing
from spaceport.storage.names import Number, check_space, parse

if TYPE_CHECKING:
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version
    from spaceport.storage.store import Artifact

__all__ = [
    "KINDS",
    "Derived",
    "coordinates_of",
    "derived",
    "keep_centroids",
    "keep_probe",
    "keep_thresholds",
    "use",
]

KINDS = ("probe", "centroids", "thresholds", "task")
"""The kinds of artifacts that a change of coordinates makes worthless. Adapters know both sides."""


@dataclass(frozen=True)
class Derived:
    """An artifact that holds in the coordinates of one version.

    Attributes
    ----------
    kind, name : str
    of : str
        The version in whose coordinates it holds.
    fingerprint : str
        Of that version.
    fits : bool
        It can be used with the version that was asked about.
    created, who : str
    facts : mapping
    """

    kind: str
    name: str
    of: str
    fingerprint: str
    fits: bool
    created: str
    who: str
    facts: Mapping[str, Any]


def derived(spaceport: Spaceport, version: Version) -> list[Derived]:
    """List every derived artifact of a space, the oldest first, and whether it fits a version.

    Of tasks only those of consumers that are still there.
    """
    space = version.record.space
    used = {consumer.artifact for consumer in spaceport.store.consumers(space)}
    return [
        Derived(
            kind=artifact.kind,
            name=artifact.name,
            of=artifact.of,
            fingerprint=artifact.fingerprint,
            fits=coordinates_of(artifact).agrees(version.coordinates),
            created=artifact.created,
            who=artifact.who,
            facts=artifact.facts,
        )
        for artifact in spaceport.store.artifacts(space)
        if artifact.kind in KINDS and (artifact.kind != "task" or artifact.id in used)
    ]


def coordinates_of(artifact: Artifact) -> Coordinates:
    """Give the coordinates that an artifact holds in."""
    told = parse(artifact.of)
    return Coordinates(told.space, Number.parse(str(told.selector)), artifact.fingerprint)


def keep_probe(
    spaceport: Spaceport,
    reference: str,
    name: str,
    coef: npt.ArrayLike,
    intercept: npt.ArrayLike,
    classes: Sequence[str],
    facts: Mapping[str, Any] | None = None,
) -> Artifact:
    """Keep a linear classifier's weights, (c, d) and (c,), learnt on a version's vectors."""
    version = spaceport[reference]
    made = LinearClassifier(
        np.asarray(coef, np.float64), np.asarray(intercept, np.float64), tuple(classes)
    )
    _fits(made.dimension, version, "classifier")

    def write(folder: Path) -> None:
        write_classifier(folder, made)

    return _keep(
        spaceport, version, "probe", name, write, {"classes": len(classes), **(facts or {})}
    )


def keep_centroids(
    spaceport: Spaceport, reference: str, name: str, vectors: npt.ArrayLike, labels: Sequence[str]
) -> Artifact:
    """Keep a vector for each label, (c, d), in a version's coordinates."""
    version = spaceport[reference]
    if isinstance(vectors, SpaceVectors):
        agreeing(version.coordinates, vectors.coordinates)
    rows = matrix(np.asarray(vectors), "vectors")
    _fits(rows.shape[1], version, "centroids")
    names = [str(label) for label in labels]
    if len(names) != len(rows) or len(set(names)) < len(names):
        raise InputError(
            f"{len(rows)} centroids came with {len(set(names))} different labels of {len(names)}.",
            "Give each centroid a label of its own.",
        )

    def write(folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"centroids": rows}, folder / "centroids.safetensors")
        _write_json(folder / "labels.json", names)

    return _keep(spaceport, version, "centroids", name, write, {"labels": len(names)})


def keep_thresholds(
    spaceport: Spaceport, reference: str, name: str, values: Mapping[str, float]
) -> Artifact:
    """Keep similarities from which on something holds, by what holds."""
    version = spaceport[reference]
    told = {str(key): float(value) for key, value in values.items()}
    if not told or not np.isfinite(list(told.values())).all():
        raise InputError(
            f"`values` must hold finite numbers by name. Got {dict(values)!r}.",
            'Write for example {"duplicate": 0.93}.',
        )

    def write(folder: Path) -> None:
        _write_json(folder / "thresholds.json", told)

    return _keep(spaceport, version, "thresholds", name, write, {"values": told})


def use(
    spaceport: Spaceport, space: str, kind: str, name: str, vectors: SpaceVectors
) -> list[str] | dict[str, float]:
    """Use the latest derived artifact of a name with vectors of its own coordinates.

    Parameters
    ----------
    space, kind, name : str
        A kind of ``"probe"``, ``"centroids"`` or ``"thresholds"``.
    vectors : SpaceVectors of shape (n, d)
        As `Version.vectors` and `Version.encode` give them: plain arrays cannot be checked.

    Returns
    -------
    list of n str, or dict
        The class, or the nearest centroid's label, of each vector; of thresholds their values.

    Raises
    ------
    MismatchError
        The vectors are in other coordinates.
    """
    artifact = _find(spaceport, space, kind, name)
    if not isinstance(vectors, SpaceVectors):
        raise ParameterError(
            "The vectors do not say whose coordinates they are in.",
            "Take them from a version: `.vectors(...)` or `.encode(...)`.",
        )
    agreeing(coordinates_of(artifact), vectors.coordinates)

    def read(file: str) -> bytes:
        return spaceport.store.read(artifact, file)

    if kind == "thresholds":
        values: dict[str, float] = read_json(read("thresholds.json"), "thresholds.json")
        return values
    rows = np.atleast_2d(np.asarray(vectors))
    if kind == "probe":
        return read_classifier(read).answers(rows)
    arrays, _ = read_arrays(read("centroids.safetensors"), "the centroids")
    labels = read_json(read("labels.json"), "labels.json")
    places, _ = nearest(arrays["centroids"], rows, 1, spaceport[artifact.of].contract.metric)
    return [labels[place] for place in places[:, 0]]


def _find(spaceport: Spaceport, space: str, kind: str, name: str) -> Artifact:
    kinds = KINDS[:-1]
    if kind not in kinds:
        raise ParameterError(
            f"`kind` must be one of {', '.join(kinds)}. Got {kind!r}.", choices(str(kind), kinds)
        )
    known = {artifact.name: artifact for artifact in spaceport.store.artifacts(space, kind)}
    if name not in known:
        raise NotFoundError(f"{space} has no {kind} {name}.", choices(name, known))
    return known[name]


def _fits(dimension: int, version: Version, what: str) -> None:
    if dimension != version.record.dimension:
        raise InputError(
            f"The {what} have {dimension} dimensions, {version.reference} has {version.record.dimension}.",
            "Name the version that they were made from.",
        )


def _keep(
    spaceport: Spaceport,
    version: Version,
    kind: str,
    name: str,
    write: Any,
    facts: Mapping[str, Any],
) -> Artifact:
    check_space(name)
    with spaceport.store.keeping(version.record.space, wait=10.0) as keeper:
        write(keeper.folder)
        return keeper.keep(version.record, kind, name, facts=facts)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), encoding="utf-8")
