"""Pictures: of a folder, an archive, a Parquet column, or MNIST's IDX files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.arrays import integer
from spaceport.sources import _idx
from spaceport.sources._files import existing
from spaceport.sources._media import MediaSource
from spaceport.sources._packs import Chunk
from spaceport.sources._pictures import look

__all__ = ["Images"]

_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".jp2"}
_OTHERS = {
    *(".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
}


class Images(MediaSource):
    """Pictures, one item per file; the content is the file as it is.

    Parameters
    ----------
    path : str or path
        A folder (all below it, sorted; hidden files left out), an archive (``.tar``, also ``.gz``,
        ``.bz2``, ``.xz``; ``.zip``; read in its order, never unpacked to the disk), a Parquet file,
        one picture, or an IDX file of pictures (``…-images-idx3-ubyte``, also ``.gz``; the labels are
        read from ``…-labels-idx1-ubyte`` beside it, where there is one).
    column : str, optional
        The binary column of a Parquet file, or Hugging Face's ``struct<bytes, path>``; default the
        only one that there is.
    id : str, optional
        The column of ids of a Parquet file. Left out: ids are made of the content (BLAKE2b, 80 bits).
        Files of a folder or an archive have their relative path; pictures of an IDX file ``0`` … ``n-1``.
    label : str, optional
        The metadata column that users color and judge by; ``"folder"`` where folders are classes.
    skip_unreadable : bool
        Leave out files that cannot be read; `facts` counts them.
    thumbnail : int
        The longest side in pixels of the small picture that is kept for the map; 0 keeps none.

    Notes
    -----
    Metadata: ``width`` and ``height`` (in pixels, as the picture is shown: after EXIF's rotation),
    ``mode`` (Pillow's name of the pixels' kind: RGB, L, CMYK, I;16, …) and ``thumbnail`` (WebP, or JPEG
    where Pillow has no WebP); of a folder or an archive also ``folder``, the last part of the parent's
    path; of a Parquet file its flat columns; of IDX files ``label``.

    Every picture is decoded once here, so that a truncated one is found before anything is built.

    Raises
    ------
    NotFoundError
        No such path or column.
    InputError
        Files that are no pictures, or truncated (counted, the first named); a damaged archive.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "red.ppm")
    ...     written = path.write_bytes(bytes("P6 2 1 255 ", "ascii") + bytes([255, 0, 0] * 2))
    ...     item = next(Images(path, thumbnail=0).batches()).to_pylist()[0]
    >>> item["id"], item["width"], item["height"], item["mode"]
    ('red.ppm', 2, 1, 'RGB')
    """

    modality: ClassVar[str] = "images"
    things: ClassVar[str] = "images"
    endings: ClassVar[frozenset[str]] = frozenset(_JPEG | _OTHERS)
    columns: ClassVar[pa.Schema] = pa.schema(
        [("width", pa.int32()), ("height", pa.int32()), ("mode", pa.string())]
    )

    def __init__(
        self,
        path: str | os.PathLike[str],
        column: str | None = None,
        id: str | None = None,
        label: str | None = None,
        skip_unreadable: bool = False,
        thumbnail: int = 48,
    ) -> None:
        super().__init__(path, column, id, label, skip_unreadable)
        self.thumbnail = integer(thumbnail, "thumbnail", 0, 512)
        if thumbnail:
            kept = pa.field("thumbnail", pa.binary())
            self.columns = type(self).columns.append(kept)  # type: ignore[misc]  # one is asked for

    def chunks(self) -> Iterator[Chunk]:
        """Yield the files as they lie there; of an IDX file each picture as a PGM file."""
        path = existing(self.path)
        return _idx.chunks(path) if _idx.matches(path) else super().chunks()

    def look(self, name: str, data: bytes) -> dict[str, Any]:
        """Width, height, mode and thumbnail of one picture."""
        return look(data, self.thumbnail)
