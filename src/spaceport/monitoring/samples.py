"""One side of a comparison: a version, a file of vectors, or contents that a version's encoder encodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import (
    InputError,
    MismatchError,
    NotFoundError,
    ParameterError,
    SpaceportError,
)
from spaceport.monitoring.unseen import fair_rows
from spaceport.monitoring.where import Where
from spaceport.sources._files import existing
from spaceport.sources.formats import known
from spaceport.sources.formats.base import Request
from spaceport.sources.formats.stamp import Stamp

if TYPE_CHECKING:
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["Part", "Sample", "check_coordinates", "fair", "sample"]


class Part(NamedTuple):
    """Some rows: ids, vectors (n, d), metadata columns."""

    ids: list[str]
    vectors: Matrix
    metadata: pa.RecordBatch


@dataclass(frozen=True)
class Sample:
    """Rows to be compared, read as often as they are asked for.

    Attributes
    ----------
    name : str
        For people.
    read : callable
        Gives an iterator of `Part`; vectors of a file may hold NaN.
    version : Version or None
        Where the rows are those of a version.
    stamp : Stamp or None
        Whose coordinates they are, where somebody said so.
    where : Where or None
        Only these rows.
    """

    name: str
    read: Callable[[], Iterator[Part]]
    version: Version | None = None
    stamp: Stamp | None = None
    where: Where | None = None

    def parts(self) -> Iterator[Part]:
        """Yield the rows that fulfil the condition.

        Raises
        ------
        InputError
            None does.
        """
        seen = kept = 0
        for part in self.read():
            seen += len(part.ids)
            if self.where is not None:
                part = _kept(part, self.where.mask(part.metadata))
            kept += len(part.ids)
            if part.ids:
                yield part._replace(metadata=_without_ids(part.metadata))
        if not kept and self.where is not None:
            raise InputError(
                f"None of the {seen:,} rows of {self.name} fulfils {self.where.text!r}.",
                "Ask for something else.",
            )


def fair(side: Sample) -> Sample:
    """Leave out the rows of a version that its encoder learnt from; see `unseen`.

    Raises
    ------
    SpaceportError
        Nearly all of them are.
    """
    if side.version is None:
        return side
    version, rows = side.version, fair_rows(side.version)
    if len(rows) == len(version):
        return side
    wanted = np.zeros(len(version), bool)
    wanted[rows] = True

    def read() -> Iterator[Part]:
        start = 0
        for part in side.read():
            yield _kept(part, wanted[start : start + len(part.ids)])
            start += len(part.ids)

    name = (
        f"{side.name} ({len(rows):,} rows that {version.record.spec.partition('(')[0]} never saw)"
    )
    return replace(side, name=name, read=read)


def sample(
    told: str,
    port: Spaceport,
    *,
    column: str | None = None,
    where: str | None = None,
    encoded_by: Version | None = None,
) -> Sample:
    """Find what a user named: a file if there is one, else a version of the store.

    Parameters
    ----------
    told : str
        A path, or ``space@version``.
    port : Spaceport
    column : str, optional
        Of a file: the column with the vectors, or, where `encoded_by` is given, with the contents.
    where : str, optional
        A condition on the metadata.
    encoded_by : Version, optional
        What encodes the contents of a file that holds no vectors.

    Raises
    ------
    NotFoundError
        There is no such file, and no such version.
    """
    condition = None if where is None else Where.parse(where)
    if not Path(told).exists():
        return _of_version(told, port, condition)
    if column is not None and encoded_by is not None and encoded_by.encoder is not None:
        modality, coder = encoded_by.contract.modality, encoded_by
        if modality not in ("texts", "words"):
            raise ParameterError(
                f"`--column` names texts to encode, and {encoded_by.reference} encodes {modality}.",
                "Give a file of vectors: `spaceport export` writes one.",
            )
        return Sample(told, lambda: _encoded(told, column, coder), None, None, condition)
    path = existing(told)
    format = known.find(path)
    stamp = None if format.stamp is None else format.stamp(path)
    return Sample(told, lambda: _vectors(path, column), None, stamp, condition)


def check_coordinates(reference: Sample, current: Sample) -> None:
    """Refuse two samples whose coordinates are known to differ, even at equal dimension.

    Raises
    ------
    MismatchError
        They say that they are of two spaces, or of two majors of one.
    """
    ours, theirs = reference.stamp, current.stamp
    if ours is None or theirs is None or ours.fingerprint == theirs.fingerprint:
        return
    if ours.space == theirs.space and _major(ours) == _major(theirs):
        return
    raise MismatchError(
        f"{reference.name} is in the coordinates of {ours.space}@{ours.version}, {current.name} in those "
        f"of {theirs.space}@{theirs.version}: their distance says nothing.",
        "Encode both with one encoder; `spaceport diff` compares two versions item by item.",
    )


def _of_version(told: str, port: Spaceport, where: Where | None) -> Sample:
    try:
        version = port[told]
    except SpaceportError as error:
        if "/" in told or "." in Path(told).name.partition("@")[0]:
            raise NotFoundError(f"There is no file {told}.", "Check the path.") from error
        raise
    at = version.coordinates
    stamp = Stamp(at.space, str(at.number), at.fingerprint, version.contract.metric)
    return Sample(version.reference, lambda: _rows(version), version, stamp, where)


def _vectors(path: Path, column: str | None) -> Iterator[Part]:
    start = 0
    for rows in known.find(path).read(Request(path, column)):
        end = start + len(rows.vectors)
        ids = rows.ids or [str(row) for row in range(start, end)]
        names = pa.record_batch({"id": pa.array(ids, pa.string())})
        yield Part(ids, rows.vectors, names if rows.metadata is None else rows.metadata)
        start = end


def _encoded(told: str, column: str, version: Version) -> Iterator[Part]:
    from spaceport import sources

    for batch in sources.texts(told, column=column).batches():
        vectors = np.asarray(version.encode(batch.column("content").to_pylist()))
        yield Part(batch.column("id").to_pylist(), vectors, batch.drop_columns("content"))


def _rows(version: Version) -> Iterator[Part]:
    for batch in version.batches():
        flat = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
        rows = flat.reshape(batch.num_rows, -1)
        yield Part(batch.column("id").to_pylist(), rows, batch.drop_columns("vector"))


def _kept(part: Part, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Part:
    ids = [name for name, keep in zip(part.ids, mask, strict=True) if keep]
    return Part(ids, part.vectors[mask], part.metadata.filter(pa.array(mask)))


def _without_ids(metadata: pa.RecordBatch) -> pa.RecordBatch:
    return metadata.drop_columns("id") if "id" in metadata.schema.names else metadata


def _major(stamp: Stamp) -> str:
    return stamp.version.partition(".")[0]
