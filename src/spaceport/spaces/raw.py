"""Raw features of a version's items, from what it keeps beside the vectors: the probe's baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spaceport.tokens import Tokenizer

if TYPE_CHECKING:
    from spaceport.quality.probe import Features
    from spaceport.spaces.version import Version

__all__ = ["Raw", "one_hot_columns", "one_hot_words", "raw_features"]

PIXELS = 16


@dataclass(frozen=True)
class Raw:
    """Features with their name: a sparse matrix or an array of shape (n, D)."""

    name: str
    features: Features


def raw_features(version: Version, label: str) -> Raw | None:
    """What stands beside the vectors, as features that know nothing of `label`; None where nothing does."""
    if version.texts is not None:
        return Raw("one-hot words", one_hot_words(version.texts))
    kept = [name for name in version.record.notes.get("content", ()) if name != label]
    if kept:
        return Raw("one-hot columns", one_hot_columns(version.metadata(kept)))
    if "thumbnail" in version.columns:
        return _pixels(version)
    return None


def one_hot_words(texts: Sequence[str]) -> Features:
    """Which words stand in which text, (n, v) sparse: words of two texts or more.

    Examples
    --------
    >>> one_hot_words(["a cat", "a dog and a cat"]).toarray()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    tokenize = Tokenizer()
    found = [dict.fromkeys(tokenize(text)) for text in texts]
    times = Counter(word for words in found for word in words)
    place = {word: p for p, word in enumerate(w for w, n in times.items() if n > 1)}
    return _indicators([[place[w] for w in words if w in place] for words in found], len(place))


def one_hot_columns(table: pa.Table) -> Features:
    """Columns as features, (n, D) sparse.

    Numbers, truth values and dates are one column each, missing ones at the mean; of text each value
    that stands twice or more has a column, a missing one too.
    """
    from scipy.sparse import csr_array, hstack

    parts = [_column(table.column(name).combine_chunks()) for name in table.schema.names]
    return csr_array(hstack(parts))


def _column(values: pa.Array) -> Any:
    from scipy.sparse import csr_array

    if pa.types.is_string(values.type) or pa.types.is_null(values.type):
        texts = values.to_pylist()
        place = {v: p for p, v in enumerate(v for v, n in Counter(texts).items() if n > 1)}
        return _indicators([[place[v]] if v in place else [] for v in texts], len(place))
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
    numbers = np.array(values.cast(pa.float64()).to_pylist(), dtype=np.float64)  # None becomes NaN
    known = numbers[np.isfinite(numbers)]
    filled = np.where(np.isfinite(numbers), numbers, known.mean() if len(known) else 0.0)
    return csr_array(filled[:, None])


def _indicators(rows: Sequence[Sequence[int]], width: int) -> Any:
    from scipy.sparse import csr_array

    ends = np.cumsum([0, *map(len, rows)])
    columns = np.array([place for row in rows for place in row], dtype=np.int64)
    return csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(len(rows), width))


def _pixels(version: Version) -> Raw:
    from io import BytesIO

    from PIL import Image

    size = (PIXELS, PIXELS)
    pictures = version.metadata(["thumbnail"]).column("thumbnail").to_pylist()
    pixels = [np.asarray(Image.open(BytesIO(p)).convert("RGB").resize(size)) for p in pictures]
    return Raw(f"{PIXELS} × {PIXELS} pixels", np.stack(pixels).reshape(len(pixels), -1) / 255.0)
