"""LSA against scikit-learn's counts and SciPy's exact decomposition, and as a search."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse.linalg import svds
from sklearn.feature_extraction.text import CountVectorizer

from spaceport.encoders.hashing import Hashing
from spaceport.encoders.lsa import LSA
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source
from spaceport.tokens import Tokenizer


class Texts(Source):
    """Texts in memory, in batches of 100."""

    modality = "texts"
    unique_ids = True

    def __init__(self, texts):
        self.texts = texts

    def read(self):
        for start in range(0, len(self.texts), 100):
            part = self.texts[start : start + 100]
            ids = [str(start + place) for place in range(len(part))]
            yield pa.record_batch({"id": ids, "content": part})

    def size(self):
        return sum(map(len, self.texts))


def topics(n=400, seed=0):
    """Texts of twelve words from one of eight topics, topic by topic in turn."""
    rng = np.random.default_rng(seed)
    vocabularies = [[f"t{topic}w{i}" for i in range(40)] for topic in range(8)]
    return [
        " ".join([*rng.choice(vocabularies[i % 8], 12), *rng.choice(["of", "and", "so"], 6)])
        for i in range(n)
    ]


@pytest.mark.parametrize("weighting", ["sublinear", "linear"])
def test_it_is_tfidf_and_truncated_svd(weighting):
    texts = topics()
    ours = LSA(8, 3, 0.4, weighting=weighting, terms="plain").fit(Texts(texts))
    counter = CountVectorizer(
        tokenizer=Tokenizer(), token_pattern=None, lowercase=False, min_df=3, max_df=0.4
    )
    n = counter.fit_transform(texts).toarray().astype(float)
    idf = 1 + np.log((1 + len(texts)) / (1 + (n > 0).sum(axis=0)))
    tf = 1 + np.log(np.maximum(n, 1)) if weighting == "sublinear" else n
    A = np.where(n > 0, tf * idf, 0)
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    assert ours.words_ == counter.get_feature_names_out().tolist()
    np.testing.assert_allclose(ours.idf_, idf, rtol=1e-6)
    U, S, _ = svds(A, 8, random_state=0)
    np.testing.assert_allclose(ours.singular_values_, S[::-1], rtol=1e-4)
    projected = (U * S)[:, ::-1]
    wanted = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    got = ours.encode(texts)
    np.testing.assert_allclose(got @ got.T, wanted @ wanted.T, atol=2e-3)
    assert ours.facts()["explained"] == pytest.approx((S**2).sum() / (A**2).sum(), rel=1e-4)


def test_unit_terms_give_a_word_its_own_direction():
    texts = topics()
    plain, unit = (LSA(8, terms=terms).fit(Texts(texts)) for terms in ("plain", "unit"))
    assert (plain.components_ == unit.components_).all()
    V = plain.components_.astype(float)
    words = plain.words_[5], plain.words_[200]
    idf = plain.idf_[[5, 200]]
    wanted = sum(i * V[w] / np.linalg.norm(V[w]) for i, w in zip(idf, (5, 200), strict=True))
    np.testing.assert_allclose(
        unit.encode([" ".join(words)])[0], wanted / np.linalg.norm(wanted), atol=1e-5
    )
    assert unit.fingerprint != plain.fingerprint


def test_signs_are_fixed_and_columns_are_at_right_angles():
    V = LSA(10).fit(Texts(topics())).components_
    assert (V[np.abs(V).argmax(axis=0), np.arange(10)] > 0).all()
    np.testing.assert_allclose(V.T @ V, np.eye(10), atol=1e-5)


def test_another_seed_gives_nearly_the_same_directions():
    texts = topics()
    one, other = (LSA(8, seed=seed).fit(Texts(texts)) for seed in (0, 1))
    cosines = (one.components_ * other.components_).sum(axis=0)
    assert one.fingerprint != other.fingerprint
    np.testing.assert_allclose(one.singular_values_, other.singular_values_, rtol=1e-4)
    assert np.median(np.abs(cosines)) > 0.99


def test_texts_of_one_topic_lie_together():
    texts = topics()
    X = LSA(8).fit(Texts(texts)).encode(texts)
    topic = np.arange(len(texts)) % 8
    S = X @ X.T
    assert S[topic[:, None] == topic].mean() > 0.8
    assert abs(S[topic[:, None] != topic]).mean() < 0.2


def test_words_too_rare_and_too_common_are_left_out():
    texts = ["the cat", "the dog", "the cat dog", "the only"]
    assert LSA(1, maximum_share=0.75).fit(Texts(texts)).words_ == ["cat", "dog"]
    everywhere = LSA(1, maximum_share=1.0).fit(Texts(texts))
    assert everywhere.words_ == ["cat", "dog", "the"]
    assert np.isfinite(everywhere.encode(["the the"])).all()
    assert LSA(1, minimum_count=1).fit(Texts(texts)).words_ == ["cat", "dog", "only"]


def test_empty_texts_among_those_learnt_and_encoded():
    texts = ["", *topics(80), "..."]
    X = LSA(4).fit(Texts(texts)).encode(texts)
    assert not X[[0, -1]].any()
    np.testing.assert_allclose(np.linalg.norm(X[1:-1], axis=1), 1, rtol=1e-5)


def test_saved_words_of_any_script(tmp_path):
    from spaceport.encoders.base import load

    texts = ["naïve 雪 हिन्दी", "雪 हिन्दी", "naïve 雪 x", "x y", "y naïve"]
    encoder = LSA(2, maximum_share=1.0).fit(Texts(texts))
    encoder.save(tmp_path)
    again = load(tmp_path)
    assert again.words_ == encoder.words_ == sorted(["naïve", "雪", "हिन्दी", "x", "y"])
    assert (again.encode(texts) == encoder.encode(texts)).all()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: LSA(50).fit(Texts(topics(20))),
            InputError,
            r"50, but there are 20 texts and \d+ words",
        ),
        (lambda: LSA(5).fit(Texts(["one", "two"] * 9)), InputError, "18 texts and 2 words"),
        (lambda: LSA(1).fit(Texts(["...", "!"])), InputError, "2 texts and 0 words"),
        (lambda: LSA(5).encode(["x"]), InputError, "has not learnt anything yet"),
        (lambda: LSA(5, maximum_share=0), ParameterError, "must be in"),
        (lambda: LSA(5, weighting="bm25"), ParameterError, "no weighting `bm25`"),
        (lambda: LSA(5, terms="long"), ParameterError, "no `long` terms"),
    ],
)
def test_errors_have_two_lines(make, error, says):
    with pytest.raises(error, match=says) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 2


def test_titles_find_their_abstracts(data):
    """On 3,000 real abstracts LSA must find more than the words alone, hashed to as many numbers."""
    with gzip.open(
        data / "paper-abstracts" / "abstracts.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        rows = [json.loads(line) for line in lines][::6]
    texts, titles = [row["abstract"] for row in rows], [row["title"] for row in rows[::10]]

    def found(encoder):
        S = encoder.encode(titles, "query") @ encoder.encode(texts).T
        own = S[np.arange(len(titles)), np.arange(0, len(texts), 10)]
        return ((own[:, None] < S).sum(axis=1) < 10).mean()

    lsa = found(LSA(128).fit(Texts(texts)))
    plain = found(LSA(128, terms="plain").fit(Texts(texts)))
    hashed = found(Hashing(128))
    assert lsa > plain + 0.05
    assert plain > hashed
    assert lsa > 0.85
