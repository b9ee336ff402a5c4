"""Texts as rows of a token table; what stands between two blanks is looked up once and remembered.

A tokenizer of BERT's kind (its normalizer and its splitter, WordPiece) never lets a token reach over
white space, and no step of its looks past it. So a text's tokens are those of its *chunks*, the parts
between blanks (space, tab, line feed, carriage return), one after another, and a chunk that was seen
before need not be tokenized again: it is looked up in a hash table (`kernels.chunks`). For other
tokenizers a text is one chunk, and is not remembered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.encoders.kernels.chunks import count, enter, look_up

__all__ = ["Chunked", "Chunks", "in_parts", "plain"]

Rows = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]

_BLANKS = frozenset(" \t\n\r")
_MOST = 1 << 20  # chunks that are remembered
_BYTES = 1 << 26  # of all of them
_SLOTS = 1 << 12  # of the hash table at first


@dataclass(frozen=True)
class Chunked:
    """n texts: chunks, and the rows that a chunk stands for.

    Attributes
    ----------
    rows : ndarray of int32
    chunk_ends : ndarray of int64
        Chunk c has the rows ``rows[chunk_ends[c]:chunk_ends[c + 1]]``.
    chunks : ndarray of int32
    text_ends : ndarray of shape (n + 1,), int64
        Text i has the chunks ``chunks[text_ends[i]:text_ends[i + 1]]``.
    """

    rows: Rows
    chunk_ends: Ends
    chunks: Rows
    text_ends: Ends

    def counts(self, size: int) -> Ends:
        """How often each row 0…size - 1 stands in the texts."""
        times = np.bincount(self.chunks, minlength=len(self.chunk_ends) - 1)
        lengths = np.diff(self.chunk_ends)
        return np.bincount(
            self.rows[: self.chunk_ends[-1]], np.repeat(times[: len(lengths)], lengths), size
        ).astype(np.int64)


class Chunks:
    """A tokenizer, and the chunks that it has met.

    Parameters
    ----------
    tokenizer : str
        What ``tokenizer.json`` holds.

    Attributes
    ----------
    size : int
        Tokens in the vocabulary.
    left_out : ndarray of int32
        Tokens that stand for no text: the special ones, and the unknown one. They give no row.
    """

    def __init__(self, tokenizer: str) -> None:
        from tokenizers import Tokenizer

        self.fast = Tokenizer.from_str(tokenizer)
        self.size: int = self.fast.get_vocab_size(with_added_tokens=True)
        told = json.loads(tokenizer)
        self.left_out = _left_out(told, self.fast)
        self._kept = np.ones(self.size, bool)
        self._kept[self.left_out] = False
        self._apart = _apart(told)
        self._lock = Lock()
        self._met: _Met
        self._rows: Rows
        self._ends: Ends
        self._forget()

    def read(self, texts: Sequence[str], threads: int = 1) -> Chunked:
        """The rows of n texts; a lone surrogate is read as a question mark."""
        encoded = [text.encode("utf-8", "replace") for text in texts]
        if not self._apart:
            rows, ends = self._tokenized(encoded)
            own = np.arange(len(texts) + 1)
            return Chunked(rows, ends, own[:-1].astype(np.int32), own)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        byte_ends = _ends(map(len, encoded), len(encoded))
        with self._lock:
            if self._met.size > _MOST or self._met.ends[self._met.size] > _BYTES:
                self._forget()
            numbers, text_ends, spans = self._met.numbers(data, byte_ends, threads)
            self._learn(data, numbers, spans)
            rows, ends = self._rows, self._ends[: self._met.size + 1]
        return Chunked(rows, ends, numbers, text_ends)

    def _tokenized(self, texts: Sequence[bytes]) -> tuple[Rows, Ends]:
        whole = [text.decode("utf-8") for text in texts]
        encodings = self.fast.encode_batch_fast(whole, add_special_tokens=False)
        tokens = [np.array(encoding.ids, np.int32) for encoding in encodings]
        kept = [own[self._kept[own]] for own in tokens]
        return np.concatenate([np.empty(0, np.int32), *kept]), _ends(map(len, kept), len(kept))

    def _learn(self, data: npt.NDArray[np.uint8], numbers: Rows, spans: Ends) -> None:
        """Tokenize the chunks that were met for the first time, and number them."""
        unknown = np.flatnonzero(numbers < 0)
        if not len(unknown):
            return
        found = [data[start:end].tobytes() for start, end in spans[unknown].tolist()]
        before, fresh = (
            self._met.size,
            {chunk: place for place, chunk in enumerate(dict.fromkeys(found))},
        )
        numbers[unknown] = [before + fresh[chunk] for chunk in found]
        rows, ends = self._tokenized([*fresh])
        used = int(self._ends[before])
        self._rows = _grown(self._rows, used, rows)
        self._ends = _grown(self._ends, before + 1, ends[1:] + used)
        self._met.add([*fresh])

    def _forget(self) -> None:
        self._met = _Met()
        self._rows, self._ends = np.empty(0, np.int32), np.zeros(1, np.int64)


class _Met:
    """A hash table of chunks: each has a number, by the order in which it was met."""

    def __init__(self) -> None:
        self.size = 0
        self.data = np.empty(0, np.uint8)
        self.ends = np.zeros(1, np.int64)
        self.keys = np.empty(0, np.uint64)
        self.slots = np.full(_SLOTS, -1, np.int32)

    def numbers(
        self, data: npt.NDArray[np.uint8], byte_ends: Ends, threads: int
    ) -> tuple[Rows, Ends, Ends]:
        """Each chunk's number, -1 for a new one; where each text's chunks end; each chunk's bytes."""
        texts = len(byte_ends) - 1
        counts = np.empty(texts, np.int64)
        in_parts(lambda a, b: count(data, byte_ends, a, b, counts), texts, threads)
        text_ends = _ends(counts, texts)
        numbers = np.empty(text_ends[-1], np.int32)
        spans = np.empty((len(numbers), 2), np.int64)
        told = (data, byte_ends, text_ends)
        met = (self.slots, self.keys, self.data, self.ends, numbers, spans)
        in_parts(lambda a, b: look_up(*told, a, b, *met), texts, threads)
        return numbers, text_ends, spans

    def add(self, chunks: Sequence[bytes]) -> None:
        """Number chunks that are not there yet."""
        before, self.size = self.size, self.size + len(chunks)
        used = int(self.ends[before])
        self.data = _grown(self.data, used, np.frombuffer(b"".join(chunks), np.uint8))
        self.ends = _grown(self.ends, before + 1, _ends(map(len, chunks), len(chunks))[1:] + used)
        self.keys = _grown(self.keys, before, np.zeros(len(chunks), np.uint64))
        if 2 * self.size > len(self.slots):
            self.slots = np.full(1 << (4 * self.size - 1).bit_length(), -1, np.int32)
            before = 0
        enter(self.data, self.ends, before, self.size, self.slots, self.keys)


