"""Scores by cell and why they changed: loops, brute force, simulated coverage, and real predictions."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.monitoring.class_shift import class_shift
from spaceport.monitoring.events import Events
from spaceport.monitoring.outcomes import MOST_CLASSES, Outcomes
from spaceport.monitoring.performance import expected, split
from spaceport.monitoring.scores import Scores, ranked

CELLS = 4


def events(prediction: object, label: object = None) -> Events:
    said = prediction if isinstance(prediction, pa.Array) else pa.array(prediction)
    count = len(said)
    return Events(
        pa.nulls(count, pa.string()),
        np.zeros(count, "datetime64[us]"),
        np.zeros((count, 1), np.float32),
        np.zeros(count, np.uint8),
        prediction=said,
        label=None if label is None else label if isinstance(label, pa.Array) else pa.array(label),
    )


def accuracy(rows: object, right: object) -> Scores:
    return Scores("accuracy", np.array(rows), np.array(right, float), np.array(right, float))


sides = st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=3, max_size=3).filter(
    lambda cells: sum(n for n, _ in cells) > 0
)


def scored(cells: list[tuple[int, float]]) -> Scores:
    return accuracy([n for n, _ in cells], [round(n * share) for n, share in cells])


@given(st.integers(0, 10**6), st.sampled_from(["classes", "numbers"]), st.integers(0, 60))
def test_outcomes_against_a_loop_and_as_a_sum(seed: int, kind: str, cut: int) -> None:
    rng = np.random.default_rng(seed)
    cell = rng.integers(-1, CELLS, 60)
    said = [None if x > 2 else x for x in rng.integers(0, 4, 60).tolist()]
    true = [None if x > 2 else x for x in rng.integers(0, 4, 60).tolist()]
    type = pa.string() if kind == "classes" else pa.float64()
    said_, true_ = (pa.array(v, pa.int64()).cast(type) for v in (said, true))
    whole = Outcomes.of(events(said_, true_), cell, CELLS)
    assert whole.kind in (kind, None)
    parts = [
        Outcomes.of(events(said_[part], true_[part]), cell[part], CELLS)
        for part in (slice(cut), slice(cut, 60))
    ]
    summed = parts[0] + parts[1] + Outcomes.none(CELLS)
    assert summed.to_dict() == whole.to_dict()
    for c in range(CELLS):
        rows = [
            (s, t) for s, t, k in zip(said, true, cell, strict=True) if k == c and s is not None
        ]
        known = [(s, t) for s, t in rows if t is not None]
        scores = [float(s == t) if kind == "classes" else abs(s - t) for s, t in known]
        assert (whole.rows[c], whole.labeled[c]) == (len(rows), len(known))
        assert whole.sums[c].tolist() == [sum(s**power for s in scores) for power in (1, 2, 4)]
    text = json.dumps(whole.to_dict(), allow_nan=False)
    assert Outcomes.from_dict(json.loads(text)).to_dict() == whole.to_dict()


def test_measures_of_numbers() -> None:
    found = Outcomes.of(events([1.0, 2.0, 5.0], [1.5, 4.0, None]), np.zeros(3, int), 1)
    assert found.scores().means.tolist() == [1.25]
    assert found.scores("squared error").means.tolist() == [2.125]
    with pytest.raises(ParameterError, match="no 'accuracy' of numbers"):
        found.scores("accuracy")
    assert not found.predicted


def test_numbers_that_are_not_finite_are_not_labeled() -> None:
    found = Outcomes.of(events([1.0, np.nan, np.inf], [1.5, 1.0, 1.0]), np.zeros(3, int), 1)
    assert (found.rows.tolist(), found.labeled.tolist()) == ([3], [1])


def test_which_kind_it_is() -> None:
    where = np.zeros(2, int)
    for said, true, kind in (
        ([1, 0], [1, 1], "classes"),
        ([True, False], [True, True], "classes"),
        (["a", "b"], None, "classes"),
        ([0.25, 0.5], [1, 0], "numbers"),
        ([1.0, 0.0], ["1", "0"], "classes"),
    ):
        assert Outcomes.of(events(said, true), where, 1).kind == kind
    told = Outcomes.of(events([1.0, 0.0], [1, 1]), where, 1, kind="classes")
    assert (told.predicted, told.labeled.tolist(), told.sums[0, 0]) == ({"0": 1, "1": 1}, [2], 1)
    with pytest.raises(InputError, match="not both numbers"):
        Outcomes.of(events(["a", "b"], [1, 2]), where, 1, kind="numbers")
    with pytest.raises(ParameterError, match="classes or numbers"):
        Outcomes.of(events(["a", "b"]), where, 1, kind="words")


def test_what_cannot_be_added_or_read() -> None:
    one = Outcomes.of(events(["a"], ["a"]), np.zeros(1, int), 1)
    with pytest.raises(InputError, match="of 1 and of 2 cells"):
        one + Outcomes.none(2)
    with pytest.raises(InputError, match="were classes, now they are numbers"):
        one + Outcomes.of(events([0.5], [0.5]), np.zeros(1, int), 1)
    for damage in (
        {"rows": [1, 2]},
        {"labeled": [-5]},
        {"rows": [-5]},
        {"kind": "x"},
        {"sums": [["x"]]},
        {"predicted": 3},
    ):
        with pytest.raises(CorruptError):
            Outcomes.from_dict({**one.to_dict(), **damage})


def test_labels_that_are_spelled_otherwise_are_told() -> None:
    found = Outcomes.of(events(["<=50K", ">50K"], ["<=50K.", ">50K."]), np.zeros(2, int), 1)
    with pytest.raises(InputError, match=r"labels are like '<=50K.', predictions like '<=50K'"):
        found.check("adult.csv")
    Outcomes.of(events(["a", "b"], ["b", "c"]), np.zeros(2, int), 1).check("x.csv")


def test_with_very_many_classes_their_counts_are_not_kept() -> None:
    def names(low: int, high: int) -> Outcomes:
        return Outcomes.of(
            events([f"c{n}" for n in range(low, high)]), np.zeros(high - low, int), 1
        )

    few, more, many = names(0, 600), names(500, MOST_CLASSES), names(700, 1400)
    assert len((few + more).predicted or {}) == MOST_CLASSES
    assert (few + (more + many)).predicted is ((few + more) + many).predicted is None
    gone = (few + more) + many
    assert (gone + few).predicted is (few + gone).predicted is None
    assert ((few + more) + many).rows.tolist() == [600 + 500 + 700]


def test_the_worst_is_not_the_one_with_three_rows() -> None:
    found = ranked(accuracy([3, 400, 0, 100], [0, 180, 0, 95]), ["a", "b", "c", "d"])
    assert [each.name for each in found] == ["b", "a", "d"]
    by_mean = sorted(found, key=lambda each: each.value)  # a saboteur's order
    assert by_mean[0].name == "a"
    errors = Scores(
        "absolute error", np.array([2, 50, 1]), np.array([9.0, 100, 7]), np.array([80.0, 210, 49])
    )
    found = ranked(errors)
    assert [each.name for each in found] == ["1", "0", "2"]
    assert found[-1].high is None
    json.dumps([each.to_dict() for each in found], allow_nan=False)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30))
def test_intervals_of_errors_against_scipy(values: list[float]) -> None:
    x = np.array(values)
    scores = Scores(
        "absolute error", np.array([len(x)]), np.array([x.sum()]), np.array([(x**2).sum()])
    )
    low, high = scores.intervals()
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    assert high[0] == pytest.approx(x.mean() + half, abs=1e-5)
    assert low[0] == pytest.approx(max(x.mean() - half, 0), abs=1e-5)


def test_a_unit_of_one_row_varies_as_all_rows_do() -> None:
    one, many = np.array([7.0]), np.array([1.0, 2.0, 4.0])
    sums = [np.array([(x**power).sum() for x in (one, many)]) for power in (1, 2)]
    variances = Scores("absolute error", np.array([1, 3]), *sums).variances
    assert variances.tolist() == pytest.approx([np.var([7, 1, 2, 4], ddof=1), np.var(many, ddof=1)])


@given(sides, sides)
def test_mix_and_within_add_up_exactly(
    one: list[tuple[int, float]], two: list[tuple[int, float]]
) -> None:
    before, after = scored(one), scored(two)
    found = split(before, after)
    change = after.sums.sum() / after.total - before.sums.sum() / before.total
    assert found.change.value == pytest.approx(change, abs=1e-12)
    assert found.mix.value + found.within.value == pytest.approx(change, abs=1e-12)
    assert found.cells_mix.sum() == pytest.approx(found.mix.value, abs=1e-12)
    assert found.cells_within.sum() == pytest.approx(found.within.value, abs=1e-12)
    for part in (found.change, found.mix, found.within):
        assert part.low - 1e-9 <= part.value <= part.high + 1e-9
    turned = split(after, before)
    assert turned.mix.value == pytest.approx(-found.mix.value, abs=1e-12)
    assert turned.mix.high == pytest.approx(-found.mix.low, abs=1e-9)
    json.dumps(found.to_dict(), allow_nan=False)


@given(sides, sides)
def test_kitagawa_is_the_mean_over_both_orders_of_replacing(
    one: list[tuple[int, float]], two: list[tuple[int, float]]
) -> None:
    """Of two factors Kitagawa's parts are the Shapley values: replace shares and scores in both orders."""
    before, after = scored([(n + 1, s) for n, s in one]), scored([(n + 1, s) for n, s in two])
    sides = {"shares": (before.shares, after.shares), "means": (before.means, after.means)}
    parts = dict.fromkeys(sides, 0.0)
    for order in permutations(sides):
        now = {name: pair[0] for name, pair in sides.items()}
        for name in order:
            value = (now["shares"] * now["means"]).sum()
            now[name] = sides[name][1]
            parts[name] += ((now["shares"] * now["means"]).sum() - value) / 2
    found = split(before, after)
    assert found.mix.value == pytest.approx(parts["shares"], abs=1e-12)
    assert found.within.value == pytest.approx(parts["means"], abs=1e-12)


