"""What every test of drift must hold: checks that plugin authors run over theirs.

Give `check_test` a function that makes a new test each time::

    from spaceport.testing.drift import check_test

    def test_my_test():
        check_test(lambda: MyTest(components=8))

A p-value is exact where the statistic is a function of the pool and of the split, and of nothing else:
`check_splits`, `check_order` and `check_exchange` hold a test to that number by number, `check_level` by counting
false alarms. Each check raises AssertionError with what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.drift._pooled import Double, Pooled, Splits
from spaceport.drift.base import DriftTest
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.methods import parse

__all__ = [
    "CHECKS",
    "MakeTest",
    "check_blocks",
    "check_deterministic",
    "check_exchange",
    "check_input",
    "check_level",
    "check_order",
    "check_output",
    "check_p_value",
    "check_parameters",
    "check_power",
    "check_spec",
    "check_splits",
    "check_test",
    "check_untouched",
]

MakeTest: TypeAlias = Callable[[], DriftTest]

REFERENCE, CURRENT, WIDTH, PERMUTATIONS = 60, 40, 4, 39
RUNS = 240
MOST_ALARMS = 26
"""Of 240 at a level of .05: a binomial count exceeds it once in 10,000 times."""
WIDEST_GAP = 0.139
"""Of 240 p-values' distribution above the diagonal: sqrt(log(10,000) / 480), Dvoretzky-Kiefer-Wolfowitz."""


def check_test(make_test: MakeTest) -> None:
    """Run all the checks.

    Parameters
    ----------
    make_test : callable
        Takes nothing and makes a new test, always with the same parameters.

    Raises
    ------
    AssertionError
        From the first check that fails; it says what was found.

    Examples
    --------
    >>> from spaceport.drift.centroid import Centroid
    >>> check_test(lambda: Centroid())
    """
    for check in CHECKS:
        check(make_test)


def planted(seed: int = 0, shift: float = 0, kind: str = "smooth") -> tuple[Matrix, Matrix]:
    """Two samples; `shift` moves the second, ``kind="tied"`` makes whole numbers of which many are equal."""
    rng = np.random.default_rng(seed)
    both = rng.standard_normal((REFERENCE + CURRENT, WIDTH)) * np.linspace(2, 1, WIDTH)
    both[REFERENCE:] += shift
    rows = np.round(both / 2) if kind == "tied" else both
    single = rows.astype(np.float32)
    return single[:REFERENCE], single[REFERENCE:]


def pool(seed: int = 0, shift: float = 0, kind: str = "smooth") -> Pooled:
    """Pool two planted samples."""
    return Pooled.of_rows(*planted(seed, shift, kind), PERMUTATIONS, seed)


def check_parameters(make_test: MakeTest) -> None:
    """The constructor stores each parameter unchanged."""
    test = make_test()
    again = type(test)(**test.params())
    for name, value in test.params().items():
        stored = getattr(again, name)
        _require(stored == value, f"`{name}` is {value!r} and stored as {stored!r}")


def check_spec(make_test: MakeTest) -> None:
    """The one-line form gives the same test back."""
    test = make_test()
    again = parse("drift", test.spec)
    _require(again.params() == test.params(), f"{test.spec} is read back as {again.spec}")


def check_output(make_test: MakeTest) -> None:
    """One finite float64 for each split, also of few rows and where many are equal."""
    few = planted()[0], planted()[1][:8]
    for pooled in (pool(), pool(kind="tied"), Pooled.of_rows(*few, PERMUTATIONS)):
        found = make_test().statistics(pooled)
        _require(
            found.shape == (PERMUTATIONS + 1,), f"{found.shape} statistics, not {PERMUTATIONS + 1}"
        )
        _require(found.dtype == np.float64, f"statistics are {found.dtype}")
        _require(bool(np.isfinite(found).all()), "a statistic is NaN or infinite")


def check_p_value(make_test: MakeTest) -> None:
    """The evidence's p is (k + 1) / (P + 1) of the statistics, and never 0."""
    for shift in (0, 0.5, 9):
        pooled = pool(shift=shift)
        found, told = make_test().statistics(pooled), make_test().evidence(pooled)
        wanted = (1 + int((found[1:] >= found[0]).sum())) / (PERMUTATIONS + 1)
        _require(told.p > 0, "a p-value is 0, which no finite number of splits can show")
        _require(np.isclose(told.p, wanted), f"p is {told.p:.4f}, (k + 1)/(P + 1) is {wanted:.4f}")
        _require(np.isclose(told.statistic, found[0]), "the statistic told is not the observed one")
        _require(told.permutations == PERMUTATIONS, f"{told.permutations} permutations are told")
        _require(told.rows == (REFERENCE, CURRENT), f"{told.rows} rows are told")


def check_deterministic(make_test: MakeTest) -> None:
    """Testing twice with one seed gives the same numbers."""
    first, second = make_test().statistics(pool()), make_test().statistics(pool())
    _require(bool(np.array_equal(first, second)), "two runs with one seed differ")


def check_untouched(make_test: MakeTest) -> None:
    """What the test was given is as it was."""
    pooled = pool()
    rows, places = _rows(pooled).copy(), pooled.splits.places.copy()
    make_test().statistics(pooled)
    same = np.array_equal(_rows(pooled), rows) and np.array_equal(pooled.splits.places, places)
    _require(same, "the test changes the rows or the splits that it was given")


