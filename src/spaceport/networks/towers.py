"""Two towers, one for users' histories and one for items with features, learnt from users' entries.

::

    x_j  = e_j + Σ_f F_jf w_f                     an item's input: its id's vector and its features'
    y_j  = T(x_j)                                 the item's vector, d numbers
    u    = S(Σ_j c_j x_j / Σ_j c_j)               a user's, from the items j of a history
    T(x) = A x + b                                S alike; with `layers`: + W₂ gelu(W₁ x + b₁)

Of each user in a batch half of the items, drawn anew each time, are the history; the others are to be
told from it, by the cross-entropy of softmax(u·y_j - ln π_j) over the batch's candidates j: all items
that are to be told to anyone, and some others drawn alike. π_j is the chance that j is a candidate.
Without it popular items would be pushed down, since they come up more often: Yi, Yang, Hong, Cheng,
Heldt, Kumthekar, Zhao, Wei & Chi 2019, "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
Recommendations", section 3; the others beside: Yang et al. 2020, "Mixed Negative Sampling for Learning
Two-tower Neural Networks in Recommendations". With as many others as there are items it is the
multinomial likelihood of Liang, Krishnan, Hoffman & Jebara 2018, "Variational Autoencoders for
Collaborative Filtering", section 2.2. A user with n items to be told counts √n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own short form

from spaceport.arrays import generator
from spaceport.errors import InputError
from spaceport.networks.training import Training, seeded

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Rows", "TowerTraining", "Towers"]

Rows = npt.NDArray[np.int64]

_GIVEN = 0.5  # of a user's items
_BLOCK = 256
_JUDGED = 1024  # held-out entries that are looked at after each epoch
_CANDIDATES = 16_384  # items among which each of them is looked for


class Tower(nn.Module):
    """A straight way, and beside it one through hidden layers where there are any."""

    def __init__(self, inputs: int, dimension: int, layers: int) -> None:
        super().__init__()
        self.straight = nn.Linear(inputs, dimension)
        steps = [step for _ in range(layers) for step in (nn.Linear(inputs, inputs), nn.GELU())]
        last = nn.Linear(inputs, dimension, bias=False)
        self.bent = nn.Sequential(*steps, last) if layers else None

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) to (n, d)."""
        y: Tensor = self.straight(x)
        return y if self.bent is None else y + self.bent(x)


class Towers(nn.Module):
    """Both towers, over the same items' inputs.

    Parameters
    ----------
    items, features : int
        How many items have an id, and how many columns there are of features.
    hidden : int
        The width of an item's input.
    dimension : int
        d.
    layers : int
        Hidden layers of each tower.
    """

    def __init__(self, items: int, features: int, hidden: int, dimension: int, layers: int) -> None:
        super().__init__()
        self.ids = nn.Parameter(torch.randn(items, hidden) * hidden**-0.5)
        self.features = nn.Parameter(torch.randn(features, hidden) * hidden**-0.5)
        self.item = Tower(hidden, dimension, layers)
        self.user = Tower(hidden, dimension, layers)

    def described(self, features: csr_array) -> Tensor:
        """Items' inputs from their features alone, (n, hidden)."""
        return _product(features, self.features)

    def inputs(self, features: csr_array) -> Tensor:
        """All items' inputs, (m, hidden)."""
        return self.ids + self.described(features)

    def user_vectors(self, histories: csr_array, inputs: Tensor) -> Tensor:
        """Vectors of histories (n, m) over the items of `inputs`, (n, d)."""
        vectors: Tensor = self.user(_product(_shares(histories), inputs))
        return vectors