def test_a_new_cell_is_all_mix() -> None:
    found = split(accuracy([100, 0], [90, 0]), accuracy([100, 100], [90, 20]))
    assert found.within.value == pytest.approx(0)
    assert found.mix.value == pytest.approx(0.55 - 0.9)


@pytest.mark.parametrize("measure", ["accuracy", "absolute error"])
def test_intervals_cover_the_truth(measure: str) -> None:
    rng = np.random.default_rng(5)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    a, b = np.array([0.9, 0.7, 0.5]), np.array([0.85, 0.75, 0.4])
    truth = {"mix": ((q - p) * (a + b) / 2).sum(), "within": ((b - a) * (p + q) / 2).sum()}
    truth["change"], truth["expected"] = (q * b).sum() - (p * a).sum(), (q * a).sum()
    held, runs = dict.fromkeys(truth, 0), 600

    def draw(shares: np.ndarray, means: np.ndarray, rows: int) -> Scores:
        count = rng.multinomial(rows, shares)
        if measure == "accuracy":
            right = rng.binomial(count, means)
            return accuracy(count, right)
        errors = [rng.exponential(mean, n) for mean, n in zip(means, count, strict=True)]
        sums = [np.array([(e**power).sum() for e in errors]) for power in (1, 2)]
        return Scores(measure, count, *sums)

    for _ in range(runs):
        before, after = draw(p, a, 400), draw(q, b, 300)
        found = split(before, after)
        guess = expected(before, after.count)
        assert guess is not None
        for name in truth:
            part = guess if name == "expected" else getattr(found, name)
            held[name] += part.low <= truth[name] <= part.high
    low, high = stats.binom.ppf([0.0005, 0.9995], runs, 0.95)
    for name, times in held.items():
        assert low - 6 <= times <= high, (name, times)  # the normal's error at n = 300


