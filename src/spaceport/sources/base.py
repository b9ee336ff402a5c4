"""The contract of a source: where items come from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from hashlib import sha256
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.methods import Method
from spaceport.sources.formats.stamp import Stamp

__all__ = ["HISTORY", "RESERVED", "ROWS", "Source", "bad_ids", "content_bytes", "metadata_name"]

RESERVED = frozenset({"id", "content", "text", "vector", "content_hash", "item_hash"})
"""Column names with a meaning of their own, which no metadata column may have."""

HISTORY = pa.list_(pa.struct([("item", pa.string()), ("value", pa.float32())]))
"""The content's type of the modality ``"interactions"``: what one user did."""

ROWS = 8192
"""The most rows that our own methods put into one batch."""


class Source(Method, ABC):
    """Where items come from: a stream of Arrow record batches, never wholly in memory.

    A method writes `read` and `size`. Every batch has the columns ``id`` (string) and ``content``,
    then metadata columns, none of them `RESERVED`; all batches have one schema. The same source read
    twice gives the same batches.

    Attributes
    ----------
    modality : str
        What the content is, and its Arrow type:

        ==================  =========================================================================
        ``"words"``         string: running text to learn words from
        ``"texts"``         string: one text an item
        ``"vectors"``       fixed-size list of float32
        ``"table"``         struct: one row of a table, a field a column
        ``"interactions"``  list of struct<item: string, value: float32>: one user's history
        ``"pairs"``         struct of two strings: the same in two languages, a field a language
        ``"images"``        binary: an image file's bytes
        ``"audio"``         binary: a sound file's bytes
        ==================  =========================================================================
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

    def titles(self) -> Mapping[str, str]:
        """Names that people read, by the id of an item of a history; none by default."""
        return {}

    def item_features(self) -> pa.Table | None:
        """What is told of the items of histories: ``item`` (string, unique), then a column a feature.

        None by default. Items without a history may be among them.
        """
        return None

    @property
    def stamp(self) -> Stamp | None:
        """Of vectors: whose coordinates they are, as far as they say so themselves."""
        return None

    def facts(self) -> dict[str, Any]:
        """What the card should say of the reading (files left out…), once it was read; JSON-able."""
        return {}

    def digest(self) -> str:
        """64 hexadecimal digits over all contents, in order: equal digests, equal things to learn."""
        found = sha256()
        for batch in self.batches():
            for data in content_bytes(batch.column("content")):
                found.update(len(data).to_bytes(8, "little"))
                found.update(data)
        return found.hexdigest()


def content_bytes(column: pa.Array) -> list[bytes]:
    r"""Each content as bytes that are equal if and only if the contents are.

    Examples
    --------
    >>> content_bytes(pa.array(["né"]))
    [b'n\xc3\xa9']
    >>> content_bytes(pa.array([{"age": 3, "name": "a"}]))
    [b'{"age": 3, "name": "a"}']
    """
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        flat = column.flatten().to_numpy(zero_copy_only=False).astype("<f4", copy=False)
        return [row.tobytes() for row in flat.reshape(len(column), -1)]
    values: list[Any] = column.to_pylist()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return values
    if pa.types.is_nested(kind):
        return [json.dumps(v, sort_keys=True, default=str).encode() for v in values]
    return [text.encode("utf-8", "surrogatepass") for text in values]


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
