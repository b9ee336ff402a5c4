"""Names of files below a folder of ours: strict patterns, and nowhere a link.

Whoever writes into a catalog, a manifest or an archive chooses names; none of them leads out of the
folder that it is joined to.
"""

from __future__ import annotations

import re
from pathlib import Path

from spaceport.errors import CorruptError, SpaceportError

__all__ = ["check_name", "inside"]

LONGEST = 512

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def check_name(name: object, kind: type[SpaceportError] = CorruptError) -> str:
    """Give `name` back if it is a plain relative path; else a CorruptError.

    Parts are letters, digits, ``_``, ``.`` and ``-``, parted by ``/``, and begin with no dot: no way
    up, no root, no drive, no backslash, no control character; none is a device's name on some system.

    Examples
    --------
    >>> check_name("spaces/words/20260101/card.json")
    'spaces/words/20260101/card.json'
    >>> check_name("spaces/../../etc/passwd")
    Traceback (most recent call last):
        ...
    spaceport.errors.CorruptError: 'spaces/../../etc/passwd' is no name of a file below a store.
    Restore what says so from a backup.
    """
    if isinstance(name, str) and len(name) <= LONGEST:
        parts = name.split("/")
        if all(_PART.fullmatch(part) and not _DEVICE.fullmatch(part) for part in parts):
            return name
    shown = repr(name) if len(repr(name)) < 100 else repr(name)[:96] + "…"
    raise kind(
        f"{shown} is no name of a file below a store.", "Restore what says so from a backup."
    )


def inside(root: Path, name: object) -> Path:
    """Join `root` and a name that is checked; what lies there is no link, and no folder on the way is.

    `root` itself may be a link. The file need not exist.

    Raises
    ------
    CorruptError
        The name is none (see `check_name`), or a link stands in its path.
    """
    path = root
    for part in check_name(name).split("/"):
        path = path / part
        if path.is_symlink():
            raise CorruptError(
                f"{path} is a link, and a store has none: it could lead anywhere.",
                "Put the file or folder itself there.",
            )
    return path