def check_splits(make_test: MakeTest) -> None:
    """The observed split is treated like any other: exchanged with the k-th, their statistics exchange."""
    for shift in (0, 0.5):
        pooled = pool(shift=shift)
        order = np.arange(PERMUTATIONS + 1)
        order[[0, 7]] = order[[7, 0]]
        old = pooled.splits
        splits = Splits(old.sizes, old.current, old.places[order])
        found = make_test().statistics(pooled)
        again = make_test().statistics(Pooled(pooled.basis, splits, pooled.rows))
        _close(again, found[order], "the observed split exchanged with another")


def check_order(make_test: MakeTest) -> None:
    """Rows in another order, each split with the same rows: the same statistics."""
    pooled = pool(shift=0.5)
    order = np.random.default_rng(1).permutation(REFERENCE + CURRENT)
    found = make_test().statistics(pooled)
    turned = Pooled(pooled.basis, _reordered(pooled.splits, order), _rows(pooled)[order])
    _close(make_test().statistics(turned), found, "rows in another order")


def check_exchange(make_test: MakeTest) -> None:
    """Reference and current exchanged: the same statistics, if the test says it is symmetric."""
    if not make_test().symmetric:
        return
    pooled = pool(shift=0.5)
    old = pooled.splits
    splits = Splits(old.sizes, ~old.current, old.places)
    again = make_test().statistics(Pooled(pooled.basis, splits, pooled.rows))
    _close(again, make_test().statistics(pooled), "reference and current exchanged")


def check_level(make_test: MakeTest) -> None:
    """Without drift it alarms at most as often as it says: p-values are uniform, or larger."""
    for kind in ("smooth", "tied"):
        found = np.sort([make_test().evidence(pooled).p for pooled in _without_drift(kind)])
        alarms = int((found <= 0.05).sum())
        told = f"{alarms} false alarms in {RUNS} runs at a level of .05, {kind} rows"
        _require(alarms <= MOST_ALARMS, told)
        above = float((np.arange(1, RUNS + 1) / RUNS - found).max())
        _require(above <= WIDEST_GAP, f"p-values are too small by {above:.2f} without drift")


def check_power(make_test: MakeTest) -> None:
    """Samples that lie far apart are told apart."""
    found = [make_test().evidence(pool(seed, shift=4)).p for seed in range(5)]
    _require(max(found) <= 0.05, f"samples far apart have p = {max(found):.3f}")


def check_blocks(make_test: MakeTest) -> None:
    """Of sketches it tells something, or refuses them before it begins; `needs_rows` says which."""
    blocks = _blocks()
    test = make_test()
    if test.needs_rows:
        _refused(lambda: test.check(blocks), "`needs_rows`, and blocks pass `check`")
        _refused(lambda: test.statistics(blocks), "`needs_rows`, and blocks are looked at")
        return
    try:
        test.check(blocks)
    except InputError:
        return
    found = test.statistics(blocks)
    _require(found.shape == (PERMUTATIONS + 1,), f"{found.shape} statistics of blocks")
    _require(bool(np.isfinite(found).all()), "a statistic of blocks is NaN or infinite")


def check_input(make_test: MakeTest) -> None:
    """What cannot be compared is refused."""
    here, there = planted()
    bad = there.copy()
    bad[3, 2] = np.nan
    _refused(lambda: make_test()(here, bad), "NaN is compared")
    _refused(lambda: make_test()(here, there[:, :-1]), "rows of another dimension are compared")
    _refused(lambda: make_test()(here, there[:1]), "a single row is compared")
    equal = here[:1].repeat(30, axis=0)
    _refused(lambda: make_test()(equal, equal), "rows that are all the same are compared")


CHECKS: tuple[Callable[[MakeTest], None], ...] = (
    check_parameters,
    check_spec,
    check_output,
    check_p_value,
    check_deterministic,
    check_untouched,
    check_splits,
    check_order,
    check_exchange,
    check_level,
    check_power,
    check_blocks,
    check_input,
)
"""The checks in the order in which `check_test` runs them."""


@cache
def _without_drift(kind: str) -> tuple[Pooled, ...]:
    return tuple(pool(seed, kind=kind) for seed in range(RUNS))


@cache
def _blocks() -> Pooled:
    rng = np.random.default_rng(0)
    samples = [rng.standard_normal((count, WIDTH)).astype(np.float32) for count in (3000, 2000)]
    basis = Basis.fit(np.vstack(samples))
    left, right = (
        Sketch.of(basis, rows, [f"{side} {row}" for row in range(len(rows))])
        for side, rows in zip("rc", samples, strict=True)
    )
    return Pooled.of_sketches(left, right, PERMUTATIONS)


def _reordered(splits: Splits, order: npt.NDArray[np.intp]) -> Splits:
    """The same splits of units that stand in another order."""
    places = np.argsort(order)[splits.places[:, order]].astype(np.int32)
    return Splits(splits.sizes[order], splits.current[order], places)


def _rows(pooled: Pooled) -> Matrix:
    assert pooled.rows is not None
    return pooled.rows


def _refused(work: Callable[[], Any], otherwise: str) -> None:
    try:
        work()
    except InputError:
        return
    raise AssertionError(otherwise)


def _close(given: Double, wanted: Double, what: str) -> None:
    off = float(np.abs(given - wanted).max())
    told = f"{what}: statistics are {off:.2g} off"
    _require(off <= 1e-4 * float(np.abs(wanted).max()), told)


def _require(holds: bool | np.bool_, message: str) -> None:
    if not holds:
        raise AssertionError(message)
