"""Everything that Spaceport raises on purpose.

::

    SpaceportError                 two lines: what was wrong, what to do
    ├── InputError   (ValueError)  data that cannot be used: empty, ragged, NaN, wrong encoding, duplicate ids
    ├── ParameterError (ValueError)  an argument out of its range, or a name that is no choice
    │   └── MismatchError          vectors of two coordinate systems that would be mixed
    ├── NotFoundError (LookupError)  no such word, id, space, version, alias or column
    ├── MissingExtra (ImportError)   a part that needs an optional dependency
    └── StoreError                 the store cannot do what was asked
        ├── BusyError              another process writes to the same space
        ├── NewerStoreError        the store was made by a newer release
        ├── RefusedError           a consumer cannot live with the version that was to be promoted
        └── CorruptError           a file is missing or is not what the catalog says

This module imports nothing from the project.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BusyError",
    "CorruptError",
    "InputError",
    "MismatchError",
    "MissingExtra",
    "NewerStoreError",
    "NotFoundError",
    "ParameterError",
    "RefusedError",
    "SpaceportError",
    "StoreError",
    "choices",
]


class SpaceportError(Exception):
    """The root of all errors raised on purpose; its text has two lines.

    Parameters
    ----------
    what : str
        What was wrong: what was asked for, what came.
    remedy : str
        What the reader can do about it.

    Examples
    --------
    >>> print(InputError("vectors.npy holds 3 NaN.", "Remove those rows."))
    vectors.npy holds 3 NaN.
    Remove those rows.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}"


class InputError(SpaceportError, ValueError):
    """Data that cannot be used as it is."""


class ParameterError(SpaceportError, ValueError):
    """An argument out of its range, or a name that is none of the choices."""


class MismatchError(ParameterError):
    """Vectors of two coordinate systems would be mixed; of one length or not."""


class NotFoundError(SpaceportError, LookupError):
    """No such word, id, space, version, alias or column."""


class MissingExtra(SpaceportError, ImportError):  # noqa: N818 - reads as the condition it names
    """A part of Spaceport needs a dependency that is not installed.

    Examples
    --------
    >>> print(MissingExtra.of("maps", "umap"))
    The part `maps` needs umap, which is not installed.
    Run: pip install 'spaceport[maps]'
    """

    @classmethod
    def of(cls, extra: str, module: str) -> MissingExtra:
        """Build the error for the optional part `extra`, which imports `module`."""
        return cls(
            f"The part `{extra}` needs {module}, which is not installed.",
            f"Run: pip install 'spaceport[{extra}]'",
        )


class StoreError(SpaceportError):
    """The store cannot do what was asked."""


class BusyError(StoreError):
    """Another process writes to the same space at this moment."""


class NewerStoreError(StoreError):
    """The store was made by a newer release than this one."""


class RefusedError(StoreError):
    """A consumer cannot live with the version that an alias was to stand for."""


class CorruptError(StoreError):
    """A file of the store is missing, or is not what the catalog says it is."""


def choices(asked: str, known: Iterable[str], shown: int = 12) -> str:
    """Say which names there are, the near spellings first.

    Examples
    --------
    >>> choices("word2vce", ["lsa", "onehot", "word2vec"])
    'Did you mean word2vec? There are: lsa, onehot, word2vec.'
    >>> choices("x", [])
    'There are none.'
    """
    names = sorted(known)
    if not names:
        return "There are none."
    near = get_close_matches(asked, names, n=3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{hint}There are: {', '.join(names[:shown])}{more}."
