"""Texts made ready for a network, as its own tokenizer says; long ones cut, or in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import integer
from spaceport.errors import InputError
from spaceport.networks.origins import configuration

__all__ = ["Pieces", "Tokenizer"]

_UNBOUNDED = 1_000_000
"""A tokenizer's configuration writes `no limit` as a number far above this."""

_RELATIVE = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})
"""They know how far apart tokens are, so there is no end to the positions."""

_OFFSET = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "xmod"}
    | {"roberta-prelayernorm", "data2vec-text", "ibert"}
)
"""They number positions from the padding token's number plus one."""


@dataclass(frozen=True)
class Pieces:
    """Texts as token numbers: a piece for each, or several where a long one is chunked.

    Attributes
    ----------
    tokens : list of p ndarrays of int64
        Of each piece, special tokens included; never empty.
    special : list of p ndarrays of bool
        Which of them are special tokens.
    parents : ndarray of shape (p,), int64
        The text that each piece is of; ascending.
    long : int
        Texts that did not fit into one piece.
    pad : int
        The number that stands behind a piece that is shorter than its neighbors.
    all_real : bool
        Special tokens count as positions.
    name : callable, optional
        Gives the word that a token's number stands for.
    moved : bool
        Positions stand one place behind their tokens.
    """

    tokens: list[npt.NDArray[Any]]
    special: list[npt.NDArray[np.bool_]]
    parents: npt.NDArray[Any]
    long: int
    pad: int = 0
    all_real: bool = True
    name: Callable[[int], str | None] | None = None
    moved: bool = False
    groups: ClassVar[None] = None

    @cached_property
    def lengths(self) -> npt.NDArray[Any]:
        """Tokens of each piece (p,)."""
        return np.array([len(piece) for piece in self.tokens], np.int64)

    @property
    def amounts(self) -> npt.NDArray[Any]:
        """How much each piece counts in its text: its tokens (p,)."""
        return self.lengths

    def padded(self, places: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """Some pieces' token numbers (m, t), padded at the end, and where they are no padding (m, t)."""
        lengths = self.lengths[places]
        there = np.arange(lengths.max())[None, :] < lengths[:, None]
        ids = np.full(there.shape, self.pad, np.int64)
        ids[there] = np.concatenate([self.tokens[place] for place in places])
        return ids, there

    def batch(self, places: npt.NDArray[Any]) -> tuple[dict[str, Any], npt.NDArray[np.bool_]]:
        """Some pieces as a network takes them, and which positions count (m, t).

        Where special tokens do not count, a piece of nothing else keeps them.
        """
        import torch

        ids, there = self.padded(places)
        inputs = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(there.astype(np.int64)),
        }
        return inputs, there if self.all_real else self._plain(places, there)

    def kept(self, places: npt.NDArray[Any], shape: Sequence[int]) -> None:
        """Nothing but what `batch` says: which positions count is known before."""

    def names(self, place: int, there: npt.NDArray[Any]) -> list[str]:
        """The tokens of a piece that are there (t,), as they are written in the vocabulary."""
        assert self.name is not None, "a tokenizer's pieces know its vocabulary"
        told = [self.name(int(token)) or "" for token in self.tokens[place]]
        told = ["", *told[:-1]] if self.moved else told
        return [told[position] for position in np.flatnonzero(there)]

    def _plain(
        self, places: npt.NDArray[Any], there: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        plain = there.copy()
        plain[there] = ~np.concatenate([self.special[place] for place in places])
        empty = ~plain.any(1)
        plain[empty] = there[empty]
        return plain


class Tokenizer:
    """A model's tokenizer.

    Parameters
    ----------
    folder : Path
        The model's, with ``tokenizer.json``.
    most : int, optional
        Tokens that a piece may have at most, special ones included. Left out: as the model's files
        say (``sentence_bert_config.json``, then the tokenizer's and the model's configuration).
    special_tokens : bool
        The tokens that a tokenizer puts around a text count as positions. Left out of the pooling,
        they still go through the network.
    moved : bool
        Positions stand one place behind their tokens, as in a decoder: the first is its start.

    Notes
    -----
    A text of no tokens becomes one: the model's begin-of-text token, else its end-of-text or padding
    token. Half a surrogate pair, which is no character, is read as U+FFFD.

    Raises
    ------
    InputError
        There is no ``tokenizer.json``.
    ParameterError
        `most` is more than the model has positions for.
    """

    def __init__(
        self,
        folder: Path,
        most: int | None = None,
        special_tokens: bool = True,
        moved: bool = False,
    ) -> None:
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
        self.all_real = special_tokens
        self.moved = moved
        config = configuration(folder)
        self._config = {**config, **config.get("text_config", {})}
        sentence = configuration(folder, "sentence_bert_config.json")
        self._lower = bool(sentence.get("do_lower_case"))

    def pieces(self, items: Sequence[Any], prompt: str = "", chunk: bool = False) -> Pieces:
        """Turn texts into token numbers.

        Parameters
        ----------
        items : sequence of n str
        prompt : str
            Put before each text; of a chunked one it is in the first chunk.
        chunk : bool
            A long text becomes several pieces; otherwise its end is left out.
        """
        self._fast.enable_truncation(self.most)
        encodings = self._encoded([prompt + text for text in items] if prompt else list(items))
        pieces = [
            (place, piece)
            for place, encoding in enumerate(encodings)
            for piece in ((encoding, *encoding.overflowing) if chunk else (encoding,))
        ]
        none = np.array([self._number("bos", "eos", "pad")], np.int64)
        return Pieces(
            [np.array(piece.ids, np.int64) if piece.ids else none for _, piece in pieces],
            [self._special(piece.special_tokens_mask) for _, piece in pieces],
            np.array([place for place, _ in pieces], np.int64),
            sum(bool(encoding.overflowing) for encoding in encodings),
            self._number("pad"),
            self.all_real,
            self._fast.id_to_token,
            self.moved,
        )

    def check(self, rows: int) -> None:
        """See that the network has an embedding for every token, `rows` of them in all.

        Raises
        ------
        InputError
            The tokenizer is of another model.
        """
        most = max(self._fast.get_vocab(with_added_tokens=True).values(), default=0)
        if most >= rows:
            raise InputError(
                f"The tokenizer numbers its tokens up to {most}, and the network has embeddings of {rows}.",
                "Put the model's own tokenizer.json beside its weights.",
            )

    def _encoded(self, texts: list[str]) -> list[Any]:
        if self._lower:
            texts = [text.lower() for text in texts]
        try:
            return list(self._fast.encode_batch_fast(texts))
        except TypeError:  # a lone surrogate, which is no character
            return list(self._fast.encode_batch_fast([_whole(text) for text in texts]))

    def _special(self, mask: list[int]) -> npt.NDArray[np.bool_]:
        told = mask or [1]
        return np.array([1, *told[:-1]] if self.moved else told, bool)

    def _number(self, *names: str) -> int:
        """The first of the model's special tokens that its configuration numbers, or 0."""
        told = [self._config.get(f"{name}_token_id") for name in names]
        return next((int(number) for number in told if isinstance(number, int)), 0)


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _most(folder: Path, asked: int | None) -> int:
    room = _room(folder)
    if asked is not None:
        return integer(asked, "max_tokens", 3, room)
    told = (
        configuration(folder, "sentence_bert_config.json").get("max_seq_length"),
        configuration(folder, "tokenizer_config.json").get("model_max_length"),
    )
    known = [int(value) for value in told if isinstance(value, int | float) and value < _UNBOUNDED]
    return min(known[0] if known else 512, room)


def _room(folder: Path) -> int:
    """Tokens that the model has positions for."""
    config = configuration(folder)
    kind = config.get("model_type")
    if kind in _RELATIVE:
        return _UNBOUNDED
    config = {**config, **config.get("text_config", {})}
    told = (config.get(name) for name in ("max_position_embeddings", "n_positions"))
    positions = next((value for value in told if isinstance(value, int) and value > 0), None)
    if positions is None:
        return _UNBOUNDED
    pad = config.get("pad_token_id")
    return positions - (1 + (1 if pad is None else int(pad)) if kind in _OFFSET else 0)
