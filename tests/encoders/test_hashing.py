"""Hashing against the formula in its plainest form, and its answers on another machine."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.encoders.hashing import Hashing
from spaceport.errors import ParameterError
from spaceport.tokens import Tokenizer

TEXTS = ["Read a CSV file, a file", "naïve 雪 हिन्दी", "", "...", "a " * 50 + "b"]


def plain(text, dimension, n, seed):
    """The formula of the module's docstring, term by term."""
    x = np.zeros(dimension)
    for word, times in Counter(Tokenizer()(text)).items():
        marked = f"<{word}>"
        features = [word] + ([marked[i : i + n] for i in range(len(marked) - n + 1)] if n else [])
        for feature in features:
            digest = blake2b(
                feature.encode(), digest_size=8, salt=seed.to_bytes(8, "little")
            ).digest()
            number = int.from_bytes(digest, "little")
            sign = -1 if number & 1 else 1
            x[(number >> 1) % dimension] += sign * (1 + math.log(times)) / math.sqrt(len(features))
    return x / (np.linalg.norm(x) or 1)


@pytest.mark.parametrize(
    ("dimension", "ngrams", "seed"), [(64, 0, 0), (100, 3, 7), (7, 4, 2**64 - 1)]
)
def test_it_is_the_formula(dimension, ngrams, seed):
    got = Hashing(dimension, ngrams=ngrams, seed=seed).encode(TEXTS)
    wanted = [plain(text, dimension, ngrams, seed) for text in TEXTS]
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_another_process_with_another_hash_seed_gives_the_same_bytes():
    code = (
        "from spaceport.encoders.hashing import Hashing; import sys;"
        "sys.stdout.write(Hashing(32, ngrams=3).encode(['read a csv file', 'snow']).tobytes().hex())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert (
        runs[0].decode()
        == Hashing(32, ngrams=3).encode(["read a csv file", "snow"]).tobytes().hex()
    )


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_rows_have_length_one_or_no_words(texts):
    X = Hashing(16, ngrams=3).encode(texts)
    for text, x in zip(texts, X, strict=True):
        length = np.linalg.norm(x)
        assert length == pytest.approx(1, abs=1e-5) or length == 0
        assert Tokenizer()(text) or length == 0


def test_signs_cancel_in_the_mean_and_dimensions_are_used_alike():
    words = [f"word{i}" for i in range(20_000)]
    X = Hashing(64).encode(words)
    assert (np.count_nonzero(X, axis=1) == 1).all()
    used = np.count_nonzero(X, axis=0)
    assert abs(used - 20_000 / 64).max() < 5 * math.sqrt(20_000 / 64)
    assert abs(X.sum()) < 5 * math.sqrt(20_000)


def test_kindred_forms_are_near_only_with_ngrams():
    pair = ["encoders", "encoder"]
    plain_x, gram_x = Hashing(4096).encode(pair), Hashing(4096, ngrams=3).encode(pair)
    assert abs(plain_x[0] @ plain_x[1]) < 0.01
    assert gram_x[0] @ gram_x[1] > 0.4


def test_the_cache_may_overflow(monkeypatch):
    from spaceport.encoders import hashing as package_attribute

    module = sys.modules[package_attribute.__module__]
    monkeypatch.setattr(module, "_KEPT", 3)
    texts = ["a b c d e f g", "g f e d c b a"]
    got = Hashing(32).encode(texts)
    np.testing.assert_allclose(got, [plain(text, 32, 0, 0) for text in texts], atol=1e-6)


def test_a_dimension_of_none_is_refused():
    with pytest.raises(ParameterError, match=r"`dimension` must be an int in \[1, ∞\]. Got 0"):
        Hashing(0)
