"""A Lance dataset: a folder that holds columns, one of them of vectors. Of its versions the latest is read.

Written it is not: a store keeps the vectors of each version as a Lance dataset already.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import InputError, ParameterError
from spaceport.sources.formats.arrow import rows_of, wanted_columns
from spaceport.sources.formats.base import Format, Request, Rows

__all__ = ["LANCE", "is_dataset"]

_ROWS = 8192
_AHEAD = 4
_BUFFER = 1 << 26


def is_dataset(path: Path) -> bool:
    """Whether the folder `path` is a Lance dataset."""
    return (path / "_versions").is_dir()


def _read(request: Request) -> Iterator[Rows]:
    os.environ.setdefault("LANCE_LOG", "error")
    import lance

    try:
        with _plain(request.path) as uri:
            dataset = lance.dataset(uri)
            columns = wanted_columns(dataset.schema, request)
            batches = dataset.to_batches(
                columns=list(columns),
                batch_size=_ROWS,
                batch_readahead=_AHEAD,
                io_buffer_size=_BUFFER,
            )
            yield from rows_of(batches, request, columns)
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise InputError(
            f"{request.path} is no whole Lance dataset: {str(error).split(', /')[0]}.",
            "Fetch or write it again.",
        ) from error


@contextmanager
def _plain(path: Path) -> Iterator[str]:
    """Give a path that Lance takes as it is: one with other characters gets a passing link."""
    whole = path.resolve()
    if re.fullmatch(r"[A-Za-z0-9/ ._-]+", str(whole)):
        yield str(whole)
        return
    with TemporaryDirectory(prefix="spaceport-") as place:
        link = Path(place) / "link"
        link.symlink_to(whole, target_is_directory=True)
        yield str(link)


def _write(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    raise ParameterError(
        "Lance datasets are read, not written.",
        "Export parquet, or read the store's own dataset with Lance.",
    )


LANCE = Format("lance", (".lance",), lambda head: False, _read, _write)
