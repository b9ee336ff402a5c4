"""Vectors that were made elsewhere, for the items of any source.

::

    φ(item) = x_j     where h(item) = h_j, and h is BLAKE2b over the content, 128 bits

A network's vectors for a folder of pictures, say, lie in a file under the pictures' ids. `fit` joins
the two by id and remembers each content's hash with its vector. From then on the *content* is looked up: a
picture that was changed under the same id is not found, instead of getting the old picture's vector.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b, sha256
from itertools import compress
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.sources._files import existing
from spaceport.sources.base import Source, content_bytes
from spaceport.sources.vectors import Vectors

__all__ = ["Precomputed"]

_HASH = 16
_BLOCK = 1 << 20


class Precomputed(Encoder):
    """The vectors of a file, found by the items' contents.

    Parameters
    ----------
    path : str or path
        A file of vectors, in any format that `sources.vectors` reads.
    ids : str, path or sequence of str, optional
        A text file with one id per line, or the ids; see `sources.vectors`.
    names : str, optional
        The column or array of the file that holds the ids.
    column : str, optional
        The column or array that holds the vectors.
    missing : {"error", "zero"}
        What an item without a vector gets: none may be without, or a row of zeros.

    Attributes
    ----------
    hashes_ : ndarray of shape (n, 16), uint8
        The contents' hashes, sorted, each once.
    vectors_ : ndarray of shape (n, d), float32
        Their vectors, as the file has them.

    Notes
    -----
    Where the file lies changes no number: a digest of the file (and of the ids) is a part of the
    fingerprint instead of `path` and `ids`.

    It knows nothing but the items that it was joined with, so a build whose source has new items joins
    anew (`closed`).
    """

    modality: ClassVar[str] = "any"
    fitted: ClassVar[bool] = True
    closed: ClassVar[bool] = True
    neutral = frozenset({"path", "ids"})

    def __init__(
        self,
        path: str | os.PathLike[str],
        ids: str | os.PathLike[str] | Sequence[str] | None = None,
        names: str | None = None,
        column: str | None = None,
        missing: str = "error",
    ) -> None:
        self.path = os.fspath(path)
        self.ids = os.fspath(ids) if isinstance(ids, os.PathLike) else ids
        self.names = names
        self.column = column
        self.missing = missing
        if missing not in ("error", "zero"):
            raise ParameterError(
                f"`missing` must be error or zero. Got {missing!r}.", "Choose one."
            )
        self._file: str | None = None
        self._rows: dict[bytes, int] = {}
        self._joined: dict[str, int] = {}
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> Precomputed:
        """Join the file's vectors with the items of `source` by their ids.

        Raises
        ------
        InputError
            Items without a vector in the file (counted, the first named), unless `missing` is
            ``"zero"``; none has one; or one content stands under two ids with different vectors.
        """
        began = time.perf_counter()
        items = dict(_hashed(source))
        self._file = self._digest()
        found, vectors, rows = self._found(items)
        self._refuse_missing(source, items, found)
        hashes = np.frombuffer(b"".join(items[id] for id in found), np.uint8).reshape(-1, _HASH)
        self.hashes_, first, inverse = np.unique(
            hashes, axis=0, return_index=True, return_inverse=True
        )
        self.vectors_ = vectors[first]
        _refuse_conflicts(found, vectors, first[inverse.ravel()])
        self._joined = {"items": len(items), "with_vector": len(found), "in_file": rows}
        self._index()
        self._facts = {"seconds": time.perf_counter() - began, **self._joined}
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Look n items up by their contents.

        Raises
        ------
        InputError
            Contents that it was not joined with, unless `missing` is ``"zero"``.
        """
        if self._file is None:
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        hashes = _hashes(_as_column(items))
        rows = np.array([self._rows.get(key, -1) for key in hashes], np.int64)
        unknown = rows < 0
        if unknown.any() and self.missing == "error":
            raise InputError(
                f"{int(unknown.sum()):,} of {len(rows):,} items have no vector in {self.path}; "
                f"the first is item {int(unknown.argmax())}.",
                'Only items of the source can be encoded; missing="zero" gives others zeros.',
            )
        vectors = self.vectors_[np.maximum(rows, 0)]
        vectors[unknown] = 0
        return vectors

    def numbers(self) -> dict[str, Any]:
        """The parameters without the file's place, and the file's digest."""
        return super().numbers() | {"file": self._file or self._digest()}

    def facts(self) -> dict[str, Any]:
        """Give seconds, the items, those with a vector, and the vectors in the file."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the hashes, the vectors, the file's digest and the counts."""
        if self._file is None:
            return {}, {}
        values = {"file": self._file, "joined": self._joined}
        return {"hashes": self.hashes_, "vectors": self.vectors_}, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        self.hashes_, self.vectors_ = arrays["hashes"], arrays["vectors"]
        if self.hashes_.shape != (len(self.vectors_), _HASH) or self.vectors_.ndim != 2:
            raise ValueError(
                f"the hashes have the shape {self.hashes_.shape}, the vectors {self.vectors_.shape}"
            )
        self._file, self._joined = str(values["file"]), dict(values["joined"])
        self._index()

    def _index(self) -> None:
        self._rows = {row.tobytes(): place for place, row in enumerate(self.hashes_)}

    def _found(self, items: dict[str, bytes]) -> tuple[list[str], Matrix, int]:
        """The ids of `items` that the file has, their vectors, and how many rows it has."""
        found: list[str] = []
        parts: list[Matrix] = []
        rows = 0
        for batch in Vectors(self.path, self.ids, self.names, self.column).batches():
            ids = batch.column("id").to_pylist()
            known = [id in items for id in ids]
            found += compress(ids, known)
            parts.append(_matrix(batch.column("content"))[known])
            rows += len(ids)
        return found, np.concatenate(parts), rows

    def _refuse_missing(self, source: Source, items: dict[str, bytes], found: list[str]) -> None:
        missing = len(items) - len(found)
        if missing and (self.missing == "error" or not found):
            known = set(found)
            first = next(id for id in items if id not in known)
            raise InputError(
                f"{missing:,} of {len(items):,} items of {source.spec} have no vector in {self.path}; "
                f"the first is {first!r}.",
                'Check the ids (ids=, names=); missing="zero" gives them rows of zeros, if some have one.',
            )

    def _digest(self) -> str:
        """64 hexadecimal digits over the file's bytes and the ids that were given beside it."""
        found = sha256()
        for path in (self.path, self.ids):
            for part in _read(path) if isinstance(path, str) else _listed(path):
                found.update(part)
            found.update(b"\0")
        return found.hexdigest()


