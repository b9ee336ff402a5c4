"""What every source must hold: checks that plugin authors run over theirs.

Give `check_source` a function that makes a new source each time, over data with at least one item::

    from spaceport.testing.sources import check_source

    def test_my_source(tmp_path):
        check_source(lambda: MySource(tmp_path / "data"))

Each check raises AssertionError with what it found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import TypeAlias

import pyarrow as pa

from spaceport.errors import SpaceportError
from spaceport.methods import parse
from spaceport.sources.base import HISTORY, RESERVED, Source

__all__ = [
    "CHECKS",
    "MakeSource",
    "check_batches_bounded",
    "check_content_type",
    "check_contents",
    "check_ids",
    "check_label",
    "check_nothing_missing",
    "check_same_twice",
    "check_schema_constant",
    "check_size",
    "check_source",
    "check_spec",
]

MakeSource: TypeAlias = Callable[[], Source]

MOST_ROWS = 65_536
MOST_BYTES = 1 << 28


def _is_vector(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32())


def _is_pair(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind)) and [field.type for field in kind] == [pa.string()] * 2


CONTENT_TYPES: Mapping[str, tuple[str, Callable[[pa.DataType], bool]]] = {
    "words": ("string", pa.types.is_string),
    "texts": ("string", pa.types.is_string),
    "vectors": ("a fixed-size list of float32", _is_vector),
    "table": ("struct", pa.types.is_struct),
    "interactions": ("list of struct<item: string, value: float32>", HISTORY.equals),
    "pairs": ("a struct of two strings", _is_pair),
    "images": ("binary", pa.types.is_binary),
    "audio": ("binary", pa.types.is_binary),
}
"""The Arrow type of the content by modality: in words, and as a check."""


def check_source(make_source: MakeSource) -> None:
    """Run all the checks.

    Parameters
    ----------
    make_source : callable
        Takes nothing and makes a new source, always over the same items.

    Raises
    ------
    AssertionError
        From the first check that fails; it says what was found.

    Examples
    --------
    >>> import csv
    >>> from spaceport.sources.pydocs import PyDocs
    >>> check_source(lambda: PyDocs([csv.__file__]))
    """
    for check in CHECKS:
        check(make_source)


def check_schema_constant(make_source: MakeSource) -> None:
    """All batches have one schema: ``id``, ``content``, then metadata under names of their own."""
    schemas = [batch.schema for batch in _read(make_source())]
    first = schemas[0]
    _require(first.names[:2] == ["id", "content"], f"the columns start with {first.names[:2]}")
    _require(first.field("id").type == pa.string(), f"`id` is {first.field('id').type}, not string")
    for position, schema in enumerate(schemas):
        _require(schema.equals(first), f"batch {position} has another schema: {schema} not {first}")
    names = first.names
    _require(len(set(names)) == len(names), f"a column stands twice: {names}")
    taken = RESERVED & set(names[2:])
    _require(not taken, f"metadata uses the reserved names {sorted(taken)}")


def check_ids(make_source: MakeSource) -> None:
    """Ids are unique and not empty."""
    seen: set[str] = set()
    for batch in _read(make_source()):
        for id in batch.column("id").to_pylist():
            _require(bool(id), f"an id is {id!r}")
            _require(id not in seen, f"the id {id!r} stands twice")
            seen.add(id)


def check_same_twice(make_source: MakeSource) -> None:
    """A source read twice, and a second source made the same way, give the same batches."""
    source = make_source()
    first = list(_read(source))
    for again in (source, make_source()):
        for position, (one, other) in enumerate(zip_longest(first, _read(again))):
            same = one is not None and other is not None and one.equals(other)
            _require(same, f"batch {position} is another one when it is read again")


def check_content_type(make_source: MakeSource) -> None:
    """Content has the Arrow type of its modality; vectors are finite."""
    source = make_source()
    for batch in _read(source):
        kind = batch.schema.field("content").type
        known = source.modality in CONTENT_TYPES
        _require(
            known, f"the modality is {source.modality!r}: not one of {', '.join(CONTENT_TYPES)}"
        )
        told, fits = CONTENT_TYPES[source.modality]
        _require(fits(kind), f"{source.modality} are {kind}, not {told}")
        if source.modality == "vectors":
            flat = batch.column("content").flatten().to_pylist()
            _require(all(map(math.isfinite, flat)), "a vector holds NaN or infinity")


def check_nothing_missing(make_source: MakeSource) -> None:
    """Every item has content; text is not blank, files are not empty."""
    for batch in _read(make_source()):
        column = batch.column("content")
        _require(not column.null_count, f"{column.null_count} items have no content")
        if column.type == pa.string():
            for id, text in zip(batch.column("id").to_pylist(), column.to_pylist(), strict=True):
                _require(bool(text.strip()), f"the text of {id!r} is blank")
        if column.type == pa.binary():
            empty = sum(not data for data in column.to_pylist())
            _require(not empty, f"{empty} files are empty")


def check_batches_bounded(make_source: MakeSource) -> None:
    """Batches hold an item or more, and no more than 65,536 rows and 256 MB."""
    for position, batch in enumerate(_read(make_source())):
        rows = batch.num_rows
        _require(0 < rows <= MOST_ROWS, f"batch {position} has {rows} rows, not 1 to {MOST_ROWS}")
        size = batch.get_total_buffer_size()
        _require(
            rows == 1 or size <= MOST_BYTES,
            f"batch {position} takes {size} bytes, over {MOST_BYTES}",
        )


def check_spec(make_source: MakeSource) -> None:
    """The one-line form gives the same source back, where all parameters are literals."""
    source = make_source()
    names = source.params()
    _require(not any(name.endswith("_") for name in names), f"a parameter ends in _: {list(names)}")
    try:
        again = parse("sources", source.spec)
    except SpaceportError as error:
        raise AssertionError(f"{source.spec} cannot be read back: {error}") from error
    _require(again.spec == source.spec, f"{source.spec} is read back as {again.spec}")
    _require(again.params() == names, f"{names} are read back as {again.params()}")


def check_label(make_source: MakeSource) -> None:
    """`label`, if there is one, is a metadata column."""
    source = make_source()
    if source.label is not None:
        names = next(_read(source)).schema.names[2:]
        _require(
            source.label in names, f"the label {source.label!r} is none of the metadata {names}"
        )


def check_contents(make_source: MakeSource) -> None:
    """`contents` gives the content column, in order; `batches` gives what `read` does."""
    source = make_source()
    rows = [batch.column("content").to_pylist() for batch in _read(source)]
    wanted = [content for part in rows for content in part]
    if source.modality != "vectors":
        _require(
            [text for part in source.contents() for text in part] == wanted, "`contents` differs"
        )
    given = [
        content for batch in source.batches() for content in batch.column("content").to_pylist()
    ]
    _require(given == wanted, "`batches` differs from `read`")


def check_size(make_source: MakeSource) -> None:
    """`size` is a positive int, before anything is read and after."""
    source = make_source()
    before = source.size()
    _require(type(before) is int and before > 0, f"the size is {before!r}, not a positive int")
    next(_read(source))
    _require(source.size() == before, f"the size was {before}, and after reading {source.size()}")


CHECKS: tuple[Callable[[MakeSource], None], ...] = (
    check_schema_constant,
    check_ids,
    check_same_twice,
    check_content_type,
    check_nothing_missing,
    check_batches_bounded,
    check_spec,
    check_label,
    check_contents,
    check_size,
)
"""The checks in the order in which `check_source` runs them."""


def _read(source: Source) -> Iterator[pa.RecordBatch]:
    """The source's own batches; none at all fails every check."""
    empty = True
    for batch in source.read():
        empty = False
        yield batch
    _require(not empty, f"{source.spec} yields no batch: give the checks a source with items")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)
