"""Each check of adapters beside an adapter with one thing broken, which it must catch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spaceport import methods
from spaceport.adapters.affine import Affine
from spaceport.adapters.base import linear
from spaceport.adapters.procrustes import Procrustes
from spaceport.testing import adapters as checks

NUMBERS = itertools.count()


class Broken:
    """Named after its own class, so that `methods` finds the saboteur and not its parent."""

    @property
    def name(self):
        return type(self).__name__


class NegatesParameter(Broken, Procrustes):
    def __init__(self, centering=True, scaling=True):
        super().__init__(not centering, scaling)


class LearnsEarly(Broken, Procrustes):
    def __init__(self, centering=True, scaling=True):
        super().__init__(centering, scaling)
        self.rank_ = 1


class ForgetsParameter(Broken, Affine):
    def __init__(self, rank=None, ridge=1e-3, scaling=True, seed=0):
        super().__init__(rank, ridge, scaling, seed)

    @property
    def spec(self):
        return f"{self.name}(ridge=0.5)"


class SendsEarly(Broken, Procrustes):
    @property
    def dimensions(self):
        return getattr(self, "_dimensions", (12, 12))

    def send(self, X):
        return super().send(X) if hasattr(self, "arrays_") else X


class FitGivesNothing(Broken, Procrustes):
    def fit(self, X, Y):
        super().fit(X, Y)


class CentersInPlace(Broken, Procrustes):
    def fit(self, X, Y):
        super().fit(X, Y)
        X -= X.mean(axis=0)
        return self


class WrongDtype(Broken, Procrustes):
    def send(self, X):
        return super().send(X).astype(np.float64)


class Square(Broken, Procrustes):
    def send(self, X):
        return np.resize(super().send(X), X.shape)


class NotFinite(Broken, Procrustes):
    def send(self, X):
        return super().send(X) / np.float32("inf") * np.float32("inf")


class CentersBatch(Broken, Procrustes):
    def send(self, X):
        return super().send(X) - super().send(X).mean(axis=0)


class Transposed(Broken, Procrustes):
    def learn(self, X, Y):
        learnt = super().learn(X, Y)
        if X.shape[1] == Y.shape[1]:
            learnt["matrix"] = learnt["matrix"].T.copy()
        return learnt


class PermutedPairs(Broken, Procrustes):
    def learn(self, X, Y):
        return super().learn(X, np.roll(Y, 1, axis=0))


class ForgetsMean(Broken, Procrustes):
    def learn(self, X, Y):
        learnt = super().learn(X, Y)
        return {**learnt, "target": np.zeros_like(learnt["target"])}


class ForgetsScale(Broken, Procrustes):
    def learn(self, X, Y):
        learnt = super().learn(X, Y)
        return {**learnt, "matrix": 2 * learnt["matrix"]}


class NoMeans(Broken, Procrustes):
    def __init__(self):
        super().__init__(centering=False)

    def params(self):
        return {}


class Random(Broken, Procrustes):
    def learn(self, X, Y):
        rows = np.random.default_rng().permutation(len(X))[:400]
        return super().learn(X[rows], Y[rows])


class SavesHalf(Broken, Procrustes):
    def restore(self, arrays, values):
        super().restore({**arrays, "matrix": arrays["matrix"] / 2}, values)


class KeepsWithout(Broken, Procrustes):
    def send(self, X):
        return super().send(X) + np.float32(getattr(self, "extra", 0))

    def learn(self, X, Y):
        self.extra = 1
        return super().learn(X, Y)


class Pickles(Broken, Procrustes):
    def save(self, folder):
        (folder / "adapter.pkl").write_bytes(b"\x80\x04N.")
        return [*super().save(folder), folder / "adapter.pkl"]


class FingerprintOfNothing(Broken, Procrustes):
    @property
    def fingerprint(self):
        return self.spec


class FingerprintOfNames(Broken, Procrustes):
    @property
    def fingerprint(self):
        return repr(sorted(self.state()[0]))


class FingerprintByIdentity(Broken, Procrustes):
    @property
    def fingerprint(self):
        return f"{next(NUMBERS)}"


class CutsRows(Broken, Procrustes):
    def __call__(self, X):
        p = self.dimensions[0]
        return super().__call__(np.resize(X, (len(X), p)))


class CutsPairs(Broken, Procrustes):
    def fit(self, X, Y):
        n = min(len(X), len(Y))
        return super().fit(X[:n], Y[:n])


class FillsNaN(Broken, Procrustes):
    def fit(self, X, Y):
        return super().fit(np.nan_to_num(X), Y)


class SendsNaN(Broken, Procrustes):
    def __call__(self, X):
        return super().__call__(np.nan_to_num(X))


class LearnsOfOne(Broken, Procrustes):
    def fit(self, X, Y):
        if len(X) < 2 or (X[0] == X).all():
            self.arrays_ = linear(np.zeros(12), np.eye(12), np.zeros(12))
            self._dimensions = (12, 12)
            return self
        return super().fit(X, Y)


CAUGHT = [
    (checks.check_parameters, NegatesParameter, "stored as"),
    (checks.check_parameters, LearnsEarly, "before anything was learnt"),
    (checks.check_spec, ForgetsParameter, "is read back as"),
    (checks.check_fit, SendsEarly, "before it has learnt"),
    (checks.check_fit, FitGivesNothing, "`fit` gives None"),
    (checks.check_fit, CentersInPlace, "changes what it was given"),
    (checks.check_output, WrongDtype, "float64"),
    (checks.check_output, Square, "become"),
    (checks.check_output, NotFinite, "NaN"),
    (checks.check_rows, CentersBatch, "rows alone"),
    (checks.check_recovers, Transposed, "from 12 to 12"),
    (checks.check_recovers, PermutedPairs, "median cosine"),
    (checks.check_recovers, ForgetsMean, "median cosine"),
    (checks.check_recovers, ForgetsScale, "dimensions"),
    (checks.check_mean, NoMeans, "a mean is forgotten"),
    (checks.check_deterministic, Random, "two fingerprints"),
    (checks.check_saved, SavesHalf, "the fingerprint changes"),
    (checks.check_saved, KeepsWithout, "sends rows elsewhere"),
    (checks.check_saved, Pickles, "save` writes"),
    (checks.check_fingerprint, FingerprintOfNothing, "does not change"),
    (checks.check_fingerprint, FingerprintOfNames, "other pairs"),
    (checks.check_fingerprint, FingerprintByIdentity, "made alike"),
    (checks.check_dimensions, CutsRows, "another dimension"),
    (checks.check_input, CutsPairs, "unpaired"),
    (checks.check_input, FillsNaN, "NaN is learnt from"),
    (checks.check_input, SendsNaN, "NaN is sent"),
    (checks.check_input, LearnsOfOne, "a single pair"),
]


class Point:
    """An entry point that gives a class of this file."""

    def __init__(self, method):
        self.method = method

    def load(self):
        return self.method


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    points = {broken.__name__: Point(broken) for _, broken, _ in CAUGHT}
    monkeypatch.setattr(methods, "_plugins", lambda family: points)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("check", "broken", "says"), CAUGHT, ids=lambda given: getattr(given, "__name__", None)
)
def test_the_check_catches_it(check, broken, says):
    with pytest.raises(AssertionError, match=says):
        check(broken)


def test_every_check_has_a_saboteur():
    assert {check for check, _, _ in CAUGHT} == set(checks.CHECKS)


def test_a_sound_adapter_passes():
    checks.check_adapter(Procrustes)
