"""Rows of a table through the bottleneck of a network that has to tell the row from it.

::

    x = the row's numbers, and for each column of categories its value's vector, beside each other
    φ(row) = A x + W₂ gelu(W₁ x + b₁) + b₂

A linear map tells the row from φ: numbers with Huber's loss, categories with cross-entropy
(`networks/cells.py`). In training a share `swap` of the cells holds the value of another row, and what
was there is to be told, so φ has to know how the columns hang together: Vincent, Larochelle, Bengio &
Manzagol 2008, "Extracting and Composing Robust Features with Denoising Autoencoders", section 2.

The columns are read as `mixed` reads them; in short:

==================================  ================================================================
a column of                         becomes
==================================  ================================================================
numbers                             (x - mean) / σ, at most 10 in magnitude. A missing one is the
                                    median, and sets an indicator if any was missing in fitting. With
                                    ``scaling="rank"``: the normal score of its rank first
truth values; text with few         a learnt vector for each of the `maximum_categories` most frequent
distinct values, or of fewer than   ones that stand in at least `minimum_count` rows, one for all
three words on average              others, one for missing, one for what was never seen
dates and times                     years, standardized, and points on circles
text with more distinct values      `text_dimension` main directions of its words' tf-idf
nothing, or always the same         nothing; the card names such columns
==================================  ================================================================

A category's vector has half as many numbers as the column has categories, at most 16.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders._blocks import Blocks
from spaceport.encoders._rules import Category, Rule
from spaceport.encoders._survey import Choices, check_kinds
from spaceport.encoders._tables import columns_of
from spaceport.encoders.base import Encoder, State, contents
from spaceport.errors import InputError, ParameterError, choices
from spaceport.networks.cells import Autoencoder, AutoencoderTraining, Cells, Shape
from spaceport.networks.training import Schedule, arrays_of, fill, train
from spaceport.sources.base import Source

__all__ = ["TableAutoencoder"]

_SCALINGS = ("standard", "rank")
_FARTHEST = 10.0
_NETWORK = "network."


class TableAutoencoder(Encoder):
    """Rows of a table, numbers and categories' vectors, through a network's bottleneck.

    Parameters
    ----------
    dimension : int
        The width of the bottleneck.
    hidden : int
        The width of the layer before it.
    swap : float
        The share of cells that hold another row's value in training, in [0, 1).
    scaling : {"standard", "rank"}
        Of numbers.
    maximum_categories : int
        How many categories of a column have a vector of their own.
    minimum_count : int
        A category in fewer rows is one of the others.
    text_dimension : int
        How many numbers a column of free text becomes.
    kinds : mapping of str to {"number", "category", "date", "text", "nothing"}, optional
        What to treat a column as, where the rule from its values is not what is meant: a column of
        codes that look like numbers is ``{"zip": "category"}``.
    epochs : int
        The most passes over the rows.
    batch_size : int
        Rows of a step.
    learning_rate : float
        At its height.
    patience : int
        Epochs without a smaller held-out loss after which training stops.
    validation : float
        The share of rows held out, drawn with `seed`; their loss decides which epoch's weights stay.
    seed : int
        Of every random choice; the same seed on the same machine, with as many threads, gives the
        same bytes.

    Notes
    -----
    The cells of all rows are held in memory, 4 bytes a number and 12 a category.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from spaceport.sources.base import Source
    >>> birds = [{"kind": k, "size": s} for k, s in [("gull", 50.0), ("gull", 52.0), ("wren", 9.0)] * 9]
    >>> class Birds(Source):
    ...     modality, unique_ids = "table", True
    ...     def read(self):
    ...         yield pa.record_batch({"id": list(map(str, range(27))), "content": birds})
    ...     def size(self):
    ...         return 270
    >>> encoder = TableAutoencoder(dimension=2, hidden=16).fit(Birds())
    >>> gull, other, wren = encoder.encode(birds[:3])
    >>> bool(abs(gull - other).sum() < abs(gull - wren).sum())
    True
    """

    modality: ClassVar[str] = "table"
    fitted: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 32,
        hidden: int = 256,
        swap: float = 0.3,
        scaling: str = "standard",
        maximum_categories: int = 100,
        minimum_count: int = 2,
        text_dimension: int = 16,
        kinds: Mapping[str, str] | None = None,
        epochs: int = 20,
        batch_size: int = 256,
        learning_rate: float = 0.002,
        patience: int = 5,
        validation: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.hidden = integer(hidden, "hidden", 1)
        self.swap = swap
        self.scaling = scaling
        self.maximum_categories = integer(maximum_categories, "maximum_categories", 1)
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.text_dimension = integer(text_dimension, "text_dimension", 1)
        self.kinds = kinds
        self.epochs = integer(epochs, "epochs", 1)
        self.batch_size = integer(batch_size, "batch_size", 1)
        self.learning_rate = learning_rate
        self.patience = integer(patience, "patience", 1)
        self.validation = validation
        self.seed = integer(seed, "seed", 0)
        self._check()
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> TableAutoencoder:
        """Learn the columns' rules, then the network: three passes over the source.

        Raises
        ------
        InputError
            No column varies, or there are too few rows to hold some out.
        """
        began = time.perf_counter()
        self._use(Blocks.learn(source, self._choices()))
        parts = [self._cells(contents(batch)) for batch in source.batches()]
        cells = Cells(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.codes for part in parts]),
        )
        network = (self._shape(), self.dimension, self.hidden)
        training = AutoencoderTraining(
            cells, *network, self.swap, self.batch_size, self.validation, self.seed
        )
        identity = "" if self.checkpoints is None else f"{self.spec} {source.digest()}"
        schedule = Schedule(self.epochs, self.learning_rate, self.patience, self.seed)
        curve = train(training, schedule, checkpoints=self.checkpoints, identity=identity)
        self.network_ = training.network
        self._facts = curve.facts() | {"rows": len(cells), "columns": self._blocks.facts()}
        self._facts["seconds"] = time.perf_counter() - began
        return self

    def encode_batch(self, items: Any, role: str = "document") -> Matrix:
        """Encode rows: an Arrow array of structs, or dicts, where a missing key is a missing value.

        Raises
        ------
        InputError
            A column holds another kind of values than it did in fitting; the column is named.
        """
        if not hasattr(self, "network_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        return self.network_.vectors(self._cells(items))

    def facts(self) -> dict[str, Any]:
        """Give the learning curve, seconds, rows, and each column's rule."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the rules and the network's weights."""
        if not hasattr(self, "network_"):
            return {}, {}
        arrays, values = self._blocks.state()
        weights = arrays_of(self.network_)
        return arrays | {_NETWORK + name: array for name, array in weights.items()}, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        self._use(Blocks.restore(arrays, values))
        self.network_ = Autoencoder(self._shape(), self.dimension, self.hidden)
        names = [name for name in arrays if name.startswith(_NETWORK)]
        fill(self.network_, {name.removeprefix(_NETWORK): arrays[name] for name in names})
        self.network_.eval()

    def _use(self, blocks: Blocks) -> None:
        """Divide the columns that vary into those of numbers and those of categories."""
        rules: list[Rule] = [rule for rule in blocks.rules if rule.labels]
        self._blocks = blocks
        self._categories = [rule for rule in rules if isinstance(rule, Category)]
        self._numbers = [rule for rule in rules if not isinstance(rule, Category)]

    def _cells(self, items: Any) -> Cells:
        """Rows as numbers and codes; the code 0 is a value for which there is no other."""
        columns = columns_of(items, [rule.column for rule in self._blocks.rules])
        numbers = np.zeros((len(items), 0), np.float32)
        codes = np.zeros((len(items), len(self._categories)), np.int32)
        for rule in self._numbers:
            numbers = np.concatenate([numbers, rule.block(columns[rule.column])], axis=1)
        for place, category in enumerate(self._categories):
            category.refuse(columns[category.column])
            codes[:, place] = category.codes(columns[category.column]) + 1
        return Cells(np.clip(numbers, -_FARTHEST, _FARTHEST), codes)

    def _shape(self) -> Shape:
        return Shape(
            widths=tuple(len(rule.labels) for rule in self._numbers),
            gaps=tuple(getattr(rule, "missing", 0) > 0 for rule in self._numbers),
            categories=tuple(len(rule.labels) + 1 for rule in self._categories),
        )

    def _choices(self) -> Choices:
        return Choices(
            self.maximum_categories,
            self.minimum_count,
            0.0,  # an indicator of a gap is 1
            self.scaling,
            self.text_dimension,
            dict(self.kinds or {}),
            self.seed,
        )

    def _check(self) -> None:
        positive(self.learning_rate, "learning_rate")
        if not 0 <= self.swap < 1:
            raise ParameterError(
                f"`swap` must be in [0, 1). Got {self.swap!r}.",
                "0 is a plain autoencoder; 0.3 makes it use the other columns.",
            )
        if not 0 < self.validation < 1:
            raise ParameterError(
                f"`validation` must be a share in (0, 1). Got {self.validation!r}.",
                "0.1 holds out a tenth of the rows.",
            )
        if self.scaling not in _SCALINGS:
            raise ParameterError(
                f"There is no scaling `{self.scaling}`.", choices(str(self.scaling), _SCALINGS)
            )
        check_kinds(self.kinds)
