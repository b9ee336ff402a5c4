"""Items made ready for a network: arrays for each, and which of them may go through it together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Positions", "Prepared"]


@dataclass(frozen=True)
class Positions:
    """What the positions of a network's values stand for.

    Attributes
    ----------
    extra : int
        Tokens of the network's own that stand before the others (a class token, registers).
    bands : int
        Rows of a spectrogram's patches: the others are `bands` times the whole recording.
    """

    extra: int = 0
    bands: int = 1

    def real(
        self, shape: tuple[int, ...], filled: npt.NDArray[Any] | None
    ) -> npt.NDArray[np.bool_] | None:
        """Which positions of values (n, t, d) stand for a part of the item (n, t); None: all.

        Parameters
        ----------
        shape : tuple of int
        filled : ndarray of shape (n,), optional
            The share of the positions that an item fills, where the rest was added.

        Examples
        --------
        >>> Positions(extra=1).real((2, 5, 3), np.array([1.0, 0.5])).astype(int)
        array([[0, 1, 1, 1, 1],
               [0, 1, 1, 0, 0]])
        """
        own = shape[1] - self.extra if len(shape) == 3 else 0
        if own <= 0 or own % self.bands or (filled is None and not self.extra):
            return None
        steps = own // self.bands
        reached = np.full(shape[0], steps) if filled is None else np.ceil(filled * steps)
        real = np.zeros(shape[:2], np.bool_)
        real[:, self.extra :] = np.tile(np.arange(steps) < reached[:, None], self.bands)
        return real


@dataclass(frozen=True)
class Prepared:
    """Items as arrays: a piece for each, or several where a long one is cut up.

    Attributes
    ----------
    arrays : list of p dicts
        Of each piece, the network's inputs by their names, without the batch's axis.
    parents : ndarray of shape (p,), int64
        The item that each piece is of; ascending.
    lengths : ndarray of shape (p,), int64
        Positions that each piece has in the network, roughly: how much work it is.
    positions : Positions
    filled : ndarray of shape (p,), optional
        The share of its positions that a piece fills; left out: all.
    long : int
        Items that did not fit into one piece.
    seconds : ndarray of shape (p,), optional
        How much each piece counts where an item has several; left out: alike.
    """

    arrays: list[dict[str, npt.NDArray[Any]]]
    parents: npt.NDArray[Any]
    lengths: npt.NDArray[Any]
    positions: Positions = Positions()
    filled: npt.NDArray[Any] | None = None
    long: int = 0
    seconds: npt.NDArray[Any] | None = None

    @cached_property
    def groups(self) -> npt.NDArray[Any]:
        """Pieces of one number (p,) have arrays of the same shapes, and go together without padding.

        Examples
        --------
        >>> sounds = [{"values": np.zeros(n)} for n in (5, 3, 5)]
        >>> Prepared(sounds, np.arange(3), np.array([5, 3, 5])).groups.tolist()
        [0, 1, 0]
        """
        seen: dict[tuple[Any, ...], int] = {}
        shapes = [tuple((k, v.shape) for k, v in sorted(piece.items())) for piece in self.arrays]
        return np.array([seen.setdefault(shape, len(seen)) for shape in shapes], np.int64)

    @property
    def amounts(self) -> npt.NDArray[Any]:
        """How much each piece counts in the mean of an item's pieces (p,)."""
        return np.ones(len(self.arrays)) if self.seconds is None else self.seconds

    def batch(self, places: npt.NDArray[Any]) -> tuple[dict[str, torch.Tensor], None]:
        """Some pieces of one group as the network takes them; what is pooled, `kept` says."""
        inputs = {
            name: torch.from_numpy(np.stack([self.arrays[place][name] for place in places]))
            for name in self.arrays[places[0]]
        }
        return inputs, None

    def kept(self, places: npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[np.bool_] | None:
        """Which positions of these pieces' values stand for a part of the item; None: all."""
        filled = None if self.filled is None else self.filled[places]
        return self.positions.real(tuple(shape), filled)

    def names(self, place: int, there: npt.NDArray[np.bool_]) -> list[str]:
        """The numbers of those positions of a piece that are there (t,)."""
        return [str(position) for position in np.flatnonzero(there)]
