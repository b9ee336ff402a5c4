r"""Sounds: a folder, a tar or zip archive, or a Parquet column of WAV, FLAC, OGG and other files."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.errors import ParameterError
from spaceport.sources._media import MediaSource
from spaceport.sources._sound import ENDINGS, read
from spaceport.sources.base import RESERVED

__all__ = ["Audio"]

_LOOK = pa.schema([("seconds", pa.float64()), ("rate", pa.int64()), ("channels", pa.int64())])


class Audio(MediaSource):
    r"""Sound files, one item per file, its bytes as the content.

    Parameters
    ----------
    path : str or path
        A folder (all below it, sorted; hidden files left out), an archive (``.tar``, also ``.gz``,
        ``.bz2``, ``.xz``; ``.zip``; never unpacked to the disk), a Parquet file, or one file.
    column : str, optional
        The binary column of a Parquet file, or Hugging Face's ``struct<bytes, path>``; default the
        only one that there is.
    id : str, optional
        The column of ids of a Parquet file. Left out: ids are made of the content. Files of a folder
        or an archive have their relative path.
    label : str, optional
        The metadata column that users color and judge by.
    skip_unreadable : bool
        Leave out files that cannot be read; `facts` counts them. Otherwise they are an error.
    name_pattern : str, optional
        A regular expression that each file's name, without folders and ending, matches as a whole;
        its named groups become metadata columns of text. A name that does not match counts as
        unreadable.

    Notes
    -----
    Metadata: ``seconds`` (float), ``rate`` (hertz) and ``channels`` of the file, ``folder`` (the last
    part of its folder's path), and the groups of `name_pattern`. Each file is decoded once while it
    is looked at, so that one that is damaged is found before anything is encoded. What counts as
    unreadable is no sound, empty (a WAV file of zero length too), or holds NaN or infinity.

    Raises
    ------
    NotFoundError
        No such path or column.
    ParameterError
        `name_pattern` is no regular expression, has no named group, or one with a name that is taken.
    InputError
        Files that cannot be read: counted, the first few named with the reason.

    Examples
    --------
    >>> import wave
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with wave.open(str(Path(folder, "7_ada.wav")), "wb") as file:
    ...         file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         file.writeframes(bytes(8000))
    ...     source = Audio(folder, name_pattern=r"(?P<digit>\d)_(?P<speaker>\w+)")
    ...     row = next(source.batches()).drop_columns(["content", "folder"]).to_pylist()[0]
    >>> row
    {'id': '7_ada.wav', 'seconds': 0.5, 'rate': 8000, 'channels': 1, 'digit': '7', 'speaker': 'ada'}
    """

    modality: ClassVar[str] = "audio"
    things: ClassVar[str] = "sounds"
    endings: ClassVar[frozenset[str]] = ENDINGS

    def __init__(
        self,
        path: str | os.PathLike[str],
        column: str | None = None,
        id: str | None = None,
        label: str | None = None,
        skip_unreadable: bool = False,
        name_pattern: str | None = None,
    ) -> None:
        super().__init__(path, column, id, label, skip_unreadable)
        self.name_pattern = name_pattern
        self._names = _compiled(name_pattern)
        groups = [(name, pa.string()) for name in self._names.groupindex]
        self.columns = pa.schema([*_LOOK, *groups])  # type: ignore[misc]  # the pattern adds to it

    def look(self, name: str, data: bytes) -> dict[str, Any]:
        """Give seconds, rate, channels, and what `name_pattern` finds in the name.

        Raises
        ------
        InputError or ValueError
            It cannot be decoded, or its name does not match.
        """
        told = self._named(name)
        sound = read(data)
        return {"seconds": sound.seconds, "rate": sound.rate, "channels": sound.channels} | told

    def _named(self, name: str) -> dict[str, str | None]:
        if self.name_pattern is None:
            return {}
        found = self._names.fullmatch(PurePosixPath(name).stem)
        if found is None:
            raise ValueError(f"its name does not match {self.name_pattern}")
        return found.groupdict()


def _compiled(pattern: str | None) -> re.Pattern[str]:
    try:
        names = re.compile(pattern or "")
    except re.error as error:
        raise ParameterError(
            f"`name_pattern` is no regular expression: {error}.", r"Try (?P<speaker>\w+)_\d+."
        ) from error
    if pattern is not None and not names.groupindex:
        raise ParameterError(
            f"`name_pattern` has no named group: {pattern}.", r"Write one as (?P<speaker>\w+)."
        )
    taken = sorted({*names.groupindex} & {*RESERVED, *_LOOK.names, "folder"})
    if taken:
        raise ParameterError(
            f"`name_pattern` names a group {', '.join(taken)}, which is taken.", "Rename it."
        )
    return names
