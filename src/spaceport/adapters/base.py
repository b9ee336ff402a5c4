"""The contract of an adapter: what sends vectors of one space to another's coordinates.

It is learnt from pairs: row i of X and row i of Y are the same item in both spaces. A linear one is::

    y = (x - origin) matrix + target

learnt in float64, kept and run in float32.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.errors import CorruptError, InputError, SpaceportError
from spaceport.methods import Method, make
from spaceport.safe import read_arrays, read_json

__all__ = ["FILES", "Adapter", "Arrays", "Double", "from_bytes", "linear", "load"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
Double: TypeAlias = npt.NDArray[np.float64]

FILES = ("adapter.json", "adapter.safetensors")

_ROWS = 8192


class Adapter(Method, ABC):
    """Sends vectors of one space to another's coordinates.

    A method writes `learn`. One that is not linear also writes `send`.

    Attributes
    ----------
    modality : str
        Always ``"vectors"``.
    freedom : int
        How much it may bend: 0 a rotation, 1 linear, 2 anything. Of adapters that are as good as each
        other the one with the least is taken.
    libraries : tuple of str
        Distributions whose version is part of the fingerprint.
    revision : int
        Raised when a change of our own code changes the numbers.
    arrays_ : dict of str to ndarray
        What was learnt.
    """

    modality: ClassVar[str] = "vectors"
    freedom: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ()
    revision: ClassVar[int] = 1
    arrays_: Arrays

    @abstractmethod
    def learn(self, X: Double, Y: Double) -> Arrays:
        """Learn from pairs; the one required method.

        Parameters
        ----------
        X : ndarray of shape (n, p), float64
        Y : ndarray of shape (n, q), float64
            Row i is the same item as row i of `X`.

        Returns
        -------
        dict of str to ndarray
            What `send` needs, saved as safetensors; a linear method gives what `linear` does.
        """

    def send(self, X: Matrix) -> Matrix:
        """Send rows over, (n, p) to (n, q), both float32, each row by itself."""
        learnt = self.arrays_
        sent: Matrix = (X - learnt["origin"]) @ learnt["matrix"] + learnt["target"]
        return sent

    def facts(self) -> dict[str, Any]:
        """What was chosen while learning (a rank, epochs), JSON-able."""
        return {}

    def fit(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> Adapter:
        """Learn from pairs; gives itself.

        Parameters
        ----------
        X : array-like of shape (n, p)
            Vectors as they come in.
        Y : array-like of shape (n, q)
            The same items' vectors in the coordinates that are wanted.

        Raises
        ------
        InputError
            Another number of rows, fewer than two, all rows of a side equal, NaN or infinity.
        """
        left, right = matrix(X, "X"), matrix(Y, "Y")
        if len(left) != len(right) or len(left) < 2:
            raise InputError(
                f"`X` has {len(left)} rows and `Y` has {len(right)}.",
                "Give at least two pairs: row i of both is the same item.",
            )
        for name, rows in (("X", left), ("Y", right)):
            if (rows == rows[0]).all():
                raise InputError(f"All rows of `{name}` are the same.", "Give rows that differ.")
        self.arrays_ = self.learn(left.astype(np.float64), right.astype(np.float64))
        self._dimensions = (left.shape[1], right.shape[1])
        return self

    def __call__(self, X: npt.ArrayLike) -> Matrix:
        """Send the rows of `X` over.

        Parameters
        ----------
        X : array-like of shape (n, p)

        Returns
        -------
        ndarray of shape (n, q), float32, finite

        Raises
        ------
        InputError
            Nothing was learnt yet; another dimension than p; NaN or infinity.
        """
        p, q = self.dimensions
        rows = matrix(X, "X", p)
        sent = np.empty((len(rows), q), np.float32)
        for start in range(0, len(rows), _ROWS):
            sent[start : start + _ROWS] = self.send(rows[start : start + _ROWS])
        return matrix(sent, "adapted")

    @property
    def dimensions(self) -> tuple[int, int]:
        """How many numbers come in and go out, (p, q).

        Raises
        ------
        InputError
            Nothing was learnt yet.
        """
        if not hasattr(self, "_dimensions"):
            raise self._unfitted()
        return self._dimensions

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """What was learnt: arrays (saved as safetensors) and a JSON-able dict; nothing before `fit`."""
        if not hasattr(self, "_dimensions"):
            return {}, {}
        return self.arrays_, {"dimensions": list(self._dimensions)}

    def restore(self, arrays: Arrays, values: dict[str, Any]) -> None:
        """Take back what `state` gave; a row of zeros is sent to see that it fits together."""
        p, q = (int(number) for number in values["dimensions"])
        self.arrays_ = arrays
        sent = self.send(np.zeros((2, p), np.float32))
        if sent.shape != (2, q) or sent.dtype != np.float32:
            raise ValueError(f"({p},) becomes {sent.shape[1:]} {sent.dtype}, not ({q},) float32")
        self._dimensions = (p, q)

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over everything that changes the numbers.

        SHA-256 over the method's name and revision, its parameters, what was learnt, and the versions
        of `libraries`.
        """
        arrays, values = self.state()
        libraries = {name: version(name) for name in self.libraries}
        head = [self.name, self.revision, self.params(), values, libraries]
        digest = hashlib.sha256(json.dumps(head, sort_keys=True, allow_nan=False).encode())
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.view(np.uint8).data if array.size else b"")
        return digest.hexdigest()

    def save(self, folder: Path) -> list[Path]:
        """Write ``adapter.json`` and ``adapter.safetensors`` into `folder`; gives their paths.

        Raises
        ------
        InputError
            Nothing was learnt yet.
        """
        from safetensors.numpy import save_file

        arrays, values = self.state()
        if not values:
            raise self._unfitted()
        told = {"method": self.name, "params": self.params(), "state": values}
        text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
        described, weights = (folder / name for name in FILES)
        described.write_text(text, encoding="utf-8")
        save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, weights)
        return [described, weights]

    def _unfitted(self) -> InputError:
        return InputError(f"{self.spec} has not learnt anything yet.", "Call fit(X, Y) first.")


def linear(origin: npt.ArrayLike, matrix: npt.ArrayLike, target: npt.ArrayLike) -> Arrays:
    """The arrays of a linear adapter, float32: origin (p,), matrix (p, q), target (q,)."""
    told = {"origin": origin, "matrix": matrix, "target": target}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in told.items()}


def load(folder: Path) -> Adapter:
    """Read back what `Adapter.save` wrote; see `from_bytes`."""
    try:
        described, weights = ((folder / name).read_bytes() for name in FILES)
    except OSError as error:
        raise CorruptError(
            f"The adapter in {folder} cannot be read: {error}.", "Align the versions again."
        ) from error
    return from_bytes(described, weights)


def from_bytes(described: bytes, weights: bytes, what: str = "adapter") -> Adapter:
    """Read an adapter from the bytes of its two files; runs no code from them.

    Parameters
    ----------
    described, weights : bytes
        ``adapter.json`` and ``adapter.safetensors``.
    what : str
        What to call it in an error.

    Raises
    ------
    CorruptError
        A file is no strict JSON or safetensors (see `spaceport.safe`), names no method, or its arrays
        do not fit together.
    """
    told = read_json(described, f"{what}.json")
    arrays, _ = read_arrays(weights, f"{what}.safetensors")
    try:
        adapter: Adapter = make("adapters", told["method"], told["params"])
        adapter.restore(arrays, told["state"])
    except (SpaceportError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise CorruptError(
            f"The {what} cannot be read: {reason}", "Align the versions again."
        ) from error
    return adapter
