"""The map of a version: its own neighbor graph projected, its own cells labeled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as release
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport import methods
from spaceport.arrays import Matrix, matrix
from spaceport.errors import CorruptError, InputError, MissingExtra, ParameterError
from spaceport.geometry import cells
from spaceport.geometry.similarity import normalize
from spaceport.maps.base import Projection
from spaceport.maps.page import html, labels, picture
from spaceport.maps.page.base import Level, Page
from spaceport.safe import read_arrays
from spaceport.spaces.newcomers import added, newcomers

if TYPE_CHECKING:
    from spaceport.spaces.holding import Holding

__all__ = ["THUMBNAIL", "cell_names", "draw", "page"]

New: TypeAlias = tuple[npt.ArrayLike, Sequence[str] | None, Sequence[str] | None]

THUMBNAIL = "thumbnail"
"""The column of small pictures that the map shows."""


def draw(
    version: Holding,
    path: Path,
    color: str | None = None,
    method: str = "umap",
    new: New | None = None,
) -> None:
    """Write the map of `version` as a page (``.html``) or a picture (``.png``).

    Parameters
    ----------
    version : Holding
    path : Path
        Its ending says which of the two.
    color : str, optional
        A metadata column; by default the label that the version was built with.
    method : str
        A projection with its parameters, ``"umap(neighbors=30)"``.
    new : tuple of vectors (m, d), ids or None, texts or None, optional
        Items to place on the map and to color by how unusual they are.
    """
    writers = {".html": html.write, ".png": picture.write}
    if path.suffix not in writers:
        raise ParameterError(
            f"A map is written as .html or .png. Got {path.name!r}.",
            "Let the name end in .html (a page) or .png (a picture).",
        )
    shown = page(version, color, method)
    if new is not None:
        shown = added(shown, newcomers(version, shown.positions, *new))
    writers[path.suffix](path, shown)


def page(version: Holding, color: str | None = None, method: str = "umap") -> Page:
    """Everything that the map of `version` shows."""
    texts = version.texts
    counted = None if texts is None else labels.bag(texts)
    metadata = version.metadata()
    names = [name for name in version.columns if name != "text" and not _binary(metadata, name)]
    return Page(
        title=version.reference,
        subtitle=f"{len(version):,} {version.contract.modality} · {version.contract.dimension} dimensions",
        positions=_positions(version, methods.parse("maps", method)),
        ids=version.ids,
        texts=[] if texts is None else texts,
        columns={name: metadata.column(name).to_pylist() for name in names},
        levels=[_level(version, centroids, counted) for centroids in version.cells],
        card=[(fact.name, fact.text) for fact in version.card],
        pictures=_thumbnails(metadata),
        color=color or version.label or "",
    )


def cell_names(version: Holding) -> list[list[str]]:
    """The labels that the map gives the cells, level by level; ``""`` of a cell that has none."""
    texts = version.texts
    counted = None if texts is None else labels.bag(texts)
    return [list(_level(version, centroids, counted).labels) for centroids in version.cells]


def _level(version: Holding, centroids: Matrix, counted: labels.Bag | None) -> Level:
    assignment = cells.assign(version.vectors(), centroids, version.contract.metric)
    if counted is not None:
        return Level(assignment, labels.labels(counted, assignment, len(centroids)))
    classes = _classes(version)
    if classes is not None:
        return Level(assignment, labels.commonest(classes, assignment, len(centroids)))
    return Level(assignment, _words_of(version, assignment, centroids))


def _binary(metadata: pa.Table, name: str) -> bool:
    """Whether the column holds bytes, which neither color nor tell."""
    return "binary" in str(metadata.schema.field(name).type)


def _thumbnails(metadata: pa.Table) -> list[bytes | None]:
    """The items' small pictures; none where they were not kept."""
    if THUMBNAIL not in metadata.schema.names or not _binary(metadata, THUMBNAIL):
        return []
    kept: list[bytes | None] = metadata.column(THUMBNAIL).to_pylist()
    return kept


def _classes(version: Holding) -> list[Any] | None:
    """The label's values, if they are classes: the items are no words, and two or more share a value."""
    if version.contract.modality == "words" or version.label is None:
        return None
    values: list[Any] = version.metadata([version.label]).column(version.label).to_pylist()
    return values if 2 * len(set(values)) <= len(values) else None


def _words_of(version: Holding, assignment: npt.NDArray[np.int32], centroids: Matrix) -> list[str]:
    """Labels where the items themselves are words: those near the middle, the frequent ones first."""
    closeness = (normalize(version.vectors()) * normalize(centroids)[assignment]).sum(axis=1)
    counts = (
        version.metadata(["count"]).column("count").to_numpy()
        if "count" in version.columns
        else None
    )
    return labels.central(version.ids, assignment, closeness, counts)


def _positions(version: Holding, projection: Projection) -> Matrix:
    """Project, or take what was projected before: the cache is keyed by all that the answer hangs on."""
    cached = version.cache / f"map-{_key(version, projection)}.safetensors"
    positions = _remembered(cached, len(version))
    if positions is None:
        graph = version.graph
        distances = _distances(graph.similarities, version.contract.metric)
        positions = projection.positions(version.vectors(), graph.indices, distances)
        _remember(cached, positions)
    return positions


def _remembered(path: Path, rows: int) -> Matrix | None:
    """Positions from the cache; None where there are none, or none that can be read."""
    try:
        arrays, _ = read_arrays(path, "the map")
        positions: Matrix = matrix(arrays["positions"], dimension=2)
    except (KeyError, CorruptError, InputError):
        return None
    return positions if len(positions) == rows else None


def _remember(path: Path, positions: Matrix) -> None:
    """Write the cache under another name first, so that a crash leaves no half file under this one."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(f".{os.getpid()}")
    save_file({"positions": np.ascontiguousarray(positions)}, passing)
    passing.replace(path)


def _key(version: Holding, projection: Projection) -> str:
    """Hash all that the positions hang on: the version's files, the projection, its libraries."""
    try:
        libraries = [(name, release(name)) for name in projection.libraries]
    except PackageNotFoundError as error:
        raise MissingExtra.of("maps", str(error.name)) from error
    told = [version.reference, version.contract.fingerprint, version.record.folder]
    told += [projection.name, repr(projection.params()), repr(libraries)]
    return sha256("\n".join(told).encode()).hexdigest()[:32]


def _distances(similarities: Matrix, metric: str) -> Matrix:
    """Distances of the graph: 1 - cosine, minus the negated Euclidean; for dot, from each row's best."""
    if metric == "cosine":
        return np.maximum(1 - similarities, 0)
    if metric == "euclidean":
        return np.maximum(-similarities, 0)
    best: Any = similarities.max(axis=1, keepdims=True)
    return np.asarray(best - similarities, np.float32)
