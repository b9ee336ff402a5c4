"""Words that belong together, joined into one: ``new york`` becomes ``new_york``.

A pair of neighbors a b is a phrase if

    (n(ab) − discount) · N / (n(a) · n(b)) > threshold

n counting how often each stands in the corpus of N words, and n(ab) ≥ the minimum count. From the
left, each phrase that shares no word with the one before it is joined. The rule is that of the
authors' program word2phrase; the paper's formula has no N.

References
----------
Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed Representations of Words and Phrases and
their Compositionality", section 4.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spaceport.progress import task
from spaceport.vocabulary import TokenFile, write

__all__ = ["MARK", "find_phrases", "join_phrases", "join_words"]

MARK = "_"
_CHUNK = 1 << 20  # words that are looked at together
_PAIRS = 1 << 24  # pairs that are counted in one pass over the corpus

Keys = npt.NDArray[np.int64]


def join_phrases(
    corpus: TokenFile,
    threshold: float,
    discount: float = 0,
    minimum_count: int = 1,
    known: Iterable[str] = (),
) -> TokenFile:
    """Write the corpus anew with its phrases joined.

    Parameters
    ----------
    corpus : TokenFile
    threshold : float
        Of the score; the higher, the fewer phrases.
    discount : float
        Taken from the count of each pair, so that pairs of rare words do not score high.
    minimum_count : int
        Pairs that stand less often are no phrases.
    known : iterable of str
        Joined words that are phrases whatever they score.

    Returns
    -------
    TokenFile
        To be closed, as the one given.
    """
    found = find_phrases(corpus, threshold, discount, minimum_count)
    pairs = np.unique(np.concatenate([found, _pairs_of(known, corpus.words)]))
    first, second = np.divmod(pairs, len(corpus.words))
    joined = [
        MARK.join((corpus.words[a], corpus.words[b]))
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    ids = {word: id for id, word in enumerate(corpus.words)}
    for word in joined:
        ids.setdefault(word, len(ids))
    targets = np.array([ids[word] for word in joined], dtype=np.int32)
    return write(ids, _rewritten(corpus, pairs, targets), corpus.seconds)


def find_phrases(
    corpus: TokenFile, threshold: float, discount: float = 0, minimum_count: int = 1
) -> Keys:
    """Find the pairs that are phrases: ``a * n + b``, sorted, for the ids a, b of n words.

    The corpus is read once for each 16.8 million words: each pass counts the pairs that begin with
    some of the words, so that memory does not grow with the corpus.
    """
    return np.concatenate(
        [_best(corpus, pairs, threshold, discount, minimum_count) for pairs in _counted(corpus)]
    )


def join_words(words: Sequence[str], known: Container[str]) -> list[str]:
    """Join the phrases among the words of a text, from the left: neighbors whose join is `known`.

    Examples
    --------
    >>> join_words(["in", "new", "york", "city"], {"new_york", "york_city"})
    ['in', 'new_york', 'city']
    """
    joined: list[str] = []
    free = True  # the last word is not yet part of a phrase
    for before, word in pairwise(["", *words]):
        phrase = before + MARK + word
        if free and joined and phrase in known:
            joined[-1], free = phrase, False
        else:
            joined.append(word)
            free = True
    return joined


def _counted(corpus: TokenFile) -> Iterator[Keys]:
    """All pairs of neighbors, sorted, equal ones beside one another; a part for each pass."""
    words = len(corpus.words)
    group = np.cumsum(corpus.counts) // _PAIRS  # (n,): the pass that counts pairs from this word on
    passes = int(group[-1]) + 1
    with task("finding phrases", passes * corpus.length, "words") as work:
        for number in range(passes):
            parts = []
            for tokens in _overlapping(corpus):
                first, second = tokens[:-1], tokens[1:]
                wanted = (first >= 0) & (second >= 0) & (group[first] == number)
                parts.append(first[wanted].astype(np.int64) * words + second[wanted])
                work.advance(len(first))
            pairs = np.concatenate(parts)
            pairs.sort()
            yield pairs


def _best(
    corpus: TokenFile, pairs: Keys, threshold: float, discount: float, minimum_count: int
) -> Keys:
    """Which of the sorted `pairs` are phrases."""
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    counts = np.diff(starts, append=len(pairs))
    pairs = pairs[starts]
    first, second = np.divmod(pairs, len(corpus.words))
    expected = corpus.counts[first].astype(np.float64) * corpus.counts[second]
    scores = (counts - discount) * corpus.total / expected
    return pairs[(counts >= minimum_count) & (scores > threshold)]


def _pairs_of(joined: Iterable[str], words: list[str]) -> Keys:
    """Every way to take joined words apart into two words of the corpus."""
    ids = {word: id for id, word in enumerate(words)}
    found = []
    for word in joined:
        parts = word.split(MARK)
        for cut in range(1, len(parts)):
            first, second = MARK.join(parts[:cut]), MARK.join(parts[cut:])
            if first in ids and second in ids:
                found.append(ids[first] * len(words) + ids[second])
    return np.array(found, dtype=np.int64)


def _overlapping(corpus: TokenFile) -> Iterator[npt.NDArray[np.int32]]:
    """Chunks of the corpus, each with the first id of the next."""
    for start in range(0, corpus.length, _CHUNK):
        yield corpus.tokens(start, _CHUNK + 1)


def _rewritten(
    corpus: TokenFile, pairs: Keys, targets: npt.NDArray[np.int32]
) -> Iterator[npt.NDArray[np.int32]]:
    """The ids of the corpus with each pair of `pairs` replaced by its target."""
    rest = np.empty(0, dtype=np.int32)
    for start in range(0, corpus.length, _CHUNK):
        tokens = np.concatenate([rest, corpus.tokens(start, _CHUNK)])
        whole = start + _CHUNK >= corpus.length
        place = _places(tokens, pairs, len(corpus.words))
        # what is joined with the first word of the next chunk is not known yet, nor what hangs on it
        apart = np.flatnonzero(place[:-1] < 0)
        cut = len(tokens) if whole else int(apart[-1]) + 1 if apart.size else 0
        yield _joined(tokens[:cut], place[:cut], targets)
        rest = tokens[cut:]


def _places(tokens: npt.NDArray[np.int32], pairs: Keys, words: int) -> Keys:
    """For each id, where it and the next one stand in `pairs`, or −1."""
    places = np.full(len(tokens), -1, dtype=np.int64)
    if not len(pairs):
        return places
    keys = tokens[:-1].astype(np.int64) * words + tokens[1:]
    near = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    is_phrase = (pairs[near] == keys) & (tokens[:-1] >= 0) & (tokens[1:] >= 0)
    places[:-1] = np.where(is_phrase, near, -1)
    return places


def _joined(
    tokens: npt.NDArray[np.int32], places: Keys, targets: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """Join from the left: of phrases that overlap, the first, the third and so on."""
    at = np.arange(len(tokens))
    run = np.maximum.accumulate(np.where(places < 0, at, -1))  # the last place before the run
    taken = (places >= 0) & ((at - run) % 2 == 1)
    result = tokens.copy()
    result[taken] = targets[places[taken]]
    swallowed = np.zeros_like(taken)
    swallowed[1:] = taken[:-1]
    kept: npt.NDArray[np.int32] = result[~swallowed]
    return kept