class TowerTraining(Training):
    """Users' histories, a share of the entries held out.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array of shape (n, m), float32
        The entries' weights c.
    features : scipy.sparse.csr_array of shape (m, w), float32
    hidden, dimension, layers : int
        Of the network.
    id_dropout : float
        The share of items whose id is left out of a batch, so that their features have to tell.
    negatives : int
        About how many candidates there are beside those to be told.
    batch_size : int
        Users.
    validation : float
        The share of entries held out, drawn with `seed`.
    seed : int

    Attributes
    ----------
    known : ndarray of shape (m,), bool
        Items that stand in the training part.
    """

    def __init__(
        self,
        matrix: csr_array,
        features: csr_array,
        hidden: int,
        dimension: int,
        layers: int,
        id_dropout: float,
        negatives: int,
        batch_size: int,
        validation: float,
        seed: int,
    ) -> None:
        with seeded(seed):
            items, columns = features.shape
            self.network: Towers = Towers(items, columns, hidden, dimension, layers)
        self.features, self.id_dropout, self.batch_size = features, id_dropout, batch_size
        self._divide(matrix, validation, generator(seed))
        counts = np.bincount(self._train.indices, minlength=matrix.shape[1])
        self.known, self._popular = counts > 0, counts / self._train.nnz
        self._extra = min(1.0, negatives / int(self.known.sum()))
        self._users = np.flatnonzero(np.diff(self._train.indptr))
        self.steps = -(-len(self._users) // batch_size)

    def _divide(self, matrix: csr_array, validation: float, rng: np.random.Generator) -> None:
        """Hold entries out; choose those that are judged, and among which items."""
        held = max(1, round(validation * matrix.nnz))
        if held >= matrix.nnz:
            raise InputError(
                f"There are {matrix.nnz} entries, of which {held} are held out.",
                "Give more histories, or hold out a smaller share: validation=.",
            )
        chosen = rng.permutation(matrix.nnz)[:held]
        kept = np.ones(matrix.nnz, bool)
        kept[chosen] = False
        self._train = _only(matrix, kept)
        judged = chosen[:_JUDGED]
        self._judged = _rows_of(matrix)[judged], matrix.indices[judged]
        others = rng.permutation(matrix.shape[1])[:_CANDIDATES]
        self._all = np.union1d(others, self._judged[1])

    def batches(self, rng: np.random.Generator) -> Iterator[Rows]:
        """Users by their row, in a new order."""
        order = rng.permutation(self._users)
        yield from np.split(order, range(self.batch_size, len(order), self.batch_size))

    def loss(self, batch: Rows) -> Tensor:
        """Cross-entropy of the items that are to be told."""
        entries = self._train[batch]
        given = torch.rand(entries.nnz).numpy() < _GIVEN
        wanted = entries.indices[~given]
        candidates = self._candidates(wanted)
        scores = self._scores(_only(entries, given), candidates)
        scores = scores - self._log_chances(candidates, len(wanted))
        scores = scores.masked_fill(_present(_only(entries, given), candidates), -torch.inf)
        user = _rows_of(entries)[~given]
        place = np.searchsorted(candidates, wanted)
        told = F.log_softmax(scores, dim=1)[torch.from_numpy(user), torch.from_numpy(place)]
        weights = torch.from_numpy(np.bincount(user, minlength=len(batch))[user] ** -0.5).float()
        return -(told * weights).sum() / weights.sum().clamp(min=1)

    def held_out(self) -> dict[str, float]:
        """Cross-entropy of held-out entries' items, and the share among the ten best of the user's."""
        inputs = self.network.inputs(self.features)
        items = self.network.item(inputs[torch.from_numpy(self._all)])
        losses, ranks = [], []
        for start in range(0, len(self._judged[0]), _BLOCK):
            users, wanted = (part[start : start + _BLOCK] for part in self._judged)
            scores = self.network.user_vectors(self._train[users], inputs) @ items.T
            scores = scores.masked_fill(_present(self._train[users], self._all), -torch.inf)
            answer = torch.from_numpy(np.searchsorted(self._all, wanted))
            losses.append(F.cross_entropy(scores, answer, reduction="none"))
            ranks.append((scores > scores.gather(1, answer[:, None])).sum(dim=1))
        among_ten = (torch.cat(ranks) < 10).float().mean()
        return {"loss": float(torch.cat(losses).mean()), "among_ten": float(among_ten)}

    def _candidates(self, wanted: Rows) -> Rows:
        """Items, ascending: those to be told, and others of the training part."""
        drawn = torch.rand(len(self.known)).numpy() < self._extra
        candidates: Rows = np.union1d(wanted, np.flatnonzero(drawn & self.known))
        return candidates.astype(np.int64)

    def _log_chances(self, items: Rows, wanted: int) -> Tensor:
        """The logarithms of π of items where `wanted` are drawn by popularity, and the others alike."""
        missed = (1 - self._popular[items]) ** wanted * (1 - self._extra)
        return torch.from_numpy(np.log(np.maximum(1 - missed, 1e-12)).astype(np.float32))

    def _scores(self, histories: csr_array, candidates: Rows) -> Tensor:
        """Scores (b, candidates); only the inputs that are needed are made, some without their id."""
        both = np.concatenate([candidates, histories.indices])
        needed, places = np.unique(both, return_inverse=True)
        rows = torch.from_numpy(needed)
        kept = torch.rand(len(needed), 1) >= self.id_dropout
        inputs = self.network.ids[rows] * kept + self.network.described(self.features[needed])
        items = self.network.item(inputs[torch.from_numpy(places[: len(candidates)])])
        renumbered = _like(histories, places[len(candidates) :], len(needed))
        return self.network.user_vectors(renumbered, inputs) @ items.T


def _rows_of(matrix: csr_array) -> Rows:
    """The row of each entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _only(matrix: csr_array, kept: npt.NDArray[np.bool_]) -> csr_array:
    """The entries that are kept, in a matrix of the same shape."""
    from scipy.sparse import csr_array

    ends = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return csr_array((matrix.data[kept], matrix.indices[kept], ends), shape=matrix.shape)


def _like(matrix: csr_array, columns: Rows, width: int) -> csr_array:
    """The same entries under other columns."""
    from scipy.sparse import csr_array

    return csr_array((matrix.data, columns, matrix.indptr), shape=(matrix.shape[0], width))


def _present(matrix: csr_array, items: Rows) -> Tensor:
    """Which of the items, ascending, each row has: (n, items)."""
    place = np.searchsorted(items, matrix.indices)
    found = np.append(items, -1)[place] == matrix.indices
    present = np.zeros((matrix.shape[0], len(items)), bool)
    present[_rows_of(matrix)[found], place[found]] = True
    return torch.from_numpy(present)


def _shares(matrix: csr_array) -> csr_array:
    """Each row divided by its sum."""
    totals = np.bincount(_rows_of(matrix), matrix.data, matrix.shape[0])
    shares = matrix.copy()
    shares.data = (matrix.data / np.maximum(totals, 1e-12)[_rows_of(matrix)]).astype(np.float32)
    return shares


def _product(matrix: csr_array, rows: Tensor) -> Tensor:
    """Give matrix @ rows, (n, k); a row without entries gives zeros."""
    if not matrix.nnz:
        return rows.new_zeros(matrix.shape[0], rows.shape[1])
    return F.embedding_bag(
        torch.from_numpy(matrix.indices.astype(np.int64)),
        rows,
        torch.from_numpy(matrix.indptr[:-1].astype(np.int64)),
        mode="sum",
        per_sample_weights=torch.from_numpy(matrix.data.astype(np.float32)),
    )
