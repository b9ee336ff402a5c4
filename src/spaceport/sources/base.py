"""The contract of a source: where items come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.methods import Method

__all__ = ["Source"]


class Source(Method, ABC):
    """Where items come from: a stream of Arrow record batches, never wholly in memory.

    A method writes `read`. Every batch has the columns ``id`` (string) and ``content`` (string for
    texts, fixed-size list of float32 for vectors), then metadata columns; all batches have one schema.
    The same source read twice gives the same batches.

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

        Raises
        ------
        InputError
            No items at all, empty ids, or an id that stands twice.
        """
        seen: set[str] = set()
        empty = rows = 0
        twice: list[str] = []
        for batch in self.read():
            rows += batch.num_rows
            if not self.unique_ids:
                for item in batch.column("id").to_pylist():
                    if not item:
                        empty += 1
                    elif item in seen:
                        twice.append(item)
                    else:
                        seen.add(item)
            yield batch
        if not rows:
            raise InputError(f"{self.spec} holds no items.", "Check the path and the format.")
        if empty or twice:
            first = f"; the first repeated one is {twice[0]!r}" if twice else ""
            raise InputError(
                f"{self.spec} has {empty} empty and {len(twice)} repeated ids{first}.",
                "Mend the ids, or leave the id column out to have ids made from the content.",
            )

    def contents(self) -> Iterator[list[str]]:
        """Yield only the texts, in batches; for encoders that learn from running text."""
        for batch in self.batches():
            yield batch.column("content").to_pylist()
