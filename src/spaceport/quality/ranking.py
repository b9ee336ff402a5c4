"""Ranking: whether what a user did later stands high among what was recommended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.arrays import Matrix, integer
from spaceport.errors import InputError
from spaceport.sources.base import Source

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["HeldOut", "RankingScores", "held_out", "popularity", "ranking"]

_BLOCK = 1 << 22  # scores at once: 16 MB of float32

Rows: TypeAlias = npt.NDArray[np.int64]
ScoresOf: TypeAlias = Callable[[Rows], Matrix]


@dataclass(frozen=True)
class RankingScores:
    """What `ranking` measured, each a mean over the `users`, in [0, 1].

    Attributes
    ----------
    ndcg, recall, precision, map : float
    coverage : float
        The share of all items that were recommended to at least one of the users.
    users : int
        Those with a held-out item.
    without : int
        Those without, who are left out of the means.
    k : int
        How many items were recommended to each.
    """

    ndcg: float
    recall: float
    precision: float
    map: float
    coverage: float
    users: int
    without: int
    k: int


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Events of a test part in a model's own rows and columns, and how many could not be placed there.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array of shape (n, m), float32
        1 where the user has the item in the test part.
    events : int
        Of the test part, each item of a history counting once.
    unknown_users, unknown_items : int
        Events whose user, or whose item though not whose user, the model never saw.
    seen : int
        Events that the model learnt from too; they are left out, for nothing seen is recommended.
    """

    matrix: csr_array
    events: int
    unknown_users: int
    unknown_items: int
    seen: int


def ranking(
    scores_of: ScoresOf, seen: csr_array, held_out: csr_array, k: int = 10
) -> RankingScores:
    r"""Recommend `k` items to each user with held-out items, and see how many of these are among them.

    With the held-out items H of a user and the recommended ones r_1 … r_k, best first, where hit(i) is
    1 if r_i is in H, else 0:

    ======================  ==================================================================
    precision@k             sum of hit(i) / k
    recall@k                sum of hit(i) / \|H\|
    AP@k (the mean: MAP@k)  sum over i of hit(i) × (sum of hit(1 … i) / i), / min(k, \|H\|)
    NDCG@k                  sum of hit(i) / log2(i + 1), / sum over i ≤ min(k, \|H\|) of 1 / log2(i + 1)
    ======================  ==================================================================

    Items that the user has in `seen` are not recommended; of equal scores the lower column comes first.
    `implicit`'s ``ranking_metrics_at_k`` agrees on MAP and NDCG; its "precision" divides the hits
    by the sum of min(k, \|H\|) over all users, so it is neither of the two here.

    Parameters
    ----------
    scores_of : callable
        Takes rows of users, shape (b,), and gives their scores of all items, shape (b, m); the larger
        the better. Not changed here.
    seen, held_out : csr_array of shape (n, m)
        What counts is where values are stored, not what they are.
    k : int

    Returns
    -------
    RankingScores

    Raises
    ------
    InputError
        Matrices of different shapes, no held-out item at all, scores of another shape or NaN.

    References
    ----------
    Järvelin, Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", sections 2.2 and 2.3.
    Manning, Raghavan, Schütze 2008, "Introduction to Information Retrieval", section 8.4.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> seen = csr_array([[1, 1, 0, 0], [0, 1, 1, 0]])
    >>> later = csr_array([[0, 0, 1, 0], [0, 0, 0, 1]])
    >>> found = ranking(popularity(seen), seen, later, k=1)
    >>> found.recall, found.coverage
    (0.5, 0.5)
    """
    integer(k, "k", 1)
    users = _checked(seen, held_out)
    hits, recommended = [], np.zeros(seen.shape[1], bool)
    for rows in _blocks(users, seen.shape[1]):
        best = _best(_unseen(scores_of, rows, seen), k)  # (b, k)
        recommended[best[best >= 0]] = True
        hits.append(_hits(best, held_out, rows))
    counts = np.diff(held_out.indptr)[users]
    return _means(np.concatenate(hits), counts, recommended, seen.shape[0] - len(users), k)


def popularity(seen: csr_array) -> ScoresOf:
    """The baseline that every model must beat: an item's score is how many users have it, for everybody."""
    counts = np.bincount(seen.indices, minlength=seen.shape[1]).astype(np.float32)  # (m,)
    return lambda rows: np.broadcast_to(counts, (len(rows), len(counts)))


def held_out(users: Sequence[str], items: Sequence[str], seen: csr_array, test: Source) -> HeldOut:
    """Put the histories of a test part into the rows and columns of a model.

    Parameters
    ----------
    users, items : sequences of n and of m str
        The model's ids (`users_` and `items_` of an encoder of interactions).
    seen : csr_array of shape (n, m)
        What it learnt from (`seen_`).
    test : Source
        Of the modality ``"interactions"``.
    """
    from scipy.sparse import csr_array

    user, item = _events(test, users, items)
    known = (user >= 0) & (item >= 0)
    shape = (len(users), len(items))
    ones = np.ones(int(known.sum()), np.float32)
    matrix = csr_array((ones, (user[known], item[known])), shape=shape)
    both = matrix.multiply(_pattern(seen)).tocsr()
    apart = csr_array(matrix - both)
    apart.eliminate_zeros()
    return HeldOut(
        matrix=apart,
        events=len(user),
        unknown_users=int((user < 0).sum()),
        unknown_items=int(((user >= 0) & (item < 0)).sum()),
        seen=int(both.nnz),
    )