def test_what_is_expected_varies_with_the_windows_own_mix() -> None:
    rng, before, held = np.random.default_rng(8), accuracy([10**7] * 2, [9 * 10**6, 10**6]), 0
    for _ in range(400):
        found = expected(before, rng.multinomial(100, [0.5, 0.5]))
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert held >= stats.binom.ppf(0.001, 400, 0.94)


def test_expected_says_what_it_does_not_know() -> None:
    before = accuracy([100, 0, 50], [90, 0, 20])
    assert expected(before, np.array([0, 30, 0])) is None
    found = expected(before, np.array([30, 30, 0]))
    assert found is not None
    assert (found.value, found.covered) == (pytest.approx(0.9), 0.5)
    assert "50.0% of the rows" in str(found)


def test_a_side_without_labels() -> None:
    with pytest.raises(InputError, match="The window has no labeled rows"):
        split(accuracy([1], [1]), accuracy([0], [0]))
    with pytest.raises(InputError, match="The reference has no labeled rows"):
        split(accuracy([0], [0]), accuracy([1], [1]))
    with pytest.raises(InputError, match="of 2 cells cannot be compared"):
        split(accuracy([1, 1], [1, 1]), accuracy([1], [1]))


def test_shifts_of_classes_are_calibrated_and_found() -> None:
    rng = np.random.default_rng(6)
    names, shares = ["a", "b", "c", "d"], [0.7, 0.2, 0.09, 0.01]

    def draw(rows: int, shares: object) -> dict[str, int]:
        return dict(zip(names, rng.multinomial(rows, shares).tolist(), strict=True))

    alarms = [
        class_shift(draw(300, shares), draw(80, shares), 199, seed).p <= 0.05 for seed in range(400)
    ]
    assert sum(alarms) <= stats.binom.ppf(0.999, 400, 0.05)
    found = class_shift(draw(300, shares), draw(300, [0.5, 0.2, 0.09, 0.21]))
    assert found.p == 0.001
    assert {found.classes[0][0], found.classes[1][0]} == {"a", "d"}
    assert found.moved == pytest.approx(0.2, abs=0.08)
    two = class_shift({"x": 8, "y": 2}, {"x": 1, "y": 5})
    assert two.p == pytest.approx(stats.fisher_exact([[8, 2], [1, 5]]).pvalue)
    with pytest.raises(InputError, match="no predictions"):
        class_shift({}, {"x": 1})


