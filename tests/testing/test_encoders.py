"""Each check of encoders beside an encoder with one thing broken, which it must catch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from spaceport import methods
from spaceport.encoders.hashing import Hashing
from spaceport.encoders.lsa import LSA
from spaceport.sources.base import Source
from spaceport.testing import encoders as checks


class Sample(Source):
    modality = "texts"
    unique_ids = True

    def read(self):
        rng = np.random.default_rng(0)
        texts = [
            " ".join(rng.choice([f"{'ab'[i % 2]}{j}" for j in range(9)], 8)) for i in range(30)
        ]
        yield pa.record_batch({"id": [str(i) for i in range(30)], "content": texts})

    def size(self):
        return 500


class Broken:
    """Named after its own class, so that `methods` finds the saboteur and not its parent."""

    @property
    def name(self):
        return type(self).__name__


class ScalesParameter(Broken, Hashing):
    def __init__(self, dimension=16):
        super().__init__(dimension)
        self.dimension = 2 * dimension


class LearnsEarly(Broken, Hashing):
    def __init__(self, dimension=16):
        super().__init__(dimension)
        self.words_ = ["there"]


class ForgetsParameter(Broken, Hashing):
    @property
    def spec(self):
        return self.name


class FitGivesNothing(Broken, LSA):
    def fit(self, source):
        super().fit(source)


class EncodesUnfitted(Broken, Hashing):
    fitted = True


class WrongDtype(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch(items, role).astype(np.float64)


class WrongDimension(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch(items, role)[:, :-1]


class LosesItem(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch(items, role)[1:]


class NotFinite(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        X[0, 0] = np.nan
        return X


class AllZero(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return 0 * super().encode_batch(items, role)


class Sorts(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch(sorted(items), role)


class CentersBatch(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        return X - X.mean(axis=0) if len(X) > 1 else X


class ScalesByBatch(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch(items, role) * np.float32(len(items))


class Drifts(Broken, Hashing):
    calls = 0

    def encode_batch(self, items, role="document"):
        self.calls += 1
        X = super().encode_batch(items, role)
        X[:, 0] += self.calls
        return X


class RandomFit(Broken, LSA):
    def fit(self, source):
        super().fit(source)
        self.components_ = self.components_ + np.random.default_rng().normal(
            0, 0.1, self.components_.shape
        ).astype(np.float32)
        return self


class SavesHalf(Broken, LSA):
    def restore(self, arrays, values):
        super().restore({**arrays, "components": arrays["components"][::-1].copy()}, values)


class LosesScale(Broken, LSA):
    scale = 1

    def fit(self, source):
        self.scale = 3
        return super().fit(source)

    def encode_batch(self, items, role="document"):
        return self.scale * super().encode_batch(items, role)


class Pickles(Broken, Hashing):
    def save(self, folder):
        (folder / "encoder.pkl").write_bytes(b"\x80\x04N.")
        return [*super().save(folder), folder / "encoder.pkl"]


class SavesUnnamed(Broken, Hashing):
    def save(self, folder):
        return super().save(folder)[:1]


class NeutralSeed(Broken, Hashing):
    neutral = frozenset({"seed"})


class NeutralUnknown(Broken, Hashing):
    neutral = frozenset({"threads"})


class FingerprintByName(Broken, Hashing):
    @property
    def fingerprint(self):
        return "1" * 64


class FingerprintByIdentity(Broken, Hashing):
    @property
    def fingerprint(self):
        return str(id(self))


class FingerprintWithoutState(Broken, LSA):
    @property
    def fingerprint(self):
        return repr(sorted(self.params().items()))


class FingerprintIgnoresArrays(Broken, LSA):
    @property
    def fingerprint(self):
        return repr((sorted(self.params().items()), sorted(self.state()[0])))


class UnseenRaises(Broken, LSA):
    def encode_batch(self, items, role="document"):
        for text in items:
            assert any(word in self._index for word in text.split()), "an unknown text"
        return super().encode_batch(items, role)


class UnseenMoves(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        return np.roll(X, 1, axis=1) if "qqzzxv wwkkjj" in items else X


class UnseenSkipped(Broken, LSA):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        return X[X.any(axis=1)]


class EmptyDivides(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        with np.errstate(invalid="ignore"):
            return X / np.linalg.norm(X, axis=1, keepdims=True)


class EmptySkipped(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        return super().encode_batch([text for text in items if text] or [""], role)


class AnyRole(Broken, Hashing):
    def encode(self, items, role="document", batch_size=1024):
        return super().encode(items, "document", batch_size)


class QueryShorter(Broken, Hashing):
    def encode_batch(self, items, role="document"):
        X = super().encode_batch(items, role)
        return X if role == "document" else X[:, :4]


class RepeatedEntities(Broken, Hashing):
    def entities(self):
        return ["a", "a"], np.ones((2, self.dimension), dtype=np.float32)


class FewEntities(Broken, Hashing):
    def entities(self):
        return ["a", "b"], np.ones((1, self.dimension), dtype=np.float32)


class NarrowEntities(Broken, Hashing):
    def entities(self):
        return ["a"], np.ones((1, 3), dtype=np.float32)


CAUGHT = [
    (checks.check_parameters, ScalesParameter, "stored as"),
    (checks.check_parameters, LearnsEarly, "before anything was learnt"),
    (checks.check_spec, ForgetsParameter, "is read back as"),
    (checks.check_fit, FitGivesNothing, "`fit` gives None"),
    (checks.check_fit, EncodesUnfitted, "before it has learnt"),
    (checks.check_output, WrongDtype, "float64"),
    (checks.check_output, WrongDimension, "`dimension` is"),
    (checks.check_output, LosesItem, "30 items become 29"),
    (checks.check_output, NotFinite, "NaN"),
    (checks.check_output, AllZero, "all vectors are zero"),
    (checks.check_order, Sorts, "shuffled items"),
    (checks.check_batch_size, CentersBatch, "batches of 1"),
    (checks.check_batch_size, ScalesByBatch, "another length"),
    (checks.check_deterministic, Drifts, "the same items twice"),
    (checks.check_deterministic, RandomFit, "two fingerprints"),
    (checks.check_saved, SavesHalf, "changes on the way"),
    (checks.check_saved, LosesScale, "another length"),
    (checks.check_saved, Pickles, "encoder.pkl is neither kind"),
    (checks.check_saved, SavesUnnamed, "`save` names"),
    (checks.check_neutral, NeutralSeed, "`seed=1`"),
    (checks.check_neutral, NeutralUnknown, "which are no parameters"),
    (checks.check_fingerprint, FingerprintByName, "leaves it"),
    (checks.check_fingerprint, FingerprintByIdentity, "two fingerprints"),
    (checks.check_fingerprint, FingerprintWithoutState, "what is learnt"),
    (checks.check_fingerprint, FingerprintIgnoresArrays, "another collection"),
    (checks.check_unseen, UnseenRaises, "an unknown text"),
    (checks.check_unseen, UnseenMoves, "among unseen ones"),
    (checks.check_unseen, UnseenSkipped, "become 1 vectors"),
    (checks.check_empty_text, EmptyDivides, "NaN"),
    (checks.check_empty_text, EmptySkipped, "becomes 1 vectors"),
    (checks.check_role, AnyRole, "'passage' is accepted"),
    (checks.check_role, QueryShorter, "other shapes"),
    (checks.check_entities, RepeatedEntities, "empty or repeated"),
    (checks.check_entities, FewEntities, "2 ids have vectors"),
    (checks.check_entities, NarrowEntities, "3 dimensions"),
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


def make(broken):
    return broken(dimension=5) if issubclass(broken, LSA) else broken(dimension=16)


@pytest.mark.parametrize(
    ("check", "broken", "says"), CAUGHT, ids=lambda given: getattr(given, "__name__", None)
)
def test_the_check_catches_it(check, broken, says):
    with pytest.raises((AssertionError, ValueError), match=says):
        check(lambda: make(broken), Sample())


@pytest.mark.parametrize("sound", [Hashing(16), LSA(5)], ids=["hashing", "lsa"])
def test_a_sound_encoder_passes(sound):
    checks.check_encoder(lambda: type(sound)(**sound.params()), Sample())


def test_every_check_has_a_saboteur_and_a_public_name():
    assert {check for check, _, _ in CAUGHT} == set(checks.CHECKS)
    assert {check.__name__ for check in checks.CHECKS} < set(checks.__all__)
