"""Each check of tests of drift beside a test with one thing broken, which it must catch."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from spaceport import methods
from spaceport.drift.base import DriftTest
from spaceport.drift.centroid import Centroid
from spaceport.drift.ks import KS
from spaceport.testing import drift as checks

NUMBERS = itertools.count(1)


class Broken:
    """Named after its own class, so that `methods` finds the saboteur and not its parent."""

    @property
    def name(self):
        return type(self).__name__


class ChangesParameter(Broken, KS):
    def __init__(self, components=32):
        super().__init__(components + 1)


class ForgetsParameter(Broken, KS):
    @property
    def spec(self):
        return "ks(components=32)"


class OneSplitTooFew(Broken, Centroid):
    def statistics(self, pooled):
        return super().statistics(pooled)[1:]


class Single(Broken, Centroid):
    def statistics(self, pooled):
        return super().statistics(pooled).astype(np.float32)


class DividesByTheCells(Broken, Centroid):
    """NaN where a cell holds none of a sample."""

    def statistics(self, pooled):
        m = pooled.splits.rows[1]
        counts = np.rint(pooled.current_mean("cells1") * m)
        with np.errstate(divide="ignore", invalid="ignore"):
            return super().statistics(pooled) + (0 * counts / counts).sum(axis=1)


class LeavesOutTheObserved(Broken, Centroid):
    """k / P in place of (k + 1) / (P + 1)."""

    def evidence(self, pooled):
        found = self.statistics(pooled)
        return replace(super().evidence(pooled), p=float(np.mean(found[1:] >= found[0])))


class CountsSmaller(Broken, Centroid):
    """The other tail."""

    def evidence(self, pooled):
        found = self.statistics(pooled)
        return replace(super().evidence(pooled), p=float(np.mean(found <= found[0])))


class SeedOfItsOwn(Broken, Centroid):
    def statistics(self, pooled):
        found = super().statistics(pooled)
        return found * (1 + 1e-3 * next(NUMBERS))


class CentersInPlace(Broken, Centroid):
    def statistics(self, pooled):
        found = super().statistics(pooled)
        pooled.rows -= pooled.rows.mean(axis=0)
        return found


class PercentilesOfTheReference(Broken, Centroid):
    """The null is what resampled references give: as far apart as halves of one sample, reused."""

    def statistics(self, pooled):
        found = super().statistics(pooled)
        rng = np.random.default_rng(0)
        reference = pooled.rows[~pooled.splits.current]
        for split in range(1, len(found)):
            again = reference[rng.integers(0, len(reference), len(reference))]
            found[split] = np.linalg.norm(again.mean(axis=0) - reference.mean(axis=0))
        return found


class PeeksAtTheOrder(Broken, Centroid):
    """Takes the first rows for the reference, whatever the split says."""

    def statistics(self, pooled):
        n, _ = pooled.splits.rows
        return super().statistics(pooled) * np.linalg.norm(pooled.rows[:n].mean(axis=0))


class LearnsOnce(Broken, Centroid):
    """Learns from the observed split and judges on the same rows, with labels permuted afterwards."""

    def statistics(self, pooled):
        inside = pooled.splits.inside
        observed = inside[0]
        apart = pooled.rows[observed].mean(axis=0) - pooled.rows[~observed].mean(axis=0)
        scores = pooled.rows @ apart
        return np.array([scores[s].mean() - scores[~s].mean() for s in inside], float)


class JudgesWhatItLearnt(Broken, Centroid):
    """The same, with Mann and Whitney's p-value."""

    def evidence(self, pooled):
        inside = pooled.splits.inside[0]
        apart = pooled.rows[inside].mean(axis=0) - pooled.rows[~inside].mean(axis=0)
        scores = pooled.rows @ apart
        p = mannwhitneyu(scores[inside], scores[~inside], alternative="greater").pvalue
        return replace(super().evidence(pooled), p=float(p))


class OneSided(Broken, Centroid):
    def statistics(self, pooled):
        return pooled.differences("vectors").sum(axis=1)


class SeesNothing(Broken, Centroid):
    def statistics(self, pooled):
        return np.random.default_rng(0).random(pooled.splits.permutations + 1)


class HidesItsNeed(Broken, KS):
    needs_rows = True

    def check(self, pooled):
        pass


class TakesAnything(Broken, Centroid):
    def __call__(self, reference, current, **told):
        def cleaned(rows):
            return np.resize(np.nan_to_num(np.asarray(rows)), (30, 3)) + np.eye(30, 3)

        return super().__call__(cleaned(reference), cleaned(current), **told)


SABOTEURS = [
    (ChangesParameter, "check_parameters"),
    (ForgetsParameter, "check_spec"),
    (OneSplitTooFew, "check_output"),
    (Single, "check_output"),
    (DividesByTheCells, "check_output"),
    (LeavesOutTheObserved, "check_p_value"),
    (CountsSmaller, "check_p_value"),
    (SeedOfItsOwn, "check_deterministic"),
    (CentersInPlace, "check_untouched"),
    (PercentilesOfTheReference, "check_level"),
    (PercentilesOfTheReference, "check_splits"),
    (PeeksAtTheOrder, "check_order"),
    (LearnsOnce, "check_splits"),
    (LearnsOnce, "check_level"),
    (JudgesWhatItLearnt, "check_level"),
    (JudgesWhatItLearnt, "check_p_value"),
    (OneSided, "check_exchange"),
    (SeesNothing, "check_power"),
    (HidesItsNeed, "check_blocks"),
    (TakesAnything, "check_input"),
]


def made(saboteur: type[DriftTest]) -> DriftTest:
    return saboteur(components=9) if issubclass(saboteur, KS) else saboteur()


@pytest.mark.parametrize(
    ("saboteur", "check"), SABOTEURS, ids=lambda told: getattr(told, "__name__", told)
)
def test_the_check_catches_the_saboteur(saboteur, check, monkeypatch) -> None:
    by_name = {"ks": KS} | {broken.__name__: broken for broken, _ in SABOTEURS}
    monkeypatch.setattr(methods, "load", lambda family, name: by_name[name])
    with pytest.raises(AssertionError):
        getattr(checks, check)(lambda: made(saboteur))


def test_every_check_has_a_saboteur() -> None:
    assert {check for _, check in SABOTEURS} == {check.__name__ for check in checks.CHECKS}


def test_all_of_them_are_public() -> None:
    assert {check.__name__ for check in checks.CHECKS} <= set(checks.__all__)


def test_what_refuses_blocks_of_its_own_accord_passes() -> None:
    checks.check_blocks(lambda: methods.parse("drift", "mmd(exact=True)"))