def test_the_permuted_p_against_every_table() -> None:
    before, after = {"a": 3, "b": 2, "c": 1}, {"a": 0, "b": 1, "c": 3}
    rows = np.repeat([0, 1, 2], [3, 3, 4])
    totals = np.bincount(rows)

    def chi(part: np.ndarray) -> float:
        e = totals * 0.4
        return float(((np.bincount(part, minlength=3) - e) ** 2 / e).sum())

    from itertools import combinations

    every = [chi(rows[list(pick)]) for pick in combinations(range(10), 4)]
    exact = np.mean(np.array(every) >= chi(np.array([1, 2, 2, 2])) - 1e-12)
    found = class_shift(before, after, permutations=20_000)
    assert found.p == pytest.approx(exact, abs=0.01)


@pytest.fixture(scope="module")
def adult(data: Path) -> tuple[pa.Table, np.ndarray]:
    """Rows of adult with a model's predictions, and their cells: of sex and age."""
    from pyarrow import csv
    from sklearn.linear_model import LogisticRegression

    train, test = (
        csv.read_csv(data / "adult" / f"adult_{part}.csv.gz") for part in ("train", "test")
    )
    names = ["age", "education_num", "hours_per_week", "capital_gain"]

    def numbers(table: pa.Table) -> np.ndarray:
        X = np.stack([table[name].to_numpy() for name in names], axis=1).astype(float)
        return (X - [38, 10, 40, 1000]) / [14, 2.5, 12, 7000]

    true = np.array([label.strip(" .") for label in test["class"].to_pylist()])
    model = LogisticRegression(max_iter=500).fit(numbers(train), train["class"].to_pylist())
    said = model.predict(numbers(test))
    male = np.array([sex.strip() == "Male" for sex in test["sex"].to_pylist()])
    cell = 2 * male + (test["age"].to_numpy() > 40)
    return pa.table({"said": said, "true": true}), cell


def test_other_rows_of_adult_are_mix_and_what_is_expected_comes_true(
    adult: tuple[pa.Table, np.ndarray],
) -> None:
    table, cell = adult
    rng = np.random.default_rng(7)
    half = rng.random(len(cell)) < 0.5
    women = ~half & (rng.random(len(cell)) < np.where(cell < 2, 1.0, 0.15))

    def outcomes(rows: np.ndarray, turned: float = 0.0) -> Outcomes:
        part = table.filter(pa.array(rows))
        said = part["said"].to_numpy(zero_copy_only=False).copy()
        wrong = (cell[rows] == 3) & (rng.random(len(said)) < turned)
        said[wrong] = "<=50K"
        return Outcomes.of(events(said.tolist(), part["true"].combine_chunks()), cell[rows], CELLS)

    before, after, broken = outcomes(half), outcomes(women), outcomes(~half, turned=0.7)
    found = split(before.scores(), after.scores())
    assert found.mix.low > 0  # women's incomes are easier to tell
    assert found.within.low < 0 < found.within.high
    guess = expected(before.scores(), after.rows)
    assert guess is not None
    assert guess.low <= after.scores().whole.means[0] <= guess.high + 0.01
    found = split(before.scores(), broken.scores())
    assert found.within.high < 0
    assert abs(found.mix.value) < 0.01
    assert int(found.cells_within.argmin()) == 3
    assert ranked(broken.scores())[0].name == "3"
    shift = class_shift(before.predicted or {}, broken.predicted or {})
    assert shift.p < 0.001
