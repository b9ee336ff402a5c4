"""PCA against scikit-learn, on vectors and tables, whichever way it is computed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn import decomposition
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from encoders.tables import Rows, Vectors
from spaceport.encoders.pca import PCA
from spaceport.errors import InputError, ParameterError


def cloud(rows: int = 3000, width: int = 30, far: float = 50.0) -> np.ndarray:
    """Rows whose variances along random axes fall by a fifth from one to the next."""
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    X = rng.normal(size=(rows, width)) * 0.9 ** np.arange(width) @ turn + far
    return X.astype(np.float32)


def assert_components(ours: np.ndarray, theirs: np.ndarray, atol: float = 1e-4) -> None:
    """Ours of shape (w, d), theirs (d, w); the sign rule is theirs turned round."""
    largest = np.abs(theirs).argmax(axis=1)
    signs = np.sign(theirs[np.arange(len(theirs)), largest])
    np.testing.assert_allclose(ours, (theirs * signs[:, None]).T, atol=atol)


@pytest.mark.parametrize("method", ["exact", "randomized"])
@pytest.mark.parametrize("whiten", [False, True])
def test_it_is_scikit_learns(method: str, whiten: bool) -> None:
    X = cloud()
    encoder = PCA(dimension=8, method=method, whiten=whiten).fit(Vectors(X))
    oracle = decomposition.PCA(8, whiten=whiten).fit(X.astype(np.float64))
    atol = 1e-4 if method == "exact" else 2e-3
    assert_components(encoder.components_, oracle.components_, atol)
    np.testing.assert_allclose(encoder.mean_, oracle.mean_, rtol=1e-7)
    np.testing.assert_allclose(encoder.explained_variance_, oracle.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(
        encoder.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-4
    )
    expected = np.abs(oracle.transform(X.astype(np.float64)))
    np.testing.assert_allclose(np.abs(encoder.encode(X)), expected, atol=10 * atol)


def test_standardized_is_scikit_learns_on_scaled_columns() -> None:
    X = cloud() * np.logspace(-2, 2, 30)
    scaled = StandardScaler().fit_transform(X.astype(np.float32).astype(np.float64))
    for method in ("exact", "randomized"):
        encoder = PCA(dimension=4, standardize=True, method=method).fit(Vectors(X))
        oracle = decomposition.PCA(4).fit(scaled)
        assert_components(encoder.components_, oracle.components_, 3e-3)
        np.testing.assert_allclose(
            encoder.explained_variance_, oracle.explained_variance_, rtol=1e-4
        )


def test_the_sign_rule() -> None:
    components = PCA(dimension=10).fit(Vectors(cloud())).components_
    assert (components[np.abs(components).argmax(axis=0), np.arange(10)] > 0).all()


def test_one_reading_where_exact_and_seven_where_randomized() -> None:
    narrow, wide = Vectors(cloud()), Vectors(cloud())
    PCA(dimension=3).fit(narrow)
    PCA(dimension=3, method="randomized").fit(wide)
    assert (narrow.readings, wide.readings) == (1, 8)  # the eighth only looks at the width


def test_wide_rows_are_randomized_of_their_own_accord() -> None:
    X = np.random.default_rng(0).normal(size=(60, 4)) @ np.random.default_rng(1).normal(
        size=(4, 2100)
    )
    source = Vectors(X)
    encoder = PCA(dimension=3).fit(source)
    assert source.readings > 1
    np.testing.assert_allclose(
        encoder.explained_variance_, decomposition.PCA(3).fit(X).explained_variance_, rtol=1e-4
    )


def test_the_same_bytes_from_any_number_of_threads() -> None:
    X = cloud(20_000, 64)
    found = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            for method in ("exact", "randomized"):
                encoder = PCA(dimension=16, method=method).fit(Vectors(X, batch=4096))
                found.add((method, encoder.fingerprint, encoder.encode(X).tobytes()))
    assert len(found) == 2


def test_the_same_bytes_whatever_the_environment_allows(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", cloud(5000, 48))
    code = (
        "import sys, spaceport as sp; source = sp.sources.vectors(sys.argv[1]);"
        "print(sp.encoders.pca(dimension=8).fit(source).fingerprint)"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "x.npy")],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            check=True, capture_output=True, text=True,
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert prints[0] == prints[1] != ""


def test_a_table_of_numbers() -> None:
    X = cloud(200, 3).astype(np.float64)
    rows = [{"a": a, "b": b, "c": int(c)} for a, b, c in X]
    numbers = np.array([[row["a"], row["b"], row["c"]] for row in rows])
    encoder = PCA(dimension=2).fit(Rows(rows))
    assert encoder.columns_ == ["a", "b", "c"]
    oracle = decomposition.PCA(2).fit(numbers)
    assert_components(encoder.components_, oracle.components_)
    expected = np.abs(oracle.transform(numbers))
    np.testing.assert_allclose(np.abs(encoder.encode(rows)), expected, atol=1e-5)
    turned = [{"c": row["c"], "b": row["b"], "a": row["a"], "label": "x"} for row in rows]
    np.testing.assert_allclose(encoder.encode(turned), encoder.encode(rows))


def test_large_numbers_of_a_table_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    rows = [{"time": 1.7e9 + a, "b": b} for a, b in rng.normal(size=(300, 2)) * [2, 1]]
    numbers = np.array([[row["time"] - 1.7e9, row["b"]] for row in rows])
    encoder = PCA(dimension=2).fit(Rows(rows))
    np.testing.assert_allclose(
        encoder.explained_variance_,
        decomposition.PCA(2).fit(numbers).explained_variance_,
        rtol=1e-4,
    )


def test_other_columns_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"`kind` holds string \(1 of 2 columns.*\nUse mixed"):
        PCA(dimension=1).fit(Rows([{"kind": "gull", "size": 1.0}] * 3))
    with pytest.raises(InputError, match=r"`size` has 1 among 3 rows\.\nUse mixed"):
        PCA(dimension=1).fit(Rows([{"size": 1.0}, {"size": None}, {"size": 2.0}]))
    assert PCA().takes("table")
    assert PCA().takes("vectors")
    assert not PCA().takes("texts")


def test_a_constant_column_counts_for_nothing() -> None:
    X = cloud(300, 5)
    X[:, 2] = 0.1
    for method in ("exact", "randomized"):
        encoder = PCA(dimension=3, standardize=True, method=method).fit(Vectors(X))
        assert encoder.facts()["constant_columns"] == 1
        np.testing.assert_allclose(encoder.components_[2], 0, atol=1e-12)
        moved = X.copy()
        moved[:, 2] = 9
        np.testing.assert_allclose(encoder.encode(moved), encoder.encode(X), atol=1e-6)


def test_whitened_directions_without_variance_stay_zero() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(50, 2)), 2, axis=1)  # rank 2
    Z = PCA(dimension=4, whiten=True).fit(Vectors(X)).encode(X.astype(np.float32))
    np.testing.assert_allclose(Z.std(axis=0, ddof=1), [1, 1, 0, 0], atol=1e-4)


def test_fewer_rows_or_columns_than_dimensions() -> None:
    message = r"`dimension` is 4, but there are {} rows of {} columns\.\nChoose"
    with pytest.raises(InputError, match=message.format(3, 30)):
        PCA(dimension=4).fit(Vectors(cloud(3)))
    with pytest.raises(InputError, match=message.format(50, 3)):
        PCA(dimension=4, method="randomized").fit(Vectors(cloud(50, 3)))
    with pytest.raises(InputError, match="there are 1 rows"):
        PCA(dimension=1).fit(Vectors(cloud(1, 3)))


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="has not learnt anything"):
        PCA().encode(cloud(2))
    with pytest.raises(ParameterError, match=r"no method `exakt`\.\nDid you mean exact"):
        PCA(method="exakt")
    with pytest.raises(ParameterError, match="dimension"):
        PCA(dimension=0)
    encoder = PCA(dimension=2).fit(Vectors(cloud(50, 5)))
    with pytest.raises(InputError, match="must have dimension 5. Got 6"):
        encoder.encode(cloud(3, 6))
    with pytest.raises(ValueError, match="shape"):
        PCA(dimension=3).restore(*encoder.state())


def test_a_lance_dataset_is_read(tmp_path: Path) -> None:
    import lance

    X = cloud(9000, 12)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 12)
    table = pa.table({"id": [f"v{row}" for row in range(9000)], "vector": vectors})
    lance.write_dataset(table, str(tmp_path / "x.lance"))
    import spaceport as sp

    encoder = PCA(dimension=3).fit(sp.sources.vectors(tmp_path / "x.lance"))
    assert_components(
        encoder.components_, decomposition.PCA(3).fit(X.astype(np.float64)).components_
    )
