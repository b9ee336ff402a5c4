"""A function of the user's own: whatever turns a list of items into rows of numbers.

::

    φ(items) = function(items)

Code cannot be saved with a version, and no hash of it is trustworthy (it calls other code, a model on
a disk, a service). So the user tells a `revision` and changes it when the numbers change; a function
that changed without it is found by the version's canaries. A function's name says nothing of what it
computes, and is kept for people only.
"""

from __future__ import annotations

import time
from collections import abc
from typing import Any, ClassVar

import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, matrix
from spaceport.encoders.base import Encoder
from spaceport.errors import InputError, ParameterError, choices

__all__ = ["Callable"]

_MODALITIES = (
    "any",
    "audio",
    "images",
    "interactions",
    "pairs",
    "table",
    "texts",
    "vectors",
    "words",
)


class Callable(Encoder):
    """Vectors from a function.

    Parameters
    ----------
    function : callable, optional
        Takes n items and gives an array-like of shape (n, d): finite numbers of any real dtype. It is
        given texts (str), files (bytes), rows of a table (dict), histories (list of dict), or an
        ndarray of shape (n, w) of vectors. Each row must depend on its item alone: how many items come
        at once is not fixed. Left out where the encoder is read back; `bind` gives it then.
    revision : str
        What the user changes when the function's numbers change.
    modality : str
        What it encodes, in the words of `sources.base.Source`, or ``"any"``.

    Notes
    -----
    `params`, and so the one-line form and what is saved, leave the function out: it is no value that
    a file can hold, and nothing is ever imported by a name from a file.

    Examples
    --------
    >>> encoder = Callable(lambda texts: [[len(text)] for text in texts], revision="1", modality="texts")
    >>> encoder
    callable(revision='1', modality='texts')
    >>> encoder.encode(["a", "abc"]).tolist()
    [[1.0], [3.0]]
    """

    modality: ClassVar[str] = "any"
    portable: ClassVar[bool] = False

    def __init__(
        self,
        function: abc.Callable[[Any], npt.ArrayLike] | None = None,
        *,
        revision: str,
        modality: str,
    ) -> None:
        self.function = function
        self.revision = _told(revision)  # type: ignore[misc]  # the user's code, not ours
        self.modality = modality  # type: ignore[misc]  # the function says what it takes
        if modality not in _MODALITIES:
            raise ParameterError(
                f"There is no modality `{modality}`.", choices(str(modality), _MODALITIES)
            )
        self._width: int | None = None
        self._seconds, self._items = 0.0, 0
        if function is not None:
            self.bind(function)

    def params(self) -> dict[str, Any]:
        """The parameters that can be written down: all but the function."""
        return {"revision": self.revision, "modality": self.modality}

    def bind(self, function: abc.Callable[[Any], npt.ArrayLike]) -> Callable:
        """Give the function again, to an encoder that was read back; gives the encoder itself."""
        if not callable(function):
            raise ParameterError(
                f"`function` must be callable. Got {type(function).__name__}.",
                "Give a function that takes items and gives rows of numbers.",
            )
        self.function = function
        self._width = None
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Encode n items by the function.

        Raises
        ------
        InputError
            There is no function, or it gave other than n finite rows of one length.
        """
        if self.function is None:
            raise InputError(
                f"{self.spec} was read back without its function: code is never saved.",
                "Give it again: encoder.bind(function).",
            )
        given = items.to_pylist() if isinstance(items, pa.Array) else items
        began = time.perf_counter()
        vectors = matrix(self.function(given), "function(items)", self._width)
        self._seconds += time.perf_counter() - began
        self._items += len(given)
        if len(vectors) != len(given):
            raise InputError(
                f"The function gave {len(vectors)} rows for {len(given)} items.",
                "Let it give one row per item, in order.",
            )
        self._width = vectors.shape[1]
        return vectors

    def facts(self) -> dict[str, Any]:
        """Give the function's name, for people only, and the seconds and items that went through it."""
        if self.function is None:
            return {}
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        module = getattr(self.function, "__module__", type(self.function).__module__)
        return {"function": f"{module}.{name}", "seconds": self._seconds, "items": self._items}


def _told(revision: Any) -> Any:
    if not isinstance(revision, str) or not revision:
        raise ParameterError(
            f"`revision` must be a string that is not empty. Got {revision!r}.",
            'Start with revision="1", and change it when the numbers change.',
        )
    return revision
