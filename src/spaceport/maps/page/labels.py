"""Labels for the cells of a space, drawn from the words of their items."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError
from spaceport.tokens import Tokenizer

__all__ = ["Bag", "bag", "central", "commonest", "labels", "scores"]

_CANDIDATES = 30  # words of a cell that may become its label


@dataclass(frozen=True)
class Bag:
    """The words of some texts, counted.

    Parameters
    ----------
    counts : scipy.sparse.csr_array of shape (n, words), float64
        How often each word stands in each text.
    words : list of str
    """

    counts: Any
    words: list[str]


def bag(texts: Iterable[str], tokenizer: Callable[[str], list[str]] | None = None) -> Bag:
    """Count the words of texts; single letters and numbers are left out.

    Parameters
    ----------
    texts : iterable of n str
    tokenizer : callable, optional
        Text to words; by default `Tokenizer`'s rule.

    Examples
    --------
    >>> counted = bag(["a cat, a dog", "2 cats"])
    >>> counted.words, counted.counts.toarray().tolist()
    (['cat', 'dog', 'cats'], [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    from scipy.sparse import csr_array

    split = tokenizer or Tokenizer()
    known = _Vocabulary()
    columns, ends = array("i"), array("q", [0])
    for text in texts:
        columns.extend(map(known.__getitem__, split(text)))
        ends.append(len(columns))
    places = np.array(columns, dtype=np.int32)
    told = places >= 0
    starts = np.concatenate([[0], np.cumsum(told)])[np.array(ends, dtype=np.int64)]
    counts = csr_array(
        (np.ones(int(told.sum())), places[told], starts), shape=(len(ends) - 1, len(known.words))
    )
    counts.sum_duplicates()
    return Bag(counts, known.words)


def scores(counted: Bag, assignment: npt.ArrayLike, cells: int) -> npt.NDArray[np.float64]:
    """Score each word for each cell by class-based tf-idf over the word's excess in the cell.

    ``W[c, t] = max(sqrt(tf[c, t]) - sqrt(tf[t]), 0) * log(1 + A / f[t])``: ``tf[c, t]`` is the share
    of word t among the words of cell c, ``tf[t]`` its share among all words, ``f[t]`` its count,
    ``A`` the mean number of words in a cell. The published statistic has ``tf[c, t]`` in place of
    the difference, and then needs a list of stop-words: here a word that all cells use alike
    scores 0. The square root (BERTopic's option for frequent words) gives a difference the same
    weight of chance in rare words and in frequent ones.

    Parameters
    ----------
    counted : Bag
        Of n texts.
    assignment : array-like of shape (n,), integers
        Each text's cell.
    cells : int
        Number of cells.

    Returns
    -------
    ndarray of shape (cells, words), float64

    References
    ----------
    Grootendorst (2022), "BERTopic: Neural topic modeling with a class-based TF-IDF procedure",
    arXiv:2203.05794, section 3.3.
    """
    from scipy.sparse import csr_array

    where = np.asarray(assignment)
    n = counted.counts.shape[0]
    inside = where.shape == (n,) and where.dtype.kind in "iu" and (not n or where.min() >= 0)
    if not inside or where.max(initial=-1) >= cells:
        raise InputError(
            f"`assignment` must be {n} cells in [0, {cells}). Got shape {where.shape}.",
            "Give each text's cell.",
        )
    members = csr_array((np.ones(n), (where, np.arange(n))), shape=(cells, n))
    counts = (members @ counted.counts).toarray()  # (cells, words)
    sizes, frequency = counts.sum(axis=1, keepdims=True), counts.sum(axis=0)
    total = max(float(frequency.sum()), 1.0)
    excess = np.sqrt(counts / np.maximum(sizes, 1)) - np.sqrt(frequency / total)
    weights: npt.NDArray[np.float64] = np.maximum(excess, 0) * np.log1p(total / cells / frequency)
    return weights


def labels(
    texts: Bag | Sequence[str],
    assignment: npt.ArrayLike,
    count: int | None = None,
    words: int = 2,
) -> list[str]:
    """Name each cell by the `words` that mark it out; no two cells get the same name.

    Parameters
    ----------
    texts : Bag, or sequence of n str
        A `Bag` when several partitions of the same texts are to be named.
    assignment : array-like of shape (n,), integers
        Each text's cell.
    count : int, optional
        Number of cells; left out: the largest in `assignment`, and one.
    words : int
        Words in a label; kin of a word already in it (plural, the same stem) are passed over.

    Returns
    -------
    list of `count` str; ``""`` for a cell of which no word tells anything

    Examples
    --------
    >>> labels(["the cat purrs", "the cats purr", "the bond yields", "the tax"], [0, 0, 1, 1])
    ['cat, purrs', 'bond, yields']
    """
    where = np.asarray(assignment)
    counted = texts if isinstance(texts, Bag) else bag(texts)
    cells = count if count is not None else int(where.max(initial=-1)) + 1
    return _name((_ranked(counted.words, row) for row in scores(counted, where, cells)), words)


def central(
    names: Sequence[str],
    assignment: npt.ArrayLike,
    closeness: npt.ArrayLike,
    frequency: npt.ArrayLike | None = None,
    words: int = 2,
) -> list[str]:
    """Name each cell of a space of words by its own most frequent words near the middle.

    Of a cell's members, the quarter closest to its center (ten at least) is ordered by frequency;
    without frequencies, by closeness.

    Parameters
    ----------
    names : sequence of n str
        The items: words.
    assignment : array-like of shape (n,), integers
        Each item's cell.
    closeness : array-like of shape (n,)
        Similarity of each item to its cell's center.
    frequency : array-like of shape (n,), optional
        How often each word stands in the collection.
    words : int
        Words in a label.

    Examples
    --------
    >>> central(["cat", "dog", "pets", "tax"], [0, 0, 0, 1], [0.9, 0.8, 0.7, 1], [50, 70, 4, 9])
    ['dog, cat', 'tax']
    """
    where, close = np.asarray(assignment), np.asarray(closeness)
    weight = close if frequency is None else np.asarray(frequency)

    def ranked(cell: int) -> Iterator[str]:
        members = np.flatnonzero(where == cell)
        near = members[np.argsort(-close[members], kind="stable")][: max(10, len(members) // 4)]
        return (names[row] for row in near[np.argsort(-weight[near], kind="stable")])

    return _name((ranked(cell) for cell in range(int(where.max(initial=-1)) + 1)), words)


def commonest(
    values: Sequence[Any], assignment: npt.ArrayLike, cells: int, words: int = 2
) -> list[str]:
    """Name each cell by the values that most of its items have: half of those that have any.

    Parameters
    ----------
    values : sequence of n values
        A label each; None where there is none.
    assignment : array-like of shape (n,), integers
        Each item's cell.
    cells : int
        Number of cells.
    words : int
        The most values in a name, even where they are fewer than half.

    Returns
    -------
    list of `cells` str; ``""`` for a cell without a value

    Examples
    --------
    >>> commonest(["stop", "stop", "yield", None, "yield", "keep"], [0, 0, 0, 1, 1, 1], 3)
    ['stop', 'keep, yield', '']
    """
    counts: list[Counter[str]] = [Counter() for _ in range(cells)]
    for value, cell in zip(values, np.asarray(assignment).tolist(), strict=True):
        if value is not None and value != "":
            counts[cell][str(value)] += 1
    return [", ".join(_majority(counted, words)) for counted in counts]


def _majority(counted: Counter[str], words: int) -> list[str]:
    """The most frequent values until they are more than half, `words` at most; ties by name."""
    told: list[str] = []
    ranked = sorted(counted, key=lambda value: (-counted[value], value))
    for value in ranked[:words]:
        told.append(value)
        if 2 * sum(counted[one] for one in told) > counted.total():
            break
    return told


def _ranked(vocabulary: list[str], row: npt.NDArray[np.float64]) -> Iterator[str]:
    """Yield the words of one cell that score above 0, the best first."""
    best = np.argsort(-row, kind="stable")[:_CANDIDATES]
    return (vocabulary[column] for column in best if row[column] > 0)


def _name(cells: Iterable[Iterator[str]], words: int) -> list[str]:
    """Join each cell's first `words` words that are no kin; where that is taken, go on to the next."""
    names: list[list[str]] = []
    for ranked in cells:
        told = list(islice(_unrelated(ranked), _CANDIDATES))
        tries = chain([told[:words]], ([*told[: words - 1], word] for word in told[words:]))
        free = (name for name in tries if not any(_same(name, other) for other in names))
        names.append(next(free, told[:words]))
    return [", ".join(name) for name in names]


def _unrelated(ranked: Iterator[str]) -> Iterator[str]:
    kept: list[str] = []
    for word in ranked:
        if not any(_kin(word, other) for other in kept):
            kept.append(word)
            yield word


def _same(one: list[str], two: list[str]) -> bool:
    """Whether two names say the same: each word of one has its kin in the other, in any order."""
    return len(one) == len(two) and all(any(_kin(a, b) for b in two) for a in one)


def _kin(one: str, two: str) -> bool:
    """Whether one word contains the other, or their shared start is six tenths of the longer one."""
    short, long = sorted((one, two), key=len)
    pairs = enumerate(zip(short, long, strict=False))
    shared = next((place for place, (a, b) in pairs if a != b), len(short))
    return short in long or shared >= max(4, 0.6 * len(long))


class _Vocabulary(dict[str, int]):
    """Words in the order of their first coming; -1 for a word that no label should hold.

    Numbers are left out, and single letters of an alphabet with cases.
    """

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def __missing__(self, word: str) -> int:
        tells = not word.isdecimal() and (len(word) > 1 or word.upper() == word.lower())
        self[word] = len(self.words) if tells else -1
        if tells:
            self.words.append(word)
        return self[word]