def _events(test: Source, users: Sequence[str], items: Sequence[str]) -> tuple[Rows, Rows]:
    """The row and the column of each event, -1 where the model knows none."""
    known_users, known_items = pa.array(users, pa.string()), pa.array(items, pa.string())
    rows, columns = [], []
    for batch in test.batches():
        content = batch.column("content")
        lengths = pc.list_value_length(content).to_numpy(zero_copy_only=False)
        rows.append(np.repeat(_places(batch.column("id"), known_users), lengths))
        columns.append(_places(content.flatten().field("item"), known_items))
    return np.concatenate(rows), np.concatenate(columns)


def _places(ids: pa.Array, known: pa.Array) -> Rows:
    found = pc.fill_null(pc.index_in(ids, value_set=known), -1)
    places: Rows = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _pattern(matrix: csr_array) -> Any:
    pattern = matrix.astype(np.float32)
    pattern.data = np.ones_like(pattern.data)
    return pattern


def _checked(seen: csr_array, held_out: csr_array) -> Rows:
    """The rows of the users with held-out items."""
    if seen.shape != held_out.shape:
        raise InputError(
            f"`seen` has shape {seen.shape} and `held_out` {held_out.shape}.",
            "Give both the model's users as rows and its items as columns; see held_out().",
        )
    users: Rows = np.flatnonzero(np.diff(held_out.indptr))
    if not len(users):
        raise InputError(
            "No user has a held-out item that the model knows.",
            "Hold out a larger share, or train on more of the same users and items.",
        )
    return users


def _blocks(users: Rows, items: int) -> Iterator[Rows]:
    size = max(_BLOCK // items, 1)
    return (users[start : start + size] for start in range(0, len(users), size))


def _unseen(scores_of: ScoresOf, rows: Rows, seen: csr_array) -> Matrix:
    """The scores of a block, minus infinity for what the user has."""
    scores = np.array(scores_of(rows), np.float32)  # (b, m), a copy
    if scores.shape != (len(rows), seen.shape[1]) or np.isnan(scores.max()):
        raise InputError(
            f"`scores_of` gave scores of shape {scores.shape} for {len(rows)} users "
            f"and {seen.shape[1]} items, or NaN among them.",
            "Give a score for every user and item.",
        )
    scores[_coordinates(seen[rows])] = -np.inf
    return scores


def _coordinates(matrix: Any) -> tuple[Rows, Rows]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def _best(scores: Matrix, k: int) -> Rows:
    """Columns of the k largest finite scores of each row, (b, k); -1 where there are fewer.

    The k-th largest score is found first, so that of scores equal to it the lowest columns are taken.
    """
    b, m = scores.shape
    k = min(k, m)
    least = np.partition(scores, m - k, axis=1)[:, m - k]  # (b,)
    finite = np.finfo(np.float32).min
    row, column = np.nonzero(scores >= np.maximum(least, finite)[:, None])
    order = np.lexsort((column, -scores[row, column], row))
    row, column = row[order], column[order]
    starts = np.searchsorted(row, np.arange(b))
    rank = np.arange(len(row)) - starts[row]
    best = np.full((b, k), -1)
    best[row[rank < k], rank[rank < k]] = column[rank < k]
    return best


def _hits(best: Rows, held_out: csr_array, rows: Rows) -> npt.NDArray[np.bool_]:
    """Which of the recommended items are held out, (b, k)."""
    wanted = np.zeros((len(rows), held_out.shape[1] + 1), bool)  # the last column is for -1
    wanted[_coordinates(held_out[rows])] = True
    found: npt.NDArray[np.bool_] = np.take_along_axis(wanted, best, axis=1)
    return found


def _means(
    hits: npt.NDArray[np.bool_],
    counts: Rows,
    recommended: npt.NDArray[np.bool_],
    without: int,
    k: int,
) -> RankingScores:
    places = np.arange(1, hits.shape[1] + 1)
    discounts = 1 / np.log2(places + 1)  # (k,)
    most = np.minimum(counts, k)  # (users,)
    ideal = np.cumsum(1 / np.log2(np.arange(1, k + 1) + 1))[most - 1]
    precisions = np.cumsum(hits, axis=1) / places  # (users, k)
    return RankingScores(
        ndcg=float((hits @ discounts / ideal).mean()),
        recall=float((hits.sum(axis=1) / counts).mean()),
        precision=float((hits.sum(axis=1) / k).mean()),
        map=float(((hits * precisions).sum(axis=1) / most).mean()),
        coverage=float(recommended.mean()),
        users=len(hits),
        without=without,
        k=k,
    )
