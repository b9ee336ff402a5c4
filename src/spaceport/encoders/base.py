"""The contract of an encoder: what turns items into vectors."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, integer, matrix
from spaceport.errors import (
    CorruptError,
    InputError,
    MissingExtra,
    NotFoundError,
    ParameterError,
    StoreError,
)
from spaceport.methods import Method, make
from spaceport.progress import track
from spaceport.safe import read_arrays, read_json
from spaceport.sources.base import Source

__all__ = ["Encoder", "State", "load"]

_DESCRIPTION = 1 << 30  # bytes of encoder.json

State: TypeAlias = tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]


class Encoder(Method, ABC):
    """Turns items into vectors.

    A method writes `encode_batch`. One that learns also writes `fit`, `state` and `restore`.

    Attributes
    ----------
    modality : str
        What it encodes, in the words of `sources.base.Source`: ``"texts"``, ``"words"`` (learns words;
        encodes texts by them), ``"vectors"``, ``"table"``, ``"interactions"`` (learns users and items;
        encodes histories), ``"images"``, ``"audio"``; ``"any"`` where the contents do not matter.
    also : tuple of str
        Other modalities of sources that it learns from and encodes.
    portable : bool
        What was saved encodes again by itself; false where something that cannot be saved, a user's
        function, must be given anew.
    fitted : bool
        It learns from a collection before it encodes.
    closed : bool
        It encodes only the items that it was fitted on, so a build with new items fits it anew.
    neutral : frozenset of str
        Parameters that change how long it takes, never the numbers; left out of the fingerprint.
    libraries : tuple of str
        Distributions whose version is part of the fingerprint.
    revision : int
        Raised when a change of our own code changes the numbers.
    at_once : int
        How many items `encode_batch` gets at once, unless told.
    costly : bool
        Encoding an item takes long or costs money, so a build keeps what was encoded until it is
        published, and goes on there after it was cut off.
    keeps_positions : bool
        An item becomes a row for each of its positions (a token), as `parts` gives them; `encode`
        then gives one vector an item still, their mean, for queries and canaries.
    leading : bool
        The first numbers of a vector mean the most, so that shorter vectors are worth offering.
    checkpoints : Path or None
        A folder in which a long `fit` keeps what it has reached, so that one that was killed goes on;
        a build sets it.
    """

    modality: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    portable: ClassVar[bool] = True
    fitted: ClassVar[bool] = False
    closed: ClassVar[bool] = False
    neutral: frozenset[str] = frozenset()
    libraries: ClassVar[tuple[str, ...]] = ()
    revision: ClassVar[int] = 1
    at_once: ClassVar[int] = 1024
    costly: ClassVar[bool] = False
    keeps_positions: bool = False
    leading: ClassVar[bool] = False
    checkpoints: Path | None = None

    @abstractmethod
    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode a few items, in order; the one required method.

        Parameters
        ----------
        items : sequence of n items
            As `contents` gives them: texts (str) or files (bytes); an ndarray of shape (n, d) for the
            modality ``"vectors"``; an Arrow array, or plain Python values that make one, for
            ``"table"`` (structs, dicts) and ``"interactions"`` (lists of structs).
        role : {"document", "query"}
            Which side of a search the items are on; most methods treat both alike.

        Returns
        -------
        ndarray of shape (n, d), float32
        """

    def parts(self, items: Sequence[Any], role: str = "document") -> list[tuple[list[str], Matrix]]:
        """Of each item its positions: what stands at each (t strings) and their vectors (t, d).

        Raises
        ------
        ParameterError
            The method, or this encoder, gives one vector an item.
        """
        raise ParameterError(
            f"{self.spec} gives one vector an item.", "Choose one that keeps positions."
        )

    def takes(self, modality: str) -> bool:
        """Whether it learns from, and encodes, sources of this modality."""
        return self.modality == "any" or modality in (self.modality, *self.also)

    def unseen(self, items: Sequence[Any]) -> npt.NDArray[np.int64] | None:
        """Of each text how many tokens it has and how many of them have no vector, (n, 2).

        None where nothing is ever unseen, or the encoder cannot tell.
        """
        return None

    def fit(self, source: Source) -> Encoder:
        """Learn from `source`; gives itself. A method that learns nothing keeps this one."""
        return self

    def entities(self) -> tuple[list[str], Matrix] | None:
        """Vectors learnt for the collection itself (words, users, items): ids and (n, d); or None."""
        return None

    def entity_columns(self) -> dict[str, Any]:
        """Metadata of the `entities` by column name (a word's count), each of length n."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What the card should say of the training: seconds, words per second…; not in the fingerprint."""
        return {}

    def state(self) -> State:
        """What was learnt: arrays (saved as safetensors) and a JSON-able dict. Never pickle."""
        return {}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""

    def encode(
        self, items: Source | Sequence[Any], role: str = "document", batch_size: int | None = None
    ) -> Matrix:
        """Encode any number of items, or all the items of a source, `batch_size` (`at_once`) at a time.

        Returns
        -------
        ndarray of shape (n, d), float32, finite
        """
        batch_size = integer(self.at_once if batch_size is None else batch_size, "batch_size", 1)
        if role not in ("document", "query"):
            raise ParameterError(f"`role` must be document or query. Got {role!r}.", "Choose one.")
        if isinstance(items, str):
            raise InputError("`items` is one string.", "Give a list of texts: encode([text]).")
        if isinstance(items, Source):
            parts = [self.encode(contents(batch), role, batch_size) for batch in items.batches()]
        else:
            starts = range(0, len(items), batch_size)
            parts = [
                matrix(self.encode_batch(items[start : start + batch_size], role), "encoded")
                for start in track(starts, "encoding")
            ]
        if not parts:
            raise InputError("There is nothing to encode.", "Give at least one item.")
        return np.concatenate(parts)

    def numbers(self) -> dict[str, Any]:
        """The parameters that change the numbers: all but the `neutral` ones."""
        return {k: v for k, v in self.params().items() if k not in self.neutral}

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over everything that changes the numbers.

        SHA-256 over: the method's name and revision, its parameters but the `neutral` ones, the
        state (values, and each array's name, dtype, shape and bytes), and the versions of
        `libraries`.
        """
        arrays, values = self.state()
        head = [self.name, self.revision, self.numbers(), values, self._versions()]
        digest = hashlib.sha256(json.dumps(head, sort_keys=True, allow_nan=False).encode())
        for name in sorted(arrays):
            _add(digest, name, arrays[name])
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        """The parts that the `fingerprint` is over, by name: two encoders differ where these do.

        Keys: ``method``, ``revision``, ``parameters``, ``state`` (JSON-able values), ``arrays`` (of each
        learnt array the first 32 hexadecimal digits of a SHA-256 over its name, dtype, shape and bytes),
        ``libraries`` (versions by distribution).
        """
        arrays, values = self.state()
        return {
            "method": self.name,
            "revision": self.revision,
            "parameters": self.numbers(),
            "state": values,
            "arrays": {name: _digest(name, array) for name, array in sorted(arrays.items())},
            "libraries": self._versions(),
        }

    def _versions(self) -> dict[str, str]:
        return {name: version(name) for name in self.libraries}

    def save(self, folder: Path) -> list[Path]:
        """Write ``encoder.json`` and ``encoder.safetensors`` into `folder`; gives their paths."""
        from safetensors.numpy import save_file

        arrays, values = self.state()
        spec = {
            "method": self.name,
            "params": self.params(),
            "state": values,
            "facts": self.facts(),
        }
        text = json.dumps(spec, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
        described, weights = folder / "encoder.json", folder / "encoder.safetensors"
        described.write_text(text, encoding="utf-8")
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, weights)
        return [described, weights]


def contents(batch: pa.RecordBatch) -> Any:
    """The ``content`` column as an encoder takes it: a list of texts or files, an (n, d) array, an Arrow array."""
    column = batch.column("content")
    if pa.types.is_fixed_size_list(column.type):
        flat: npt.NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), column.type.list_size)
    return column if pa.types.is_nested(column.type) else column.to_pylist()


def load(folder: Path) -> Encoder:
    """Read back what `Encoder.save` wrote; runs no code from the files.

    Raises
    ------
    CorruptError
        A file is missing, is no JSON or safetensors, or holds NaN or infinity.
    """
    what = f"The encoder in {folder}"
    try:
        spec = read_json((folder / "encoder.json").read_bytes(), what, most=_DESCRIPTION)
        arrays, _ = read_arrays(folder / "encoder.safetensors", what)
        if not isinstance(spec["params"], dict) or not isinstance(spec["state"], dict):
            raise TypeError("encoder.json has no params or no state")
        encoder: Encoder = make("encoders", spec["method"], spec["params"])
        encoder.restore(arrays, spec["state"])
    except (MissingExtra, NotFoundError, StoreError):
        raise
    except Exception as error:  # a method that is given another's state raises anything
        reason = (str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
        raise CorruptError(
            f"{what} cannot be read: {reason}.", "Build the version again."
        ) from error
    return encoder


def _add(digest: Any, name: str, array: npt.NDArray[Any]) -> None:
    """Take an array into a digest: its name, dtype, shape and bytes."""
    whole = np.ascontiguousarray(array)
    digest.update(f"{name} {whole.dtype.str} {whole.shape}".encode())
    digest.update(whole.view(np.uint8).data if whole.size else b"")


def _digest(name: str, array: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256()
    _add(digest, name, array)
    return digest.hexdigest()[:32]
