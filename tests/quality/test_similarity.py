"""Word similarity against SciPy's and gensim's correlation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import spearmanr

from spaceport.errors import InputError
from spaceport.quality.similarity import read_pairs, word_similarity

RNG = np.random.default_rng(4)
WORDS = [f"w{i}" for i in range(30)]
VECTORS = RNG.normal(size=(30, 6)).astype(np.float32)
PAIRS = [
    (f"W{a}", f"w{b}", float(RNG.integers(5))) for a, b in RNG.integers(0, 30, (80, 2)) if a != b
]


def test_spearman_of_cosines() -> None:
    pairs = [*PAIRS, ("w1", "unknown", 3.0)]
    cosines = [1 - cosine(VECTORS[int(a[1:])], VECTORS[int(b[1:])]) for a, b, _ in PAIRS]
    found = word_similarity(WORDS, 7 * VECTORS, pairs)
    assert found.spearman == pytest.approx(spearmanr(cosines, [p[2] for p in PAIRS]).statistic)
    assert (found.covered, found.total) == (len(PAIRS), len(pairs))


def test_as_gensim(data: Path, tmp_path: Path) -> None:
    KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors
    path = data / "word-similarity" / "EN-WS-353-ALL.txt"
    pairs = read_pairs(path)
    words = sorted({word.lower() for pair in pairs for word in pair[:2]})[:300]
    vectors = np.random.default_rng(0).normal(size=(len(words), 20)).astype(np.float32)
    peer = KeyedVectors(20)
    peer.add_vectors(words, vectors)
    _, spearman, missing = peer.evaluate_word_pairs(str(path))
    found = word_similarity(words, vectors, pairs)
    assert found.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert 100 * (1 - found.covered / found.total) == pytest.approx(missing)


def test_a_planted_order_and_its_saboteur() -> None:
    angles = np.linspace(0, 3, 20)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pairs = [("w0", f"w{i}", -float(i)) for i in range(1, 20)]
    assert word_similarity(WORDS[:20], vectors, pairs).spearman == 1
    assert word_similarity(WORDS[:20], RNG.permutation(vectors), pairs).spearman < 0.9


def test_too_little_to_correlate() -> None:
    with pytest.raises(InputError, match="Only 0 of 1 pairs"):
        word_similarity(["a"], [[1.0]], [("x", "y", 1)])
    with pytest.raises(InputError, match="same cosine"):
        word_similarity(["a", "b", "c"], np.ones((3, 2)), [("a", "b", 1), ("b", "c", 2)])


def test_the_reader(data: Path, tmp_path: Path) -> None:
    sizes = {"WS-353-ALL": 353, "MEN-TR-3k": 3000, "SIMLEX-999": 999, "RG-65": 65}
    for name, size in sizes.items():
        assert len(read_pairs(data / "word-similarity" / f"EN-{name}.txt")) == size
    (tmp_path / "bad.txt").write_text("cat dog 7\ncat dog\n")
    with pytest.raises(InputError, match=r"Line 2 of .* is no judged pair"):
        read_pairs(tmp_path / "bad.txt")
