"""Truncated SVD against scikit-learn's and NumPy's, on vectors and on one-hot tables."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

from encoders.tables import Rows, Vectors
from spaceport.encoders.svd import SVD
from spaceport.errors import InputError, ParameterError


def cloud(rows: int = 2000, width: int = 20) -> np.ndarray:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    return (rng.normal(size=(rows, width)) * 0.8 ** np.arange(width) @ turn + 1).astype(np.float32)


def shop(rows: int = 3000) -> list[dict[str, str]]:
    """Two columns that go together, and one that does not."""
    rng = np.random.default_rng(0)
    taste = rng.integers(0, 30, rows)
    odd = np.where(rng.random(rows) < 0.2, rng.integers(0, 30, rows), taste)
    size = rng.choice(list("SML"), rows)
    return [
        {"brand": f"b{t}", "shelf": f"s{o}", "size": str(s)}
        for t, o, s in zip(taste, odd, size, strict=True)
    ]


@pytest.mark.parametrize("method", ["exact", "randomized"])
def test_vectors_are_decomposed_as_by_numpy(method: str) -> None:
    X = cloud()
    encoder = SVD(dimension=5, method=method).fit(Vectors(X))
    _, values, turned = np.linalg.svd(X.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(encoder.singular_values_, values[:5], rtol=1e-4)
    cosines = np.abs((encoder.components_ * turned[:5].T).sum(axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-5)
    assert encoder.facts()["explained"] == pytest.approx(
        (values[:5] ** 2).sum() / (values**2).sum(), rel=1e-4
    )
    np.testing.assert_allclose(encoder.encode(X), X @ encoder.components_, atol=1e-5)


def test_a_table_of_categories_is_one_hot_and_svd() -> None:
    rows = shop()
    encoder = SVD(dimension=12).fit(Rows(rows))
    onehot = OneHotEncoder().fit_transform([[*row.values()] for row in rows])
    oracle = TruncatedSVD(12, algorithm="arpack", random_state=0).fit(onehot)
    assert len(encoder.labels_) == onehot.shape[1] == 63
    np.testing.assert_allclose(encoder.singular_values_, oracle.singular_values_, rtol=1e-3)
    ours = encoder.encode(rows)
    theirs = oracle.transform(onehot)
    np.testing.assert_allclose(ours[:50] @ ours[:50].T, theirs[:50] @ theirs[:50].T, atol=0.03)


def test_categories_that_go_together_are_near() -> None:
    encoder = SVD(dimension=30).fit(Rows(shop()))
    brand, own, other = encoder.encode([{"brand": "b7"}, {"shelf": "s7"}, {"shelf": "s8"}])
    assert brand @ own > 5 * abs(brand @ other)


def test_a_hundred_thousand_categories_stay_sparse() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"user": f"u{u}", "kind": f"k{k}"} for u, k in rng.integers(0, (50_000, 9), (100_000, 2))
    ]
    encoder = SVD(dimension=4, maximum_categories=20_000).fit(Rows(rows, batch=8192))
    assert len(encoder.components_) == 20_000 + 1 + 9
    assert np.isfinite(encoder.encode([{"user": "nobody"}, {}])).all()


def test_the_same_bytes_from_any_number_of_threads() -> None:
    found = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            for source in (Vectors(cloud()), Rows(shop())):
                found.add((source.modality, SVD(dimension=6).fit(source).fingerprint))
    assert len(found) == 2


def test_one_encoder_learns_vectors_after_a_table() -> None:
    encoder = SVD(dimension=3).fit(Rows(shop(200)))
    encoder.fit(Vectors(cloud()))
    assert encoder.labels_ == []
    assert encoder.encode(cloud(4)).shape == (4, 3)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"`dimension` is 64, but there are 9 rows of \d+ columns"):
        SVD().fit(Rows(shop(9)))
    with pytest.raises(
        InputError, match="`dimension` is 30, but there are 2000 rows of 20 columns"
    ):
        SVD(dimension=30).fit(Vectors(cloud()))
    with pytest.raises(InputError, match="has not learnt anything"):
        SVD().encode([{}])
    with pytest.raises(ParameterError, match="no kind of column `zahl`"):
        SVD(kinds={"a": "zahl"})
    with pytest.raises(ValueError, match="shapes"):
        SVD(dimension=3).restore(*SVD(dimension=2).fit(Vectors(cloud())).state())