def _read(path: str) -> Iterator[bytes]:
    with existing(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def _listed(ids: Sequence[str] | None) -> Iterator[bytes]:
    for id in ids or ():
        yield str(id).encode("utf-8", "surrogatepass") + b"\n"


def _hashed(source: Source) -> Iterator[tuple[str, bytes]]:
    for batch in source.batches():
        hashes = _hashes(batch.column("content"))
        yield from zip(batch.column("id").to_pylist(), hashes, strict=True)


def _hashes(column: pa.Array) -> list[bytes]:
    return [blake2b(data, digest_size=_HASH).digest() for data in content_bytes(column)]


def _as_column(items: Any) -> pa.Array:
    """Items of any modality, as an encoder is given them, as the Arrow column that they came from."""
    if isinstance(items, pa.Array):
        return items
    if isinstance(items, np.ndarray):
        flat = pa.array(items.astype(np.float32, copy=False).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, items.shape[1])
    column = pa.array(items)
    numbers = pa.types.is_list(column.type) and pa.types.is_floating(column.type.value_type)
    return column.cast(pa.list_(pa.float32(), len(items[0]))) if numbers else column


def _matrix(column: pa.Array) -> Matrix:
    flat: Matrix = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), column.type.list_size)


def _refuse_conflicts(ids: list[str], vectors: Matrix, same: npt.NDArray[np.int64]) -> None:
    """Refuse a content with two vectors: `same` tells the first row with each row's content."""
    differ = np.flatnonzero((vectors != vectors[same]).any(axis=1))
    if len(differ):
        one, other = ids[same[differ[0]]], ids[differ[0]]
        raise InputError(
            f"{len(differ):,} items have the content of another item, but another vector; "
            f"the first are {one!r} and {other!r}.",
            "Leave one of them out: a content can have one vector only.",
        )
