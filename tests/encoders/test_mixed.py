"""Mixed tables: each rule against a figure worked out beside it, and the whole against one-hot encoding."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from encoders.tables import Rows
from spaceport.encoders._sampling import Counts, Sample
from spaceport.encoders.mixed import Mixed
from spaceport.errors import InputError, NotFoundError, ParameterError


def matrix_of(encoder: Mixed, rows: Any) -> tuple[np.ndarray, list[str]]:
    """What the rules make of rows, before the projection."""
    return encoder._blocks.dense(rows), encoder.labels_


def column(rows: list[dict[str, Any]], values: list[Any] | None = None, **told: Any) -> Any:
    """Fit on rows; gives the matrix of these, or of other `values` of the only column."""
    encoder = Mixed(dimension=1, **told).fit(Rows(rows))
    name = next(iter(rows[0]))
    return matrix_of(encoder, rows if values is None else [{name: v} for v in values])


def test_numbers_are_standardized_and_gaps_are_marked() -> None:
    rows = [{"age": a} for a in (1.0, 2.0, None, 6.0, float("nan"))]
    X, labels = column(rows, [1.0, None, 6.0])
    filled = np.array([1.0, 2.0, 6.0])
    assert labels == ["age", "age is missing"]
    expected = (np.array([1, 2, 6]) - filled.mean()) / filled.std()
    np.testing.assert_allclose(X[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(X[:, 1], [0, (2 / 5) ** -0.25, 0], rtol=1e-6)


def test_a_gap_where_none_was_is_the_median() -> None:
    X, labels = column([{"age": a} for a in (1, 2, 9)], [None, 2])
    assert labels == ["age"]
    assert X[0] == X[1]


def test_ranks_have_normal_scores() -> None:
    from scipy.stats import spearmanr

    values = np.random.default_rng(0).lognormal(0, 3, 2000)
    X, _ = column([{"gain": v} for v in values], scaling="rank")
    assert spearmanr(X[:, 0], values).statistic > 0.999
    np.testing.assert_allclose(np.quantile(X, [0.025, 0.5, 0.975]), [-1.96, 0, 1.96], atol=0.05)


def test_categories_others_and_missing() -> None:
    values = ["a"] * 6 + ["b"] * 3 + ["c", "d"] + [None] * 5
    X, labels = column([{"kind": v} for v in values], ["a", "c", "never seen", None])
    assert labels == ["kind = a", "kind = b", "kind is another", "kind is missing"]
    expected = np.zeros((4, 4))
    expected[[0, 1, 2, 3], [0, 2, 2, 3]] = np.array([6, 2, 2, 5], float) / 16
    expected[expected > 0] **= -0.25
    np.testing.assert_allclose(X, expected, rtol=1e-6)


def test_a_category_never_seen_where_there_were_no_others_sets_none() -> None:
    X, labels = column([{"kind": v} for v in "aabb"], ["a", "z", None])
    assert labels == ["kind = a", "kind = b"]
    assert (X[1:] == 0).all()
    assert X[0, 0] > 0


def test_only_the_most_frequent_categories_are_kept() -> None:
    values = [v for k, v in enumerate("abcdef") for _ in range(2 + k)]
    _, labels = column([{"kind": v} for v in values], maximum_categories=2)
    assert labels == ["kind = f", "kind = e", "kind is another"]


def test_truth_values_and_codes_are_categories() -> None:
    assert column([{"on": v} for v in (True, False, True, False)])[1] == ["on = false", "on = true"]
    codes = [{"zip": z} for z in (10115, 10115, 90210, 90210, None)]
    X, labels = column(codes, [90210, 90210.0], kinds={"zip": "category"})
    assert labels == ["zip = 10115", "zip = 90210", "zip is missing"]
    np.testing.assert_array_equal(X[0], X[1])


def test_dates_lie_on_circles() -> None:
    days = [{"day": date(2020, 1, 1) + timedelta(n)} for n in range(0, 1400, 7)]  # Wednesdays
    X, labels = column([*days, {"day": date(2021, 5, 3)}])
    assert labels[:3] == ["day year", "day cosine of day of year", "day sine of day of year"]
    assert len(labels) == 5
    np.testing.assert_allclose(np.hypot(X[:, 1], X[:, 2]), 1, atol=1e-6)
    angle = np.arctan2(X[:, 4], X[:, 3]) * 7 / (2 * np.pi) % 7
    np.testing.assert_allclose(angle[:-1], 2, atol=1e-5)  # Monday is 0
    np.testing.assert_allclose(min(angle[-1], 7 - angle[-1]), 0, atol=1e-5)
    assert np.corrcoef(X[:-1, 0], np.arange(200))[0, 1] > 0.999999


def test_times_add_the_hour_and_a_missing_one_is_in_no_direction() -> None:
    times = [{"at": datetime(2024, 3, 1, h) + timedelta(h)} for h in range(24)] + [{"at": None}]
    X, labels = column(times)
    assert labels[-3:] == ["at cosine of hour", "at sine of hour", "at is missing"]
    np.testing.assert_allclose(X[6, -3:], [0, 1, 0], atol=1e-6)  # six o'clock
    np.testing.assert_allclose(X[-1, 1:-1], 0)
    assert X[-1, -1] > 0


def test_free_text_tells_subjects_apart() -> None:
    rng = np.random.default_rng(0)
    subjects = {"sea": "wave salt gull sail tide", "hill": "rock goat snow cliff peak"}
    kinds = [["sea", "hill"][k % 2] for k in range(300)]
    texts = [" ".join([*rng.choice(subjects[k].split(), 4), f"n{i}"]) for i, k in enumerate(kinds)]
    encoder = Mixed(dimension=2, text_dimension=2).fit(Rows([{"note": t} for t in texts]))
    X, labels = matrix_of(encoder, [{"note": "salt wave"}, {"note": "gull tide"}, {"note": "goat"}])
    assert labels == [f"note direction {k}" for k in (1, 2)]
    sea, other_sea, hill = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert sea @ other_sea > 0.8
    assert sea @ hill < 0.2
    whole = matrix_of(encoder, [{"note": t} for t in texts])[0]
    np.testing.assert_allclose(whole.std(axis=0).max(), 1, rtol=1e-4)
    assert (matrix_of(encoder, [{"note": None}, {"note": "zzz"}])[0] == 0).all()


def test_many_distinct_words_that_are_no_text_are_categories() -> None:
    rows = [{"user": f"u{k % 400}", "n": k} for k in range(1000)]
    labels = Mixed(dimension=2).fit(Rows(rows)).labels_
    assert labels[0] == "user = u0"
    assert len(labels) == 100 + 1 + 1


def test_the_projection_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    rows = [{"a": a, "b": b, "kind": str(k)} for (a, b), k in
            zip(rng.normal(size=(500, 2)), rng.choice(list("xyz"), 500), strict=True)]  # fmt: skip
    encoder = Mixed(dimension=3).fit(Rows(rows))
    X, _ = matrix_of(encoder, rows)
    expected = np.abs(PCA(3).fit_transform(X.astype(np.float64)))
    np.testing.assert_allclose(np.abs(encoder.encode(rows)), expected, atol=1e-4)


def test_rarity_one_half_is_multiple_correspondence_analysis() -> None:
    """Benzécri's inertia: the eigenvalues of the indicator matrix's correspondence analysis."""
    rng = np.random.default_rng(2)
    first = rng.choice(3, 600, p=[0.6, 0.3, 0.1])
    second = np.where(rng.random(600) < 0.5, first, rng.choice(3, 600))
    rows = [{"one": f"a{a}", "two": f"b{b}"} for a, b in zip(first, second, strict=True)]
    encoder = Mixed(dimension=4, rarity=0.5).fit(Rows(rows))
    Z = np.concatenate([np.eye(3)[first], np.eye(3)[second]], axis=1)
    P = Z / Z.sum()
    r, c = P.sum(axis=1), P.sum(axis=0)
    inertia = np.linalg.svd((P - np.outer(r, c)) / np.sqrt(np.outer(r, c)))[1][:4] ** 2
    ours = encoder.explained_variance_ratio_ * 4  # J - Q = 6 - 2 categories
    np.testing.assert_allclose(ours / 2, inertia, rtol=1e-3)


def test_columns_that_say_nothing_are_named() -> None:
    rows = [{"n": k, "same": "x", "none": None, "one": 3.5, "odd": k} for k in range(9)]
    encoder = Mixed(dimension=1, kinds={"odd": "nothing"}).fit(Rows(rows))
    assert encoder.labels_ == ["n"]
    told = encoder.facts()["columns"]
    assert told == {
        "n": "number (1)", "same": "constant", "none": "empty", "one": "constant",
        "odd": "to be skipped",
    }  # fmt: skip
    unlike = {"n": 4, "same": "y", "none": "now", "one": 9.0}
    np.testing.assert_allclose(encoder.encode([unlike]), encoder.encode([{"n": 4}]))


def test_a_million_categories_in_bounded_memory() -> None:
    counts = Counts(capacity=1000)
    rng = np.random.default_rng(0)
    for _ in range(100):
        counts.add([*map(str, rng.integers(0, 10**6, 900)), *["often"] * 60, *["seldom"] * 40])
        assert len(counts.counts) <= 1000 + 902
    assert [value for value, _ in counts.largest(2, 2)] == ["often", "seldom"]
    assert counts.counts["often"] + counts.taken_off >= 6000
    assert counts.counts["often"] <= 6000
    assert counts.taken_off <= 2 * 100_000 / 1000


def test_the_sample_is_uniform_and_not_the_batches_business() -> None:
    values = np.arange(50_000.0)
    whole, parts = Sample(2000, 7), Sample(2000, 7)
    whole.add(values)
    for part in np.split(values, [10, 2500, 30_000]):
        parts.add(part)
    np.testing.assert_array_equal(whole.values, parts.values)
    assert len(set(whole.values)) == 2000
    error = np.abs(np.sort(whole.values) / 50_000 - np.arange(2000) / 2000).max()
    assert error < 1.95 / np.sqrt(2000)  # Kolmogorov-Smirnov at 0.001
    small = Sample(10, 0)
    small.add(np.arange(9.0))
    np.testing.assert_array_equal(small.values, np.arange(9))


def test_the_rules_are_part_of_the_fingerprint() -> None:
    rows = [{"kind": k, "n": i} for i, k in enumerate("aabbccdd")]
    prints = {
        Mixed(dimension=2, **told).fit(Rows(rows)).fingerprint
        for told in (
            {},
            {"kinds": {"n": "category"}},
            {"kinds": {"n": "nothing"}},
        )
    }
    assert len(prints) == 3
    other = [{**row, "kind": row["kind"].replace("d", "e")} for row in rows]
    assert Mixed(dimension=2).fit(Rows(other)).fingerprint not in prints


def test_the_same_bytes_from_any_number_of_threads_and_batches_of_any_type() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"n": float(n), "kind": f"k{k}"}
        for n, k in zip(rng.normal(size=5000), rng.integers(0, 9, 5000), strict=True)
    ]
    found = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.add(Mixed(dimension=4).fit(Rows(rows)).fingerprint)
    assert len(found) == 1
    encoder = Mixed(dimension=4).fit(Rows(rows))
    coded = pa.array(rows, pa.struct([("n", pa.float32()), ("kind", pa.large_string())]))
    np.testing.assert_allclose(encoder.encode(coded), encoder.encode(rows), atol=1e-5)


def test_the_state_is_plain_json() -> None:
    rows = [{"n": k, "kind": "ab"[k % 2], "day": date(2024, 1, 1 + k)} for k in range(8)]
    values = Mixed(dimension=2).fit(Rows(rows)).state()[1]
    rules = json.loads(json.dumps(values))["rules"]
    assert [rule["rule"] for rule in rules] == ["number", "category", "date"]


WRONG = {
    "a wrong type": ([{"age": "old"}], r"`age` was learnt from numbers; got text, for example 'old'"),
    "two types": ([{"age": 1}, {"age": "2"}], r"`age` holds values of several types: int, str"),
    "infinity": ([{"age": np.inf}], r"`age` holds infinity in 1 rows"),
    "no mapping": ([(1, "gull")], r"Row 0 is tuple, not a mapping"),
    "other columns": ([{"Age": 1}], r"Row 0 has none of the columns that were learnt: it has `Age`"),
    "a list": ([{"age": [1]}], r"`age` holds list<item: int64>, for which there is no rule"),
    "no structs": (pa.array([1.0]), "`items` holds double, not rows of a table"),
    "other structs": (pa.array([{"x": 1}]), "The rows have the columns `x`"),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONG)
def test_wrong_rows_are_refused_by_column(why: str) -> None:
    items, message = WRONG[why]
    encoder = Mixed(dimension=1).fit(
        Rows([{"age": a, "kind": k} for a, k in zip(range(6), "aabbcc", strict=True)])
    )
    with pytest.raises(InputError, match=message + r".*\n.+"):
        encoder.encode(items)


def test_what_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"`rarity` must be in \[0, 1\]"):
        Mixed(rarity=2)
    with pytest.raises(ParameterError, match=r"no scaling `ranks`\.\nDid you mean rank"):
        Mixed(scaling="ranks")
    with pytest.raises(NotFoundError, match=r"names a column `kimd`.*\nDid you mean kind"):
        Mixed(kinds={"kimd": "text"}).fit(Rows([{"kind": "a"}, {"kind": "b"}]))
    with pytest.raises(ParameterError, match="holds text, which cannot be treated as number"):
        Mixed(kinds={"kind": "number"}).fit(Rows([{"kind": "a"}, {"kind": "b"}]))
    with pytest.raises(InputError, match=r"None of the 1 columns varies.*\n"):
        Mixed().fit(Rows([{"kind": "a"}, {"kind": "a"}]))
    with pytest.raises(InputError, match="`dimension` is 32, but there are 6 rows of 3 columns"):
        Mixed().fit(Rows([{"kind": k} for k in "aabbcc"]))
    with pytest.raises(InputError, match="has not learnt anything"):
        Mixed().encode([{}])


def test_a_third_of_the_dimensions_of_adult_reads_as_well(data) -> None:
    """A logistic probe within a point of full one-hot encoding, on the first 8,192 rows."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    import spaceport as sp

    def read(part: str) -> tuple[pa.Array, np.ndarray]:
        path = data / "adult" / f"adult_{part}.csv.gz"
        batches = list(sp.sources.table(path, label="class", missing=["NA"]).batches())[:2]
        labels = [label.rstrip(".") for b in batches for label in b.column("class").to_pylist()]
        return pa.concat_arrays([b.column("content") for b in batches]), np.array(labels)

    (train, y), (test, truth) = read("train"), read("test")
    encoder = Mixed(dimension=36).fit(Rows(train))

    def score(A: Any, B: Any, *steps: Any) -> float:
        return make_pipeline(*steps, LogisticRegression(max_iter=1000)).fit(A, y).score(B, truth)

    frames = [pa.Table.from_struct_array(rows).to_pylist() for rows in (train, test)]
    names = list(frames[0][0])
    numbers = [k for k, name in enumerate(names) if isinstance(frames[0][0][name], int)]
    words = [k for k in range(len(names)) if k not in numbers]
    onehot = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words)
    )
    plain = [np.array([[*row.values()] for row in frame], object) for frame in frames]
    full = score(*plain, onehot)
    assert full > 0.83
    assert score(encoder.encode(train), encoder.encode(test), StandardScaler()) > full - 0.01
