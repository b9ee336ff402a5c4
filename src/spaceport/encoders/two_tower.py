"""Two towers: users by their histories, items by their ids and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders import _histories
from spaceport.encoders._interactions import InteractionEncoder
from spaceport.encoders._item_features import ItemFeatures
from spaceport.encoders._survey import check_kinds
from spaceport.encoders.base import State
from spaceport.errors import InputError, ParameterError
from spaceport.networks.towers import Towers, TowerTraining
from spaceport.networks.training import Schedule, arrays_of, fill, train
from spaceport.sources.base import Source

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["TwoTower"]

_NETWORK = "network."


class TwoTower(InteractionEncoder):
    """Users and items by two networks; an item that nobody has yet gets a vector from its features.

    ::

        x_j = e_j + Σ_f F_jf w_f                  an item's input: its id's vector and its features'
        y_j = T(x_j),  u = S(Σ_j c_j x_j / Σ_j c_j)
        score = u·y_j

    with T and S each a linear map, with `layers` plus a network of hidden layers. Of each user in a batch half of the
    items, drawn anew, are the history, from which the others are to be told among many
    (`networks/towers.py` has the loss and its sources). In training an item's id is left out with
    chance `id_dropout`, so that the features learn to stand for it.

    The features are the columns of the table of items (`sources.interactions(titles_from=…)`). Items of
    that table without a history are among the entities, and are recommended like others.

    Parameters
    ----------
    dimension : int
        Of the vectors.
    hidden : int
        The width of an item's input, and of the hidden layers.
    layers : int
        Hidden layers of each tower; with few entries none rank as well as one
        (``python -m benchmarks two_tower``).
    features : sequence of str, optional
        The columns of the items' table that are features; default all. None are used with ``[]``.
    kinds : mapping of str to {"number", "category", "date", "text", "nothing"}, optional
        What to treat a column as. Left out: numbers are standardized ranks, text with ``|`` in its
        cells is several categories, other text with few distinct values is one, the rest is words.
    weighting : {"binary", "value", "log"}
        What the values of a history become as weights c: 1, the value, ln(1 + value).
    id_dropout : float
        In [0, 1). More of it ranks cold items better, and known ones worse.
    negatives : int
        About how many items an item that is to be told competes with, beside the batch's own.
    epochs : int
        The most passes over the users.
    batch_size : int
        Users of a step.
    learning_rate : float
        At its height.
    patience : int
        Epochs without a smaller held-out loss after which training stops.
    validation : float
        The share of entries held out, drawn with `seed`; their loss decides which epoch's weights stay.
    seed : int
        Of every random choice; the same seed on the same machine, with as many threads, gives the
        same bytes.

    Notes
    -----
    Users are folded in from all of their entries, the held-out ones too. An item without an entry in
    the training part has no id's vector: its features alone speak. Every step of the optimizer goes
    over all ids' vectors, so a step costs at least (items × hidden) numbers.

    Examples
    --------
    >>> TwoTower(dimension=32, features=["genres"]).spec
    "two_tower(dimension=32, features=['genres'])"
    """

    modality: ClassVar[str] = "interactions"

    def __init__(
        self,
        dimension: int = 64,
        hidden: int = 128,
        layers: int = 0,
        features: Sequence[str] | None = None,
        kinds: Mapping[str, str] | None = None,
        weighting: str = "binary",
        id_dropout: float = 0.1,
        negatives: int = 1024,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 0.01,
        patience: int = 10,
        validation: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__(dimension)
        self.hidden = integer(hidden, "hidden", 1)
        self.layers = integer(layers, "layers", 0)
        self.features = features
        self.kinds = kinds
        self.weighting = weighting
        self.id_dropout = id_dropout
        self.negatives = integer(negatives, "negatives", 0)
        self.epochs = integer(epochs, "epochs", 1)
        self.batch_size = integer(batch_size, "batch_size", 1)
        self.learning_rate = learning_rate
        self.patience = integer(patience, "patience", 1)
        self.validation = validation
        self.seed = integer(seed, "seed", 0)
        self._check()

    def fit(self, source: Source) -> TwoTower:
        """Learn from the histories of `source` and from what it tells of the items.

        Raises
        ------
        InputError
            Only empty histories, values that are negative or no number, too few entries to hold some
            out.
        NotFoundError
            The items' table has no column named in `features` or `kinds`.
        """
        from scipy.sparse import csr_array

        users, items, matrix = _histories.read(source)
        table = source.item_features()
        if table is not None:
            known = set(items)
            items += [item for item in table.column("item").to_pylist() if item not in known]
        parts = (matrix.data, matrix.indices, matrix.indptr)
        seen = csr_array(parts, shape=(len(users), len(items)))
        self._describe(items, table)
        self._identity = "" if self.checkpoints is None else f"{self.spec} {source.digest()}"
        self.user_vectors_, self.item_vectors_, facts = self.learn(seen)
        titles = source.titles()
        self._remember(users, items, seen, {i: titles[i] for i in items if titles.get(i)})
        self._facts = {"users": len(users), "items": len(items), "entries": int(seen.nnz)} | facts
        return self

    def learn(self, matrix: csr_array) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Train the towers; the features are those that `fit` read, none before it."""
        if not hasattr(self, "_described"):
            self._describe([str(place) for place in range(matrix.shape[1])], None)
            self._identity = ""
        weights = _histories.weigh(matrix, self.weighting)
        training = TowerTraining(
            weights,
            self._described,
            self.hidden,
            self.dimension,
            self.layers,
            self.id_dropout,
            self.negatives,
            self.batch_size,
            self.validation,
            self.seed,
        )
        schedule = Schedule(self.epochs, self.learning_rate, self.patience, self.seed)
        curve = train(training, schedule, checkpoints=self.checkpoints, identity=self._identity)
        with torch.no_grad():
            training.network.ids[torch.from_numpy(~training.known)] = 0
        self._use(training.network)
        with torch.inference_mode():
            items = self.network_.item(self._inputs).numpy()
        cold = matrix.shape[1] - len(np.unique(matrix.indices))
        told = {"items without a history": cold, "features": self._features.facts()}
        return self.fold_in(matrix), items, curve.facts() | told

    def fold_in(self, matrix: csr_array) -> Matrix:
        """Send histories through the users' tower; an empty one gives zeros."""
        weights = _histories.weigh(matrix, self.weighting)
        with torch.inference_mode():
            vectors = self.network_.user_vectors(weights, self._inputs).numpy()
        return np.asarray(vectors * (np.diff(matrix.indptr) > 0)[:, None], dtype=np.float32)

    def encode_items(self, rows: Any) -> Matrix:
        """Vectors of items that were not in the table, from their features alone.

        Parameters
        ----------
        rows : Arrow array of structs, or sequence of n mappings of columns to values

        Returns
        -------
        ndarray of shape (n, d), float32
            In the space of `item_vectors_`.

        Raises
        ------
        InputError
            It learnt no features; or a row has none of the columns.
        """
        self._require_fit()
        if not self._features.labels:
            raise InputError(
                f"{self.spec} learnt without features of items.",
                "Give the source a table of them: titles_from=.",
            )
        with torch.inference_mode():
            inputs = self.network_.described(self._features.sparse(rows))
            vectors: Matrix = self.network_.item(inputs).numpy()
        return vectors

    def state(self) -> State:
        """Give ids, titles, vectors, entries, the rules and values of the features, the network."""
        arrays, values = super().state()
        if not arrays:
            return arrays, values
        arrays |= {_NETWORK + name: array for name, array in arrays_of(self.network_).items()}
        parts = self._described
        arrays |= {"features_values": parts.data, "features_columns": parts.indices}
        return arrays | {"features_ends": parts.indptr}, {"features": self._features.told()}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave.

        Raises
        ------
        ValueError
            The arrays do not belong together.
        """
        from scipy.sparse import csr_array

        super().restore(arrays, values)
        if not arrays:
            return
        self._features = ItemFeatures.restore(values["features"])
        shape = (len(self.items_), len(self._features.labels))
        parts = (arrays["features_values"], arrays["features_columns"], arrays["features_ends"])
        self._described = csr_array(parts, shape=shape)
        self._described.check_format()
        network = Towers(*shape, self.hidden, self.dimension, self.layers)
        names = [name for name in arrays if name.startswith(_NETWORK)]
        fill(network, {name.removeprefix(_NETWORK): arrays[name] for name in names})
        self._use(network)

    def _describe(self, items: list[str], table: pa.Table | None) -> None:
        """Learn the features' rules, and make the matrix of the items' features, (m, w)."""
        empty = pa.table({"item": pa.array([], pa.string())})
        given = empty if table is None else table
        self._features = ItemFeatures.learn(given, self.features, self.kinds or {}, self.seed)
        self._described = self._features.of_items(items, given)

    def _use(self, network: Towers) -> None:
        self.network_ = network.eval()
        with torch.inference_mode():
            self._inputs = network.inputs(self._described)

    def _check(self) -> None:
        positive(self.learning_rate, "learning_rate")
        _histories.check_weighting(self.weighting)
        check_kinds(self.kinds)
        if isinstance(self.features, str):
            raise ParameterError(
                "`features` is one string.", f"Give a list: features=[{self.features!r}]."
            )
        if not 0 <= self.id_dropout < 1:
            raise ParameterError(
                f"`id_dropout` must be in [0, 1). Got {self.id_dropout!r}.",
                "With 0.1 the features stand alone for a tenth of the items of a batch.",
            )
        if not 0 < self.validation < 1:
            raise ParameterError(
                f"`validation` must be a share in (0, 1). Got {self.validation!r}.",
                "0.05 holds out a twentieth of the entries.",
            )
