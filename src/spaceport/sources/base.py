"""The contract of a source: where items come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterator
from hashlib import sha256
from typing import ClassVar

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.methods import Method

__all__ = ["RESERVED", "ROWS", "Source", "bad_ids", "metadata_name"]

RESERVED = frozenset({"id", "content", "text", "vector", "content_hash", "item_hash"})
"""Column names with a meaning of their own, which no metadata column may have."""

ROWS = 8192
"""The most rows that our own methods put into one batch."""


class Source(Method, ABC):
    """Where items come from: a stream of Arrow record batches, never wholly in memory.

    A method writes `read` and `size`. Every batch has the columns ``id`` (string) and ``content``
    (string for texts, fixed-size list of float32 for vectors), then metadata columns, none of them
    `RESERVED`; all batches have one schema. The same source read twice gives the same batches.

    Attributes
    ----------
    modality : str
        What the content is: ``"words"`` (running text to learn words from), ``"texts"`` or ``"vectors"``.
    unique_ids : bool
        The method itself guarantees unique ids (positions, hashes), so `batches` need not check.
    label : str or None
        The metadata column that users color and judge by.
    """

    modality: ClassVar[str]
    unique_ids: ClassVar[bool] = False
    label: str | None = None

    @abstractmethod
    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the items; the one required method."""

    @abstractmethod
    def size(self) -> int:
        """Bytes of the source as it lies on disk (unpacked size is on the card as content bytes)."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what `read` yields, checked.

        From the first bad id on nothing more is yielded: the rest is read to count the bad ones.

        Raises
        ------
        InputError
            No items at all, empty ids, or an id that stands twice.
        """
        times: Counter[str] = Counter()
        rows = 0
        for batch in self.read():
            rows += batch.num_rows
            if not self.unique_ids:
                times.update(item or "" for item in batch.column("id").to_pylist())
            if self.unique_ids or (len(times) == rows and "" not in times):
                yield batch
        if not rows:
            raise InputError(f"{self.spec} holds no items.", "Check the path and the format.")
        if not self.unique_ids and (len(times) < rows or "" in times):
            raise InputError(
                f"{self.spec} has {bad_ids(times)}.",
                "Mend the ids, or leave them out to have them made.",
            )

    def contents(self) -> Iterator[list[str]]:
        """Yield only the texts, in batches; for encoders that learn from running text."""
        for batch in self.batches():
            yield batch.column("content").to_pylist()

    def digest(self) -> str:
        """64 hexadecimal digits over all contents, in order: equal digests, equal text to learn from."""
        found = sha256()
        for texts in self.contents():
            for text in texts:
                data = text.encode("utf-8", "surrogatepass")
                found.update(len(data).to_bytes(8, "little"))
                found.update(data)
        return found.hexdigest()


def metadata_name(name: str, taken: Container[str]) -> str:
    """Put underscores at the end of a column's name while it is `RESERVED` or `taken`.

    Examples
    --------
    >>> metadata_name("year", {"id_"}), metadata_name("id", {"id_"})
    ('year', 'id__')
    """
    while name in RESERVED or name in taken:
        name += "_"
    return name


def bad_ids(times: Counter[str]) -> str:
    """Count the empty and the repeated ids, and name the first repeated one.

    Examples
    --------
    >>> bad_ids(Counter(["a", "", "b", "a", "a", ""]))
    "2 empty ids and 2 repeated ids; the first repeated one, 'a', stands 3 times"
    >>> bad_ids(Counter(["a", ""]))
    '1 empty id'
    """
    empty = times.get("", 0)
    twice = {item: count for item, count in times.items() if count > 1 and item}
    surplus = sum(twice.values()) - len(twice)
    counts = ((empty, "empty"), (surplus, "repeated"))
    told = " and ".join(f"{n} {kind} id{'s' * (n > 1)}" for n, kind in counts if n)
    if not twice:
        return told
    first = next(iter(twice))
    return f"{told}; the first repeated one, {first!r}, stands {twice[first]} times"
