"""A version's vectors, read from Lance: a dataset per major, a Lance version per minor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.arrays import Matrix
from spaceport.errors import CorruptError, NotFoundError, SpaceportError, choices
from spaceport.storage.index import IdIndex
from spaceport.storage.places import Place

__all__ = ["HINT", "VectorTable", "lance_library"]

HINT = "_versions/latest_version_hint.json"


class VectorTable:
    """The rows of one version: ``id``, ``vector`` and whatever else it was written with.

    Parameters
    ----------
    place : Place
        Where the Lance dataset lies.
    version : int
        The Lance version; nothing that is written later is seen.
    name : str
        What to call it in an error.
    stored : callable, optional
        Gives the index of the ids as it was published, None where it was not; it is made then.
    """

    def __init__(
        self,
        place: Place,
        version: int,
        name: str = "",
        stored: Callable[[], IdIndex | None] | None = None,
    ) -> None:
        self.place = place
        self._stored = stored
        self.version = version
        self.name = name or str(place).rpartition("/")[2]

    @cached_property
    def _dataset(self) -> Any:
        with self._reading():
            return lance_library().dataset(
                self.place.uri, version=self.version, storage_options=self.place.options
            )

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        with self._reading():
            return int(self._dataset.count_rows())

    @property
    def schema(self) -> pa.Schema:
        """The columns with their types."""
        with self._reading():
            return self._dataset.schema

    @property
    def dimension(self) -> int:
        """The d of the vectors."""
        return int(self.schema.field("vector").type.list_size)

    @cached_property
    def index(self) -> IdIndex:
        """Where each id stands; read or made at the first look-up, and kept."""
        published = None if self._stored is None else self._stored()
        if published is not None:
            return published
        return IdIndex(batch.column("id") for batch in self.scan(["id"]))

    def ids(self) -> list[str]:
        """Every id, in the rows' order."""
        return [name for batch in self.scan(["id"]) for name in batch.column("id").to_pylist()]

    def take(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Fetch the rows of `ids`, in the order asked; an id asked twice comes twice.

        Parameters
        ----------
        ids : sequence of n strings
        columns : sequence of str, optional
            Only these columns, in this order.

        Returns
        -------
        pyarrow.Table of n rows

        Raises
        ------
        NotFoundError
            An id or a column that there is not; the message counts and offers near spellings.
        """
        wanted = self._columns(columns)
        asked = pa.array(ids, pa.string())
        which, positions = self.index.candidates(asked)
        found = self.rows(positions, [*dict.fromkeys(["id", *wanted])])
        same = pc.equal(found.column("id"), asked.take(pa.array(which))).to_numpy(
            zero_copy_only=False
        )
        missing = np.setdiff1d(np.arange(len(asked)), which[same])
        if len(missing):
            raise self._unknown([ids[place] for place in missing], len(ids))
        return (found if same.all() else found.filter(pa.array(same))).select(wanted)

    def rows(
        self,
        positions: Sequence[int] | npt.NDArray[np.integer[Any]],
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Fetch the rows at `positions` (0 is the first), in the order asked."""
        wanted = self._columns(columns)
        places = np.asarray(positions, np.int64)
        if not len(places):
            return self.schema.empty_table().select(wanted)
        if places.min() < 0 or places.max() >= self.count:
            raise NotFoundError(
                f"{self.name} has no row {places.min() if places.min() < 0 else places.max()}.",
                f"Rows go from 0 to {self.count - 1}.",
            )
        with self._reading():
            return self._dataset.take(pa.array(places), columns=wanted)

    def scan(
        self, columns: Sequence[str] | None = None, batch_size: int = 8192
    ) -> Iterator[pa.RecordBatch]:
        """Yield all rows in batches, each time in the same order."""
        wanted = self._columns(columns)
        with self._reading():
            yield from self._dataset.to_batches(
                columns=wanted, batch_size=batch_size, scan_in_order=True
            )

    def matrix(self) -> Matrix:
        """All vectors: ndarray of shape (n, d), float32, in the rows' order."""
        whole = np.empty((self.count, self.dimension), np.float32)
        filled = 0
        for batch in self.scan(["vector"]):
            flat = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
            whole[filled : filled + batch.num_rows] = flat.reshape(batch.num_rows, self.dimension)
            filled += batch.num_rows
        return whole

    def files(self) -> set[str]:
        """List the files that this version needs, as paths from the dataset's folder."""
        needed = {f"_versions/{2**64 - 1 - self.version:020d}.manifest"}
        for fragment in self._dataset.get_fragments():
            needed.update(f"data/{file.path}" for file in fragment.metadata.files)
            if fragment.metadata.deletion_file is not None:
                needed.add(fragment.deletion_file())
        transactions = (self.place / "_transactions").listing()
        ours = f"{self.version - 1}-"
        return needed | {f"_transactions/{name}" for name in transactions if name.startswith(ours)}

    def _columns(self, columns: Sequence[str] | None) -> list[str]:
        known = self.schema.names
        for name in columns or ():
            if name not in known:
                raise NotFoundError(f"{self.name} has no column `{name}`.", choices(name, known))
        return list(known if columns is None else columns)

    def _unknown(self, missing: list[str], asked: int) -> NotFoundError:
        first = missing[0]
        some = f"{len(missing)} of {asked} ids are" if asked > 1 else "The id asked for is"
        more = "; the first is " if len(missing) > 1 else ": "
        near = self._near(first)
        return NotFoundError(
            f"{some} not in {self.name}{more}{first!r}.",
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else "No id there is spelt like it.",
        )

    def _near(self, asked: str, most: int = 50_000) -> list[str]:
        """Near spellings of `asked`, among ids of its first letter and about its length."""
        from difflib import get_close_matches

        near: dict[str, str] = {}
        for batch in self.scan(["id"]):
            column = batch.column("id")
            close = pc.and_(
                pc.starts_with(column, asked[:1], ignore_case=True),
                pc.less_equal(pc.abs(pc.subtract(pc.utf8_length(column), len(asked))), 2),
            )
            near.update((name.casefold(), name) for name in column.filter(close).to_pylist())
            if len(near) >= most:
                break
        return [near[name] for name in get_close_matches(asked.casefold(), near, n=3)]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what Lance says of a place that fails, or of broken files, into our errors."""
        try:
            yield
        except SpaceportError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            raise self.place.explain(error) or self._broken(error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's, no Exception to Python
                raise
            raise self._broken(error) from error

    def _broken(self, error: BaseException) -> CorruptError:
        reason = str(error).partition("\n")[0].split(", /")[0]
        return CorruptError(
            f"The vectors of {self.name} cannot be read: {reason}.",
            "Run `spaceport verify` to see which files are broken; restore those from a backup.",
        )


def lance_library() -> Any:
    """Import Lance late (0.7 s), and keep its warnings from users who do not ask for them."""
    os.environ.setdefault("LANCE_LOG", "error")
    import lance

    return cast(Any, lance)
