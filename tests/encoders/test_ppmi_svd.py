"""Positive pointwise mutual information and its decomposition, against brute force and SciPy's solver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds

from spaceport.encoders._decomposition import decompose
from spaceport.encoders.base import load
from spaceport.encoders.ppmi_svd import PpmiSvd, shifted_ppmi
from spaceport.errors import ParameterError
from spaceport.sources.base import Source

Floats = npt.NDArray[Any]


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Any:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


def corpus(seed: int = 0, sentences: int = 300) -> Texts:
    """Sentences of one of three topics, with some words of any."""
    rng = np.random.default_rng(seed)
    topics = [[f"{letter}{i}" for i in range(10)] for letter in "abc"]
    texts = []
    for _ in range(sentences):
        own = rng.choice(topics[rng.integers(3)], 6)
        texts.append(" ".join([*own, *rng.choice(np.concatenate(topics), 2)]))
    return Texts(texts)


def counts_of(source: Texts, words: list[str], window: int, weighted: bool) -> Floats:
    X = np.zeros((len(words), len(words)))
    for text in source.texts:
        rows = [words.index(word) for word in text.split()]
        for i, row in enumerate(rows):
            for j in range(max(0, i - window), i):
                X[row, rows[j]] += 1 / (i - j) if weighted else 1
                X[rows[j], row] += 1 / (i - j) if weighted else 1
    return X


def brute_force(X: Floats, shift: float, smoothing: float) -> Floats:
    """M by its definition: probabilities of pairs, of words, and smoothed ones of contexts."""
    joint = X / X.sum()
    contexts = X.sum(axis=0) ** smoothing
    expected = joint.sum(axis=1)[:, None] * (contexts / contexts.sum())[None, :]
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(joint / expected) - np.log(shift), 0)


@pytest.mark.parametrize(("shift", "smoothing"), [(1.0, 1.0), (1.0, 0.75), (5.0, 0.75)])
def test_the_formula(shift: float, smoothing: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.poisson(1.0, (20, 20)) * rng.random((20, 20))
    X[3], X[:, 3] = 0, 0  # a word without company
    found = shifted_ppmi(csr_array(X), shift, smoothing)
    assert (found.data > 0).all()
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(brute_force(X, shift, smoothing))
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "told",
    [{"window": 2}, {"window": 4, "distance_weighting": False, "shift": 2.0, "smoothing": 1.0}],
    ids=str,
)
def test_vectors_are_those_of_an_exact_decomposition(weight: float, told: dict[str, Any]) -> None:
    """The products of all pairs of vectors, which no turning of the space changes."""
    source = corpus()
    encoder = PpmiSvd(5, minimum_count=1, eigenvalue_weight=weight, memory=1, **told).fit(source)
    words, vectors = encoder.entities()
    X = counts_of(source, words, told["window"], told.get("distance_weighting", True))
    M = brute_force(X, told.get("shift", 1.0), told.get("smoothing", 0.75))
    U, S, _ = np.linalg.svd(M)
    W = U[:, :5] * S[:5] ** weight
    np.testing.assert_allclose(encoder.singular_values_, S[:5], rtol=1e-4)
    scale = np.abs(W @ W.T).max()
    np.testing.assert_allclose(vectors @ vectors.T, W @ W.T, atol=2e-3 * scale)
    assert encoder.facts()["explained"] == pytest.approx(
        (S[:5] ** 2).sum() / (M**2).sum(), rel=1e-3
    )


def test_words_of_a_topic_come_out_as_neighbors() -> None:
    words, vectors = PpmiSvd(3, minimum_count=1).fit(corpus()).entities()
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = units @ units.T
    np.fill_diagonal(similarity, -np.inf)
    topic = np.array([word[0] for word in words])
    assert (topic[np.argsort(-similarity, axis=1)[:, :5]] == topic[:, None]).all()


def test_more_directions_than_there_are_give_zeros() -> None:
    """Two words that always stand together: one direction, and nothing else to find."""
    encoder = PpmiSvd(4, minimum_count=1, smoothing=1.0).fit(Texts(["a b", "c d"] * 5))
    _, vectors = encoder.entities()
    assert np.isfinite(vectors).all()
    assert np.linalg.matrix_rank(vectors, tol=1e-3) == 4
    alone = PpmiSvd(2, minimum_count=1).fit(Texts(["a", "b"])).entities()[1]
    assert not alone.any()


def test_save_and_load(tmp_path: Path) -> None:
    encoder = PpmiSvd(4, minimum_count=1).fit(corpus())
    encoder.save(tmp_path)
    back = load(tmp_path)
    assert back.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(back.singular_values_, encoder.singular_values_)


SAME = """
import hashlib, sys
import numpy as np
from scipy.sparse import random_array
from spaceport.encoders._decomposition import decompose
A = random_array((3000, 2000), density=0.02, dtype=np.float32, rng=np.random.default_rng(0)).tocsr()
values, right = decompose(A, 60, seed=1)
print(hashlib.sha256(values.tobytes() + right.tobytes()).hexdigest())
"""


def test_the_decomposition_is_the_same_from_any_number_of_threads() -> None:
    found = set()
    for threads in ("1", "2"):
        environment = {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", SAME],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_the_decomposition_is_that_of_an_exact_solver() -> None:
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(80, 12)) @ rng.normal(size=(12, 60)) + 0.05 * rng.normal(size=(80, 60))
    A = csr_array(dense.astype(np.float32))
    values, right = decompose(A, 8, seed=3)
    _, S, VT = svds(A.astype(np.float64), 8)
    np.testing.assert_allclose(values, S[::-1], rtol=1e-4)
    np.testing.assert_allclose(np.abs((VT[::-1] * right.T).sum(axis=1)), 1, atol=1e-4)
    assert (right[np.abs(right).argmax(axis=0), np.arange(8)] > 0).all()


@pytest.mark.parametrize(
    "wrong", [{"shift": 0.5}, {"smoothing": 0}, {"eigenvalue_weight": -1}, {"window": 0}], ids=str
)
def test_parameters_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        PpmiSvd(**wrong)