def in_parts(function: Callable[[int, int], None], size: int, threads: int) -> None:
    """Call ``function(first, last)`` for equal parts of 0…size, one on each thread."""
    if threads == 1:
        function(0, size)
        return
    edges = np.linspace(0, size, threads + 1).astype(np.int64).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: function(*part), pairwise(edges)))


def plain(tokenizer: str) -> str:
    """A tokenizer's JSON without the settings that cut or fill up texts."""
    told = json.loads(tokenizer)
    return json.dumps(told | {"truncation": None, "padding": None}, ensure_ascii=False)


def _ends(lengths: Any, size: int) -> Ends:
    """Where each of several runs ends, 0 first."""
    ends = np.zeros(size + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, size), out=ends[1:])
    return ends


def _grown(buffer: npt.NDArray[Any], used: int, more: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Put `more` behind the first `used` entries; what was handed out before stays as it is."""
    if used + len(more) > len(buffer):
        larger = np.empty(2 * (used + len(more)), buffer.dtype)
        larger[:used] = buffer[:used]
        buffer = larger
    buffer[used : used + len(more)] = more
    return buffer


def _apart(told: dict[str, Any]) -> bool:
    """Whether white space keeps this tokenizer's tokens apart."""
    kinds = [
        (told.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")
    ]
    if kinds != ["BertNormalizer", "BertPreTokenizer", "WordPiece"]:
        return False
    added = [token["content"] for token in told.get("added_tokens") or ()]
    return not any(_BLANKS & {*content} for content in added)


def _left_out(told: dict[str, Any], fast: Any) -> Rows:
    special = [token["id"] for token in told.get("added_tokens") or () if token["special"]]
    model = told["model"]
    unknown = model.get("unk_token", model.get("unk_id"))
    if isinstance(unknown, str):
        unknown = fast.token_to_id(unknown)
    return np.array(sorted({*special, *([] if unknown is None else [unknown])}), np.int32)
