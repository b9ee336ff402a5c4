"""The formats there are; finding one is a search over this list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from spaceport.arrays import Matrix, ids
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources._files import opened
from spaceport.sources.formats.arrow import ARROW, PARQUET
from spaceport.sources.formats.base import Format
from spaceport.sources.formats.glove import GLOVE
from spaceport.sources.formats.lance import LANCE, is_dataset
from spaceport.sources.formats.numpy import NPY, NPZ
from spaceport.sources.formats.safetensors import SAFETENSORS
from spaceport.sources.formats.stamp import Stamp
from spaceport.sources.formats.word2vec import BINARY, TEXT

__all__ = ["FORMATS", "find", "named", "write"]

FORMATS: tuple[Format, ...] = (NPY, NPZ, PARQUET, ARROW, SAFETENSORS, TEXT, BINARY, GLOVE)

_HEAD = 1 << 16
_FASTTEXT = b"\xba\x16\x4f\x2f"


def named(name: str) -> Format:
    """Give the format called `name`.

    Examples
    --------
    >>> [format.name for format in FORMATS]
    ['npy', 'npz', 'parquet', 'arrow', 'safetensors', 'word2vec-text', 'word2vec', 'glove']
    """
    known = (*FORMATS, LANCE)
    for format in known:
        if format.name == name:
            return format
    names = [format.name for format in known]
    raise NotFoundError(f"There is no vector format {name!r}.", choices(name, names))


def find(path: Path) -> Format:
    """Find the format of a file by its first bytes; where two fit, by its ending. Folders may be Lance's.

    Raises
    ------
    InputError
        An empty file, or one that none of the formats fits.
    """
    if path.is_dir():
        if is_dataset(path):
            return LANCE
        raise InputError(
            f"{path} is a folder, and no Lance dataset.", "Give a file of vectors, or a dataset."
        )
    with opened(path) as stream:
        head = stream.read(_HEAD)
    if not head:
        raise InputError(f"{path} is empty.", "Give a file of vectors.")
    if head.startswith(_FASTTEXT):
        raise InputError(
            f"{path} is a fastText model.", "Give the vectors that fastText saves as .vec."
        )
    fitting = [format for format in FORMATS if format.matches(head)]
    if not fitting:
        names = ", ".join(format.name for format in FORMATS)
        kind = "binary file" if b"\0" in head else "text"
        raise InputError(
            f"{path} is a {kind} in none of the formats of vectors: {names}.",
            "Say format= if it is one of them; a fastText model (.bin) is not, its .vec file is.",
        )
    by_ending = [format for format in fitting if path.suffix.lower() in format.endings]
    return (by_ending or fitting)[0]


def write(
    path: Path,
    names: Sequence[str],
    batches: Iterable[Matrix],
    format: str,
    stamp: Stamp | None = None,
) -> None:
    """Write vectors in the format called `format`; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
    names : sequence of n str
        The ids: unique, not empty. ``npy`` does not hold them.
    batches : iterable of ndarray of shape (k, d), float32
        The n vectors in the same order.
    format : str
        One of `FORMATS`.
    stamp : Stamp, optional
        Whose coordinates they are; written where the format has a place for it (Parquet, Arrow,
        safetensors).

    Raises
    ------
    InputError
        Ids that the format cannot hold, another number of vectors than ids, NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.vec")
    ...     write(path, ["cat", "dog"], [np.eye(2, dtype=np.float32)], "word2vec-text")
    ...     print(path.read_text())
    2 2
    cat 1 0
    dog 0 1
    """
    known = named(format)
    told = {} if known.stamp is None else {"stamp": stamp}
    known.write(path, ids(names, "ids"), batches, **told)
