"""Health: planted faults, sums that are sums, comparisons that are silent when nothing changed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spaceport.errors import CorruptError, InputError
from spaceport.monitoring.copies import KEPT, Copies, vector_hashes
from spaceport.monitoring.events import FAULTS, Events
from spaceport.monitoring.health import NAMED, Health, compare
from spaceport.monitoring.spread import Spread, welch


def events(
    vectors: np.ndarray, faults: np.ndarray | None = None, tokens: np.ndarray | None = None
) -> Events:
    count = len(vectors)
    X = np.asarray(vectors, np.float32)
    bad = np.zeros(count, np.uint8) if faults is None else faults.astype(np.uint8)
    ids = pa.array([f"e{n}" for n in range(count)], pa.string())
    return Events(
        ids, np.zeros(count, "datetime64[us]"), X * (bad == 0)[:, None], bad, tokens=tokens
    )


def planted(seed: int, count: int = 200) -> Events:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (count, 2)).astype(np.float32)
    faults = rng.choice(5, count, p=[0.8, 0.05, 0.05, 0.05, 0.05])
    tokens = rng.integers(0, 9, (count, 1)) * [1, 1]
    tokens[:, 1] //= 3
    return events(X, faults, tokens)


def plain(health: Health) -> object:
    """What two equal healths share, up to the last digits."""
    told = health.to_dict()
    for name in ("norms", "unseen"):
        told[name] = {k: None if v is None else round(v, 9) for k, v in told[name].items()}
    return told


@given(st.integers(0, 10**6), st.lists(st.integers(0, 200), max_size=3))
def test_a_sum_is_the_health_of_all(seed: int, cuts: list[int]) -> None:
    whole = planted(seed)
    edges = [0, *sorted(cuts), len(whole)]
    parts = [Health.of(whole.take(np.arange(a, b))) for a, b in pairwise(edges)]
    assert plain(sum(parts, Health())) == plain(Health.of(whole))
    left = parts[0] + (parts[-1] + Health())
    assert plain(left) == plain(parts[0] + parts[-1])


@given(st.integers(0, 10**6))
def test_counts_against_a_loop(seed: int) -> None:
    found, given_events = Health.of(planted(seed)), planted(seed)
    rows = list(zip(given_events.faults.tolist(), given_events.vectors.tolist(), strict=True))
    names = Counter(
        FAULTS[fault - 1] if fault else "zero" if not any(row) else "" for fault, row in rows
    )
    assert found.counts == {name: names.get(name, 0) for name in (*FAULTS, "zero")}
    assert found.broken == sum(fault > 0 for fault, _ in rows)
    lengths = [np.hypot(*row) for fault, row in rows if not fault]
    assert found.norms.mean == pytest.approx(np.mean(lengths))
    assert found.norms.deviation == pytest.approx(np.std(lengths, ddof=1))
    stands = Counter(tuple(row) for fault, row in rows if not fault and any(row))
    assert (found.copies.twice, found.copies.rows) == (
        sum(n > 1 for n in stands.values()),
        sum(stands.values()),
    )


@given(st.integers(0, 10**6))
def test_round_trip(seed: int) -> None:
    health = Health.of(planted(seed))
    text = json.dumps(health.to_dict(), allow_nan=False)
    assert Health.from_dict(json.loads(text)).to_dict() == health.to_dict()


def test_what_is_kept_that_cannot_be_read() -> None:
    good = Health.of(planted(0)).to_dict()
    for damage in (
        {"rows": -1},
        {"rows": 3},
        {"counts": {}},
        {"copies": {"hashes": ["zz"], "counts": [1]}},
        {"copies": {"hashes": ["02", "01"], "counts": [1, 1]}},
        {"norms": {**good["norms"], "mean": float("nan")}},
        {"unseen": None},
        {"first": 3},
    ):
        with pytest.raises(CorruptError):
            Health.from_dict({**good, **damage})


def test_broken_rows_are_named_and_refused() -> None:
    faults = np.array([0, 3, 3, 0, 1] + [2] * 8)
    health = Health.of(events(np.ones((13, 2)), faults))
    with pytest.raises(InputError) as caught:
        health.refuse("log.csv")
    assert str(caught.value).splitlines() == [
        "log.csv has 11 broken rows of 13: 1 with no vector or content ('e4'); 8 with another dimension "
        "('e5', 'e6', 'e7', 'e8', 'e9', …); 2 with NaN or infinity ('e1', 'e2').",
        "Mend what made them, or leave them out and have them counted: --drop-broken.",
    ]
    assert len(health.first["dimension"]) == NAMED
    Health.of(events(np.zeros((5, 2)))).refuse("log.csv")  # zeros are counted only


def test_copies_are_exact_where_they_are_few_and_close_where_they_are_many() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30_000, 4)).astype(np.float32)
    X[20_000:] = X[:10_000]  # a third are copies, half of the distinct ones stand twice
    whole = Copies.of(X)
    parts = Copies.of(X[:7]) + (Copies.of(X[7:20_100]) + Copies.of(X[20_100:]))
    assert whole.to_dict() == parts.to_dict()
    assert len(whole.hashes) == KEPT
    assert whole.twice / KEPT == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / KEPT))
    assert whole.share == pytest.approx(1 / 3, abs=0.05)
    few = Copies.of(X[:100]) + Copies.of(X[:50])
    assert (few.rows, few.twice, few.share) == (150, 50, 1 / 3)


def test_hashes_tell_rows_apart() -> None:
    eye = np.eye(300, dtype=np.float32)
    rows = np.concatenate([eye, -eye, 2 * eye, eye[:, ::-1] * 0.5, eye + eye[0]])
    assert len(np.unique(vector_hashes(rows))) == len(np.unique(rows, axis=0))
    assert np.array_equal(
        vector_hashes(rows * np.float32(-0.0)), np.repeat(vector_hashes(rows[:1] * 0), 1500)
    )


def test_thinning_compares_at_one_number_of_rows() -> None:
    rng = np.random.default_rng(2)
    draws = [rng.integers(0, 3000, (n, 1)).astype(np.float32) + 1 for n in (20_000, 1000)]
    many, few = (Health.of(events(X)) for X in draws)
    assert many.copies.twice / len(many.copies.counts) > 0.9
    told = {finding.check: finding for finding in compare(many, few)}
    assert not told["copies"].found
    copied = Health.of(events(np.repeat(draws[1][:500], 2, axis=0)))
    assert {f.check for f in compare(few, copied) if f.found} == {"copies"}


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("missing", {"faults": 1}),
        ("dimension", {"faults": 2}),
        ("infinite", {"faults": 3}),
        ("unreadable", {"faults": 4}),
        ("zero", {"scale": 0}),
        ("length", {"scale": 1.2}),
        ("unseen", {"unseen": 5}),
    ],
)
def test_each_planted_change_is_found_and_named(check: str, change: dict[str, float]) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4000, 8))
    tokens = np.stack([np.full(4000, 10), rng.integers(0, 3, 4000)], axis=1)
    faults = np.zeros(4000)
    before = Health.of(events(X[:2000], faults[:2000], tokens[:2000]))
    hit = slice(2000, 2060) if check != "length" else slice(2000, 4000)
    X[hit] *= change.get("scale", 1)
    faults[hit] = change.get("faults", 0)
    tokens[hit, 1] = change.get("unseen", tokens[hit, 1])
    after = Health.of(events(X[2000:], faults[2000:], tokens[2000:]))
    findings = compare(before, after)
    assert [f.check for f in findings if f.found][:1] == [check]
    first = findings[0]
    assert first.low <= first.current - first.reference <= first.high
    assert first.low * first.high > 0
    json.dumps(first.to_dict(), allow_nan=False)
    assert str(first)


def test_nothing_is_found_where_nothing_changed() -> None:
    rng, alarms, runs = np.random.default_rng(4), 0, 400
    for _ in range(runs):
        X = rng.normal(size=(400, 3))
        X[rng.random(400) < 0.05] = 0
        faults = np.where(rng.random(400) < 0.05, rng.integers(1, 5, 400), 0)
        tokens = np.stack([np.full(400, 9), rng.integers(0, 4, 400)], axis=1)
        every = events(X, faults, tokens)
        halves = [Health.of(every.take(part)) for part in (np.arange(200), np.arange(200, 400))]
        alarms += any(f.found for f in compare(*halves, alpha=0.05))
    assert alarms <= stats.binom.ppf(0.999, runs, 0.05)


def test_a_change_of_lengths_below_a_ten_thousandth_is_no_finding() -> None:
    X = np.ones((100, 4)) * (1 + 1e-7 * np.arange(100)[:, None])
    before, after = Health.of(events(X)), Health.of(events(X * (1 + 3e-5)))
    length = next(f for f in compare(before, after) if f.check == "length")
    assert length.p < 1e-6
    assert not length.found


def test_zeros_are_a_share_of_the_rows_that_can_be_read() -> None:
    X, faults = np.ones((10, 2)), np.array([3] * 4 + [0] * 6)
    X[4:7] = 0
    half = Health.of(events(X, faults))
    zero = next(f for f in compare(half, half) if f.check == "zero")
    assert (zero.reference, zero.current, zero.p) == (0.5, 0.5, 1)


def test_a_reference_without_rows_is_compared_with_nothing() -> None:
    assert compare(Health(), Health.of(planted(0))) == []


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 40))
def test_welch_against_scipy(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n), rng.normal(1, 2, size=m)
    found = welch(Spread.of(x), Spread.of(y))
    oracle = stats.ttest_ind(y, x, equal_var=False)
    assert found is not None
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-6)
    ends = oracle.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-6)


def test_welch_at_the_edges() -> None:
    one, two = Spread.of([1.0]), Spread.of([1.0, 1.0])
    assert welch(one, two) is None
    still, moved = welch(two, two), welch(two, Spread.of([2.0, 2.0]))
    assert still is not None
    assert moved is not None
    assert (still.p, moved.p) == (1, 0)


def test_saboteur_a_sum_that_forgets_the_distance_of_the_means() -> None:
    x, y = Spread.of([0.0, 1.0]), Spread.of([10.0, 11.0])
    forgetful = replace(x + y, scatter=x.scatter + y.scatter)
    assert forgetful.deviation != pytest.approx(np.std([0, 1, 10, 11], ddof=1))
    assert (x + y).deviation == pytest.approx(np.std([0, 1, 10, 11], ddof=1))
