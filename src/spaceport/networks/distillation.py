"""A network's tokens by themselves: the vector that each token of the vocabulary gets alone.

For each token t the network runs over the special tokens that its tokenizer puts round a text, with t
between them ([CLS] t [SEP] for BERT); the token's vector is its own position's last hidden state. The
idea of a table of them in the network's place is that of model2vec (Tulkens & van Dongen 2024).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.networks.network import Network
from spaceport.networks.where import Where
from spaceport.progress import task

__all__ = ["token_vectors"]

_TOGETHER = 512


def token_vectors(network: Network, tokenizer: Any) -> Matrix:
    """The last hidden state of each token alone.

    Parameters
    ----------
    network : Network
    tokenizer : tokenizers.Tokenizer
        The network's.

    Returns
    -------
    ndarray of shape (n, d), float32
        n: the tokenizer's vocabulary.

    Raises
    ------
    InputError
        The network has fewer tokens than the tokenizer, or gives NaN or infinity.
    """
    count = tokenizer.get_vocab_size(with_added_tokens=True)
    known = len(network.table())
    if known < count:
        raise InputError(
            f"The tokenizer has {count} tokens, and the network {known}.",
            "They are not of one model; fetch it again.",
        )
    before, behind = _around(tokenizer)
    parts = []
    with task("distilling", count, "tokens") as work:
        for start in range(0, count, _TOGETHER):
            tokens = np.arange(start, min(start + _TOGETHER, count))
            parts.append(_alone(network, tokens, before, behind))
            work.advance(len(tokens))
    vectors: Matrix = np.concatenate(parts)
    if not np.isfinite(vectors).all():
        raise InputError("The network gives NaN or infinity for a token.", "Fetch it again.")
    return vectors


def _alone(network: Network, tokens: Any, before: list[int], behind: list[int]) -> Matrix:
    rows = np.empty((len(tokens), len(before) + 1 + len(behind)), np.int64)
    rows[:, : len(before)] = before
    rows[:, len(before)] = tokens
    rows[:, len(before) + 1 :] = behind
    ids = torch.from_numpy(rows)
    values = network.capture(
        {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, Where(last=1)
    )
    return np.asarray(values[0][:, len(before)].float().cpu().numpy(), np.float32)


def _around(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens before and behind a text."""
    encoding = tokenizer.encode("a")
    own = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    if not own:
        return encoding.ids, []
    return encoding.ids[: own[0]], encoding.ids[own[-1] + 1 :]
