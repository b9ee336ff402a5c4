"""Texts made ready for a network, as its own tokenizer says; long ones cut, or in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, ParameterError
from spaceport.networks.origins import configuration

__all__ = ["Pieces", "Tokenizer"]

_UNBOUNDED = 1_000_000
"""A tokenizer's configuration writes `no limit` as a number far above this."""


@dataclass(frozen=True)
class Pieces:
    """Texts as token numbers: a piece for each, or several where a long one is chunked.

    Attributes
    ----------
    tokens : list of p ndarrays of int64
        Of each piece, special tokens included.
    parents : ndarray of shape (p,), int64
        The text that each piece is of; ascending.
    long : int
        Texts that did not fit into one piece.
    """

    tokens: list[npt.NDArray[Any]]
    parents: npt.NDArray[Any]
    long: int

    @cached_property
    def lengths(self) -> npt.NDArray[Any]:
        """Tokens of each piece (p,)."""
        return np.array([len(piece) for piece in self.tokens], np.int64)

    def padded(self, places: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Some pieces' token numbers (m, t), padded with 0, and where they are real (m, t)."""
        lengths = self.lengths[places]
        real = np.arange(lengths.max())[None, :] < lengths[:, None]
        ids = np.zeros(real.shape, np.int64)
        ids[real] = np.concatenate([self.tokens[place] for place in places])
        return ids, real


class Tokenizer:
    """A model's tokenizer.

    Parameters
    ----------
    folder : Path
        The model's, with ``tokenizer.json``.
    most : int, optional
        Tokens that a piece may have at most, special ones included. Left out: as the model's files
        say (``sentence_bert_config.json``, then the tokenizer's and the model's configuration).

    Raises
    ------
    InputError
        There is no ``tokenizer.json``.
    ParameterError
        `most` is more than the model has positions for.
    """

    def __init__(self, folder: Path, most: int | None = None) -> None:
        from tokenizers import Tokenizer as Fast

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise InputError(
                f"{folder} has no tokenizer.json.",
                "Save the tokenizer beside the model: AutoTokenizer.from_pretrained(…).save_pretrained(folder).",
            )
        try:
            self._fast = Fast.from_file(str(path))
        except Exception as error:  # the library raises a bare Exception
            raise InputError(
                f"{path} cannot be read: {error}.", "Fetch the model again."
            ) from error
        self._fast.no_padding()
        self.most = _most(folder, most)
        self.size: int = self._fast.get_vocab_size(with_added_tokens=True)

    def pieces(self, texts: Sequence[str], prompt: str = "", chunk: bool = False) -> Pieces:
        """Turn texts into token numbers.

        Parameters
        ----------
        texts : sequence of n str
        prompt : str
            Put before each text.
        chunk : bool
            A long text becomes several pieces; otherwise its end is left out.
        """
        self._fast.enable_truncation(self.most)
        given = [prompt + text for text in texts] if prompt else list(texts)
        tokens: list[npt.NDArray[Any]] = []
        parents: list[int] = []
        long = 0
        for place, encoding in enumerate(self._fast.encode_batch_fast(given)):
            rest = encoding.overflowing
            long += bool(rest)
            for piece in (encoding, *rest) if chunk else (encoding,):
                tokens.append(np.array(piece.ids, np.int64))
                parents.append(place)
        return Pieces(tokens, np.array(parents, np.int64), long)

    def words(self, tokens: npt.NDArray[Any]) -> list[str]:
        """The tokens that numbers stand for, as they are written in the vocabulary."""
        return [self._fast.id_to_token(int(token)) or "" for token in tokens]


def _most(folder: Path, asked: int | None) -> int:
    config = configuration(folder)
    nested = config.get("text_config", {})
    offset = (
        2 if config.get("model_type") in ("roberta", "xlm-roberta", "camembert", "mpnet") else 0
    )
    positions = config.get("max_position_embeddings") or nested.get("max_position_embeddings")
    room = _UNBOUNDED if not positions else int(positions) - offset
    if asked is not None:
        if not 3 <= asked <= room:
            raise ParameterError(
                f"`max_tokens` must be an int in [3, {room}]. Got {asked!r}.",
                "Leave it out for what the model's files say.",
            )
        return asked
    told = (
        configuration(folder, "sentence_bert_config.json").get("max_seq_length"),
        configuration(folder, "tokenizer_config.json").get("model_max_length"),
    )
    known = [int(value) for value in told if isinstance(value, int | float) and value < _UNBOUNDED]
    return min(known[0] if known else 512, room)
