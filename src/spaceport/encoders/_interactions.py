"""What the encoders share that learn users and items in one space."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, Vector, integer, pack, unpack
from spaceport.encoders import _histories
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources.base import Source

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["History", "InteractionEncoder"]

History: TypeAlias = str | Sequence[str] | Mapping[str, float]
"""A known user's id; or items, each with the value 1; or items with their values."""


class InteractionEncoder(Encoder):
    """Learns a vector for each user and each item; their dot product says what a user would like.

    A method writes `learn` and `fold_in`, and `shares` where its scores are a sum over the history.

    Parameters
    ----------
    dimension : int
        Of the vectors.

    Attributes
    ----------
    users_, items_ : list of str
        n and m ids, as in the source.
    user_vectors_ : ndarray of shape (n, d), float32
        A user without interactions has a row of zeros.
    item_vectors_ : ndarray of shape (m, d), float32
    seen_ : scipy.sparse.csr_array of shape (n, m), float32
        The values that it learnt from.
    titles_ : dict of str to str
        Names that people read, by item id.
    """

    modality: ClassVar[str] = "interactions"
    fitted: ClassVar[bool] = True

    def __init__(self, dimension: int) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self._facts: dict[str, Any] = {}

    @abstractmethod
    def learn(self, matrix: csr_array) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Learn from n users' values of m items.

        Returns
        -------
        users : ndarray of shape (n, d), float32
        items : ndarray of shape (m, d), float32
        facts : dict
            For the card.
        """

    @abstractmethod
    def fold_in(self, matrix: csr_array) -> Matrix:
        """Give vectors (n, d), float32, to n histories over the known items; zeros to an empty one."""

    def shares(self, history: csr_array, item: int) -> Vector:
        """What each entry of one history, (1, m), adds to the score of `item`, in the entries' order.

        By default how far the score falls when the entry is left out; such shares need not add up to
        the score. A method whose scores are a sum over the history gives the terms.
        """
        whole = self.fold_in(history)[0] @ self.item_vectors_[item]
        without = self.fold_in(_histories.one_left_out(history)) @ self.item_vectors_[item]
        return np.asarray(whole - without, dtype=np.float32)

    def fit(self, source: Source) -> InteractionEncoder:
        """Learn from the histories of `source`.

        Raises
        ------
        InputError
            Only empty histories, or values that are negative or no number.
        """
        users, items, matrix = _histories.read(source)
        start = time.perf_counter()
        user_vectors, item_vectors, facts = self.learn(matrix)
        seconds = time.perf_counter() - start
        titles = source.titles()
        known = {item: titles[item] for item in items if titles.get(item)}
        self._remember(users, items, matrix, known)
        self.user_vectors_, self.item_vectors_ = user_vectors, item_vectors
        self._facts = {"seconds": seconds, "users": len(users), "items": len(items)}
        self._facts |= {"entries": int(matrix.nnz)} | facts
        return self

    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode histories by `fold_in`; items that are not known are left out.

        Returns
        -------
        ndarray of shape (n, d), float32
            Not unit length; zero for a history without a known item.
        """
        self._require_fit()
        return self.fold_in(_histories.histories(items, self._item_ids))

    def entities(self) -> tuple[list[str], Matrix]:
        """Ids ``user:…`` and ``item:…``, and their vectors of shape (n + m, d)."""
        self._require_fit()
        ids = [f"user:{user}" for user in self.users_] + [f"item:{item}" for item in self.items_]
        return ids, np.concatenate([self.user_vectors_, self.item_vectors_])

    def entity_columns(self) -> dict[str, Any]:
        """`kind` (user or item), `events` (items of a user, users of an item), `title` (or None)."""
        n, m = self.seen_.shape
        of_items = np.bincount(self.seen_.indices, minlength=m)
        titles = [self.titles_.get(item) for item in self.items_]
        return {
            "kind": ["user"] * n + ["item"] * m,
            "events": np.concatenate([np.diff(self.seen_.indptr), of_items]).astype(np.int64),
            "title": pa.array([None] * n + titles, pa.string()),
        }

    def facts(self) -> dict[str, Any]:
        """Seconds of training, users, items, entries, and what the method adds."""
        return dict(self._facts)

    def scores(self, users: npt.NDArray[np.int64]) -> Matrix:
        """Scores of all items for b known users, given by row: an ndarray of shape (b, m), float32."""
        self._require_fit()
        found: Matrix = self.user_vectors_[users] @ self.item_vectors_.T
        return found

    def recommend(
        self, user: History, k: int = 10, exclude_seen: bool = True
    ) -> tuple[list[str], Vector]:
        """The items with the highest scores (dot products) for a user or a history.

        Parameters
        ----------
        user : str, sequence of str, or mapping of str to float
            A known user's id; or a history never seen: items, or items with their values.
        k : int
        exclude_seen : bool
            Leave out the items of the history.

        Returns
        -------
        items : list of str
            At most k ids, best first.
        scores : ndarray of the same length, float32

        Raises
        ------
        NotFoundError
            The user, or an item of the history, is not known.
        InputError
            The user or the history has no items.
        """
        integer(k, "k", 1)
        history, vector = self._found(user)
        scores = self.item_vectors_ @ vector  # (m,)
        allowed = np.ones(len(scores), dtype=bool)
        allowed[history.indices] = not exclude_seen
        best = _best(scores, allowed, k)
        return [self.items_[row] for row in best], scores[best]

    def similar(self, item: str, k: int = 10) -> tuple[list[str], Vector]:
        """The k items with the highest cosine to `item`, itself left out: ids and cosines."""
        integer(k, "k", 1)
        row = self._item(item)
        lengths = np.linalg.norm(self.item_vectors_, axis=1)
        products = self.item_vectors_ @ self.item_vectors_[row]  # (m,)
        both = lengths * lengths[row]  # 0 too where a vector is so short that its square is
        cosines = np.divide(products, both, out=np.zeros_like(products), where=both > 0)
        best = _best(cosines, np.arange(len(cosines)) != row, k)
        return [self.items_[place] for place in best], cosines[best].astype(np.float32)

    def explain(self, user: History, item: str, k: int = 10) -> list[tuple[str, float]]:
        """The k items of the history that add most to the score of `item`, with their `shares`."""
        integer(k, "k", 1)
        history, _ = self._found(user)
        shares = self.shares(history, self._item(item))
        order = np.argsort(-shares, kind="stable")[:k]
        return [(self.items_[history.indices[place]], float(shares[place])) for place in order]

    def state(self) -> State:
        """Ids, titles, vectors and the values learnt from; nothing before `fit`."""
        if not hasattr(self, "item_vectors_"):
            return {}, {}
        titles = [self.titles_.get(item, "") for item in self.items_]
        texts = {"users": self.users_, "items": self.items_, "titles": titles}
        arrays = {
            f"{name}_{key}": array
            for name, strings in texts.items()
            for key, array in pack(strings).items()
        }
        arrays |= {"user_vectors": self.user_vectors_, "item_vectors": self.item_vectors_}
        arrays |= {"seen_values": self.seen_.data, "seen_items": self.seen_.indices}
        return arrays | {"seen_ends": self.seen_.indptr}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave.

        Raises
        ------
        ValueError
            The arrays do not belong together.
        """
        from scipy.sparse import csr_array

        if not arrays:
            return
        users, items, titles = (
            unpack({key: arrays[f"{name}_{key}"] for key in ("bytes", "ends")})
            for name in ("users", "items", "titles")
        )
        parts = (arrays["seen_values"], arrays["seen_items"], arrays["seen_ends"])
        seen = csr_array(parts, shape=(len(users), len(items)))
        seen.check_format()
        self.user_vectors_, self.item_vectors_ = arrays["user_vectors"], arrays["item_vectors"]
        shapes = self.user_vectors_.shape, self.item_vectors_.shape, (len(titles),)
        wanted = (len(users), self.dimension), (len(items), self.dimension), (len(items),)
        if shapes != wanted:
            raise ValueError(f"the arrays have the shapes {shapes}, not {wanted}")
        named = {item: title for item, title in zip(items, titles, strict=True) if title}
        self._remember(users, items, seen, named)

    def _remember(
        self, users: list[str], items: list[str], seen: csr_array, titles: dict[str, str]
    ) -> None:
        self.users_, self.items_, self.seen_, self.titles_ = users, items, seen, titles
        self._user_rows = {user: row for row, user in enumerate(users)}
        self._item_rows = {item: row for row, item in enumerate(items)}
        self._item_ids = pa.array(items, pa.string())

    def _found(self, user: History) -> tuple[csr_array, Vector]:
        """The history, (1, m), and the vector, (d,), of a known user or of a new history."""
        self._require_fit()
        if isinstance(user, str):
            row = self._user(user)
            history, vector = self.seen_[[row]], self.user_vectors_[row]
        else:
            history = self._history(user)
            vector = self.fold_in(history)[0]
        if not history.nnz:
            who = f"The user {user!r}" if isinstance(user, str) else "The history"
            raise InputError(f"{who} has no items.", "Give a history of at least one item.")
        return history, vector

    def _history(self, given: Sequence[str] | Mapping[str, float]) -> csr_array:
        values = given if isinstance(given, Mapping) else dict.fromkeys(given, 1.0)
        for item in values:
            self._item(item)
        events = [{"item": item, "value": value} for item, value in values.items()]
        return _histories.histories([events], self._item_ids)

    def _user(self, user: str) -> int:
        if user not in self._user_rows:
            raise NotFoundError(f"There is no user {user!r}.", choices(user, self.users_))
        return self._user_rows[user]

    def _item(self, item: str) -> int:
        self._require_fit()
        if item not in self._item_rows:
            raise NotFoundError(f"There is no item {item!r}.", choices(item, self.items_))
        return self._item_rows[item]

    def _require_fit(self) -> None:
        if not hasattr(self, "item_vectors_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")


def _best(scores: Vector, allowed: npt.NDArray[np.bool_], k: int) -> npt.NDArray[np.int64]:
    """Rows of the k highest scores that are allowed, best first; the lowest row first in a tie."""
    rows = np.flatnonzero(allowed)
    if k < len(rows):
        least = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
        rows = rows[scores[rows] >= least]
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
