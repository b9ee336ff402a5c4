"""GloVe: counts against brute force, one step against finite differences, the whole against a planted answer."""

from __future__ import annotations

import errno
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport import progress
from spaceport.encoders import _cooccurrence, _runs
from spaceport.encoders._adagrad import (
    Settings,
    bands_for,
    expected_biases,
    rounds,
    start,
    train_entries,
)
from spaceport.encoders._cooccurrence import Bands, Counting, count_pairs
from spaceport.encoders.base import load
from spaceport.encoders.glove import GloVe
from spaceport.encoders.kernels.adagrad import descend
from spaceport.encoders.kernels.lanes import aligned, inverse_root, store
from spaceport.encoders.kernels.lanes import load as read_lanes
from spaceport.errors import CorruptError, InputError, ParameterError, StoreError
from spaceport.sources.base import Source
from spaceport.vocabulary import DROPPED, END, write

Floats = npt.NDArray[Any]


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Any:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


# --- counting ---


def brute_force(texts: list[list[int]], told: Counting) -> Counter[tuple[int, int]]:
    """X_ij by its definition, in exact arithmetic up to the rounding of 1/d."""
    X: Counter[tuple[int, int]] = Counter()
    for text in texts:
        kept = [word for word in text if word >= 0]
        for place, word in enumerate(kept):
            for distance in range(1, min(told.window, place) + 1):
                weight = 1 / distance if told.distance_weighting else 1
                X[word, kept[place - distance]] += weight
                if told.symmetric:
                    X[kept[place - distance], word] += weight
    return X


def counted(texts: list[list[int]], words: int, bands: int, told: Counting) -> dict[Any, float]:
    """X as `count_pairs` finds it, by word, from all its blocks."""
    rows = np.array([*range(words), DROPPED], np.int32)
    left_out = words  # the id of a word without a row
    tokens = [[*(word if word >= 0 else left_out for word in text), END] for text in texts]
    names = [str(row) for row in range(words + 1)]
    order = Bands(words, bands)
    word_at = {int(place): row for row, place in enumerate(order.places)}
    found: dict[Any, float] = {}
    with (
        write(names, [np.concatenate(tokens).astype(np.int32)]) as corpus,
        count_pairs(corpus, rows, order, told) as counts,
    ):
        assert counts.sizes().sum() >= len(counts)
        for row_band in range(bands):
            for column_band in range(bands):
                block = counts.block(row_band, column_band)
                assert len(block) == counts.sizes()[row_band, column_band]
                assert (block["row"] // order.size == row_band).all()
                assert (block["column"] // order.size == column_band).all()
                for row, column, count in block.tolist():
                    pair = word_at[row], word_at[column]
                    assert pair not in found
                    found[pair] = count
    return found


TEXTS = st.lists(st.lists(st.integers(-1, 6), max_size=15), min_size=1, max_size=5)


@given(TEXTS, st.integers(1, 4), st.integers(1, 7), st.booleans(), st.booleans())
def test_counts_are_those_of_brute_force(
    texts: list[list[int]], window: int, bands: int, symmetric: bool, weighted: bool
) -> None:
    told = Counting(window, symmetric, weighted, memory=1)
    expected = brute_force(texts, told)
    found = counted(texts, 7, bands, told)
    assert found.keys() == expected.keys()
    for pair, count in expected.items():
        assert found[pair] == pytest.approx(count, rel=1e-6)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("capacity", [16, 50, 5000])
def test_counts_do_not_depend_on_the_memory(
    symmetric: bool, capacity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of runs, merged in several rounds, against one run."""
    rng = np.random.default_rng(0)
    texts = [rng.zipf(1.4, 40).clip(0, 60).astype(int).tolist() for _ in range(40)]
    told = Counting(5, symmetric, True, memory=64)
    whole = counted(texts, 61, 4, told)
    runs: list[int] = []
    real = _cooccurrence.few
    monkeypatch.setattr(_cooccurrence, "few", lambda r, m: runs.append(len(r.sizes)) or real(r, m))
    monkeypatch.setattr(_runs, "_LEAST", 8)
    monkeypatch.setattr(_runs, "_MERGED", 3)
    monkeypatch.setattr(_runs, "MEBIBYTE", 1)
    monkeypatch.setattr(Counting, "pairs", lambda self: capacity)
    assert counted(texts, 61, 4, told) == whole
    assert runs[0] >= 1600 * 5 // capacity


def peak_of_counting(memory: int) -> tuple[float, int]:
    """MiB at the peak, as NumPy's arrays are traced; counted twice, so that nothing is compiled then."""
    words, length = 3000, 400_000
    tokens = np.random.default_rng(0).integers(0, words, length).astype(np.int32)
    rows, told = np.arange(words, dtype=np.int32), Counting(10, True, True, memory)
    with write(map(str, range(words)), [tokens]) as corpus:
        with count_pairs(corpus, rows, Bands(words, 8), told):
            tracemalloc.start()
        try:
            with count_pairs(corpus, rows, Bands(words, 8), told) as counts:
                return tracemalloc.get_traced_memory()[1] / 2**20, len(counts)
        finally:
            tracemalloc.stop()


def test_the_peak_of_memory_follows_the_bound() -> None:
    """Four million pairs, nearly half of them distinct, in 8 MiB and in 256."""
    small, entries = peak_of_counting(8)
    large, same = peak_of_counting(256)
    assert entries == same > 1_500_000
    assert small < 24
    assert large > 40


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with write(["a", "b"], [np.array([0, 1, END], np.int32)]) as corpus:
        monkeypatch.setattr(_runs, "write_array", full)
        with pytest.raises(StoreError, match="No space is left"):
            count_pairs(
                corpus, np.arange(2, dtype=np.int32), Bands(2, 1), Counting(2, True, True, 1)
            )


# --- one step ---


@numba.njit
def _inverse_roots(numbers, roots):
    for at in range(0, len(numbers), 16):
        store(roots, at, inverse_root(read_lanes(numbers, at)))


def test_inverse_roots() -> None:
    numbers = np.geomspace(1e-30, 1e30, 4096).astype(np.float32)
    roots = np.zeros_like(numbers)
    _inverse_roots(numbers, roots)
    expected = 1 / np.sqrt(numbers.astype(np.float64))
    assert np.abs(roots / expected - 1).max() < 5e-6
    assert np.abs(roots / expected - 1).max() > 1e-7  # not the exact one under another name


DIMENSION, STRIDE, WORDS = 15, 32, 4


def laid_out(values: Floats, squares: Floats, bias: int, one: int) -> Floats:
    flat = aligned(WORDS * 2 * STRIDE)
    rows = flat.reshape(WORDS, 2, STRIDE)
    rows[:, 1], rows[:, 0, one] = 1, 1
    rows[:, 0, :DIMENSION], rows[:, 0, bias] = values[:, :-1], values[:, -1]
    rows[:, 1, :DIMENSION], rows[:, 1, bias] = squares[:, :-1], squares[:, -1]
    return flat


def taken(flat: Floats, part: int, bias: int) -> Floats:
    return flat.reshape(WORDS, 2, STRIDE)[:, part][:, [*range(DIMENSION), bias]]


def test_steps_are_those_of_adagrad_down_the_gradient() -> None:
    """Each entry in turn, by finite differences of its loss, in float64."""
    rng = np.random.default_rng(0)
    W, C = rng.normal(0, 0.5, (2, WORDS, DIMENSION + 1)).astype(np.float32)
    G, H = rng.uniform(1, 3, (2, WORDS, DIMENSION + 1)).astype(np.float32)
    X = laid_out(W, G, DIMENSION, DIMENSION + 1)
    Y = laid_out(C, H, DIMENSION + 1, DIMENSION)
    rows, columns = np.array([1], np.int32), np.array([2], np.int32)
    logarithm, weight, rate = np.float32(1.3), np.float32(0.4), np.float32(0.05)

    def loss(w: Floats, c: Floats) -> float:
        product = w[:-1] @ c[:-1] + w[-1] + c[-1]
        return 0.5 * float(weight) * float(product - logarithm) ** 2

    def gradient(function: Any, at: Floats) -> Floats:
        steps = np.eye(len(at)) * 1e-5
        return np.array([(function(at + h) - function(at - h)) / 2e-5 for h in steps])

    w, c = W[1].astype(np.float64), C[2].astype(np.float64)
    g = float(rate) * gradient(lambda moved: loss(moved, c), w)
    h = float(rate) * gradient(lambda moved: loss(w, moved), c)
    found = descend(
        rows, columns, np.array([logarithm]), np.array([weight]), X, Y, STRIDE, DIMENSION, rate,
        np.uint64(0),
    )  # fmt: skip
    expected_W, expected_C = W.copy(), C.copy()
    expected_W[1] = w - g / np.sqrt(G[1])
    expected_C[2] = c - h / np.sqrt(H[2])
    assert found == pytest.approx(2 * loss(w, c), rel=1e-5)
    np.testing.assert_allclose(taken(X, 0, DIMENSION), expected_W, atol=1e-6)
    np.testing.assert_allclose(taken(Y, 0, DIMENSION + 1), expected_C, atol=1e-6)
    np.testing.assert_allclose(taken(X, 1, DIMENSION)[1], G[1] + g**2, atol=1e-6)
    np.testing.assert_allclose(taken(Y, 1, DIMENSION + 1)[2], H[2] + h**2, atol=1e-6)
    assert np.abs(g).max() > 1e-3  # the step is far above the tolerance
    untouched = [0, 2, 3]
    np.testing.assert_array_equal(taken(X, 0, DIMENSION)[untouched], W[untouched])


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_every_entry_is_used_once_in_an_order_of_the_seed(count: int) -> None:
    """With a rate of zero nothing moves, and the loss sums over all entries."""
    rng = np.random.default_rng(0)
    logarithms = rng.normal(size=count).astype(np.float32)
    zeros, ones = np.zeros((WORDS, DIMENSION + 1)), np.ones((WORDS, DIMENSION + 1))
    X, Y = (
        laid_out(zeros, ones, *places)
        for places in ((DIMENSION, DIMENSION + 1), (DIMENSION + 1, DIMENSION))
    )
    rows, columns = rng.integers(0, WORDS, (2, count)).astype(np.int32)
    told = (rows, columns, logarithms, np.ones(count, np.float32))
    found = descend(*told, X, Y, STRIDE, DIMENSION, np.float32(0), np.uint64(3))
    assert found == pytest.approx((logarithms.astype(float) ** 2).sum(), rel=1e-6)
    moved = []
    for seed in (1, 2):
        X, Y = (
            laid_out(zeros, ones, *places)
            for places in ((DIMENSION, DIMENSION + 1), (DIMENSION + 1, DIMENSION))
        )
        descend(*told, X, Y, STRIDE, DIMENSION, np.float32(0.5), np.uint64(seed))
        moved.append(X.tobytes())
    assert (moved[0] != moved[1]) == (count > 3)


def test_biases_start_where_words_in_any_order_would_put_them() -> None:
    """Counted in text that is drawn word by word, the logarithms are the sums of two biases."""
    rng = np.random.default_rng(0)
    share = np.array([0.5, 0.3, 0.2])
    tokens = rng.choice(3, 40_000, p=share).astype(np.int32)
    for symmetric, weighted in ((True, True), (False, True), (True, False)):
        told = Counting(4, symmetric, weighted, memory=8)
        found = counted([tokens.tolist()], 3, 1, told)
        biases = expected_biases(np.bincount(tokens), told)
        for (row, column), count in found.items():
            assert biases[row] + biases[column] == pytest.approx(np.log(count), abs=0.05)


# --- the plan ---


@pytest.mark.parametrize("bands", [1, 2, 8, 13])
def test_rounds_cover_all_blocks_and_share_no_row(bands: int) -> None:
    plan = list(rounds(bands, 3, np.random.default_rng(0)))
    visits = [visit for together in plan for visit in together]
    assert len(set(visits)) == len(visits) == 3 * bands**2
    for together in plan:
        assert len({visit.row_band for visit in together}) == bands
        assert len({visit.column_band for visit in together}) == bands


@pytest.mark.parametrize("words", [1, 5, 8, 5000, 100_000, 3_000_000])
def test_bands_are_dealt_evenly(words: int) -> None:
    bands = bands_for(words)
    assert 1 <= bands.count <= 128
    assert bands.count >= min(8, words)
    assert (bands.count - 1) * bands.size < words <= bands.count * bands.size


# --- the whole, against a planted answer ---


def low_rank(words: int, rank: int, seed: int = 0) -> Floats:
    """ln X of that rank, symmetric, for all pairs of words."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.7, (words, rank))
    bias = rng.normal(1, 0.3, words)
    return factors @ factors.T + bias[:, None] + bias[None, :]


class Planted:
    """Counts that are what they are told to be; the double of `Cooccurrences`."""

    def __init__(self, logarithms: Floats) -> None:
        self.bands = bands_for(len(logarithms))
        word, other = np.indices(logarithms.shape).reshape(2, -1)
        entries = np.empty(logarithms.size, dtype=_cooccurrence.ENTRY)
        entries["row"], entries["column"] = self.bands.places[word], self.bands.places[other]
        entries["count"] = np.exp(logarithms).reshape(-1)
        bands = entries["row"] // self.bands.size, entries["column"] // self.bands.size
        every = range(self.bands.count)
        self.blocks = {
            (a, b): entries[(bands[0] == a) & (bands[1] == b)] for a in every for b in every
        }

    def block(self, row_band: int, column_band: int) -> Any:
        return self.blocks[row_band, column_band]

    def sizes(self) -> Floats:
        return np.array([len(block) for block in self.blocks.values()])


@pytest.mark.parametrize(("ordered", "threads"), [(True, 1), (True, 2), (False, 2)])
def test_products_become_the_logarithms(ordered: bool, threads: int) -> None:
    """Counts whose logarithms have rank 5 are fitted by six dimensions, and not by two."""
    logarithms = low_rank(40, 5)
    left = {}
    for dimension in (6, 2):
        told = Settings(dimension, 150, 0.1, 10.0, 0.0, threads, ordered, 1)
        counts: Any = Planted(logarithms)
        factors, losses = train_entries(
            counts, start(np.zeros(40, np.float32), dimension, [1]), told
        )
        W, C = factors.words, factors.contexts
        fitted = W[:, :-1] @ C[:, :-1].T + W[:, -1:] + C[:, -1]
        left[dimension] = float(np.square(fitted - logarithms).mean())
        assert losses[-1] == pytest.approx(left[dimension], rel=0.2, abs=1e-3)
    assert left[6] < 0.02 < 0.2 < left[2]


TOPICS = [[f"a{i}" for i in range(12)], [f"b{i}" for i in range(12)]]


def planted(seed: int = 0, sentences: int = 1500, extra: str = "") -> Texts:
    """Sentences that take six words from one of two topics and one from any, and fillers from none."""
    rng = np.random.default_rng(seed)
    topics = [[*topic, *([topic[0][0] + extra] if extra else [])] for topic in TOPICS]
    texts = []
    for _ in range(sentences):
        own = rng.choice(topics[rng.integers(2)], 6)
        texts.append(" ".join([*own, rng.choice(np.concatenate(topics)), "the", "of"]))
    return Texts(texts)


def purity(words: list[str], vectors: Floats) -> float:
    """Share of the topic words whose five nearest topic words are of their topic."""
    rows = [row for row, word in enumerate(words) if word[1:].isdigit()]
    topic = np.array([words[row][0] for row in rows])
    units = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
    similarity = units @ units.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    return float((topic[nearest] == topic[:, None]).all(axis=1).mean())


def nearest(words: list[str], vectors: Floats, word: str, k: int) -> list[str]:
    """The k words most similar to `word`, by cosine."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-units @ units[words.index(word)])
    return [words[row] for row in order[1 : k + 1].tolist()]


def fitted(source: Source, **params: Any) -> GloVe:
    told = {"dimension": 16, "minimum_count": 1, "epochs": 25, "window": 5, "memory": 1}
    return GloVe(**{**told, **params}).fit(source)


@pytest.mark.parametrize(
    "mode",
    [
        {"threads": 1},
        {"threads": 2},
        {"reproducible": True},
        {"vectors": "word"},
        {"symmetric": False},
    ],
    ids=str,
)
def test_words_of_a_topic_come_out_as_neighbors(mode: dict[str, Any]) -> None:
    assert purity(*fitted(planted(), **mode).entities()) == 1


def test_the_planted_answer_catches_words_in_any_order() -> None:
    source = planted()
    words = np.random.default_rng(1).permutation(" ".join(source.texts).split())
    texts = [" ".join(words[at : at + 9]) for at in range(0, len(words), 9)]
    assert purity(*fitted(Texts(texts)).entities()) < 0.5


def test_vectors_are_sums_or_words() -> None:
    both, one = (fitted(planted(sentences=50), vectors=kind, threads=1) for kind in ("sum", "word"))
    np.testing.assert_array_equal(one.vectors_, one.factors_.words[:, :16])
    np.testing.assert_allclose(both.vectors_, one.vectors_ + one.factors_.contexts[:, :16])


# --- the same bytes ---


def test_reproducible_gives_the_same_bytes_from_any_threads() -> None:
    source = planted(sentences=600)
    runs = [fitted(source, reproducible=True, threads=threads) for threads in (1, 2, 1, 2, 5, None)]
    assert len({run.entities()[1].tobytes() for run in runs}) == 1
    assert len({run.fingerprint for run in runs}) == 1
    other = fitted(source, reproducible=True, seed=2)
    assert other.entities()[1].tobytes() != runs[0].entities()[1].tobytes()


def test_the_memory_changes_no_number() -> None:
    source = planted(sentences=100)
    small, large = (fitted(source, threads=1, memory=memory) for memory in (1, 64))
    assert small.entities()[1].tobytes() == large.entities()[1].tobytes()
    assert small.fingerprint == large.fingerprint


def test_threads_are_in_the_fingerprint_where_they_may_matter() -> None:
    one, two = ({"threads": threads} for threads in (1, 2))
    assert GloVe(**one).fingerprint != GloVe(**two).fingerprint
    assert (
        GloVe(**one, reproducible=True).fingerprint == GloVe(**two, reproducible=True).fingerprint
    )


# --- going on ---


def test_training_goes_on_with_more_text(tmp_path: Path) -> None:
    """New words find their topic among the known ones; known words stay near where they were."""
    encoder = fitted(planted(sentences=1500), threads=1)
    before = dict(zip(*encoder.entities(), strict=True))
    counts = dict(zip(encoder.entities()[0], encoder.counts_.tolist(), strict=True))
    encoder.save(tmp_path)
    resumed = load(tmp_path)
    assert isinstance(resumed, GloVe)
    more = planted(seed=1, sentences=500, extra="99")
    assert resumed.partial_fit(more) is resumed
    words, vectors = resumed.entities()
    assert set(words) == {*before, "a99", "b99"}
    for new in ("a99", "b99"):
        assert set(nearest(words, vectors, new, 5)) <= {w for w in words if w[0] == new[0]}
    again = Counter(" ".join(more.texts).split())
    assert dict(zip(words, resumed.counts_.tolist(), strict=True)) == {
        word: counts.get(word, 0) + again[word] for word in words
    }
    after = dict(zip(words, vectors, strict=True))
    anew = dict(zip(*fitted(more, threads=1, seed=5).entities(), strict=True))
    moved, strange = (
        np.mean([np.linalg.norm(new[word] - before[word]) for word in before])
        for new in (after, anew)
    )
    assert moved < strange / 3
    live = encoder.partial_fit(more)
    assert live.fingerprint == resumed.fingerprint  # nothing is lost by saving


def test_the_sums_of_adagrad_are_carried_on() -> None:
    """The same text twice in two calls moves words less the second time."""
    source = planted(sentences=300)
    encoder = fitted(source, threads=1, epochs=5)
    first, told = encoder.factors_, Counting(5, True, True, 1)
    begun = start(expected_biases(encoder.counts_, told), 16, [1]).words
    encoder.partial_fit(source)
    assert (encoder.factors_.word_squares >= first.word_squares).all()
    assert (encoder.factors_.word_squares > first.word_squares).any()
    steps = [
        np.linalg.norm(b - a)
        for a, b in ((begun, first.words), (first.words, encoder.factors_.words))
    ]
    assert steps[1] < steps[0] / 2


def test_partial_fit_without_a_fit_is_a_fit_and_fit_starts_anew() -> None:
    source = planted(sentences=100)
    one = fitted(source, threads=1)
    other = GloVe(**one.params()).partial_fit(source)
    assert other.fingerprint == one.fingerprint
    assert other.fit(source).fingerprint == one.fingerprint


def test_known_phrases_stay_joined_in_more_text() -> None:
    rng = np.random.default_rng(0)
    words = ["old", "ship", "sea", "the", "hill", "bay"]
    texts = [
        " ".join([*rng.choice(words, 3), "new york", *rng.choice(words, 3)]) for _ in range(99)
    ]
    encoder = fitted(Texts(texts), dimension=4, phrases=4.0, epochs=1)
    assert "new_york" in encoder.entities()[0]
    before = encoder.counts_[encoder.vocabulary_.index["new_york"]]
    encoder.partial_fit(Texts(["a new york morning"]))
    assert encoder.counts_[encoder.vocabulary_.index["new_york"]] == before + 1


# --- saved, small and odd ---


def test_save_and_load_keep_everything(tmp_path: Path) -> None:
    encoder = fitted(planted(sentences=100))
    encoder.save(tmp_path)
    back = load(tmp_path)
    assert isinstance(back, GloVe)
    assert back.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(back.vectors_, encoder.vectors_)
    np.testing.assert_array_equal(back.factors_.context_squares, encoder.factors_.context_squares)


def test_arrays_that_do_not_belong_together(tmp_path: Path) -> None:
    encoder = fitted(planted(sentences=50))
    arrays, values = encoder.state()
    wrong = {**arrays, "contexts": arrays["contexts"][1:]}
    encoder.state = lambda: (wrong, values)  # type: ignore[method-assign]
    encoder.save(tmp_path)
    with pytest.raises(CorruptError, match="shape"):
        load(tmp_path)


@pytest.mark.parametrize("dimension", [1, 14, 15, 17])
@pytest.mark.parametrize("text", ["one", "one one one", "one two", "one two three four " * 9])
def test_tiny_corpora_and_odd_dimensions(dimension: int, text: str) -> None:
    words = [f"w{i}" for i in range(dimension)]
    _, vectors = fitted(Texts([text, *words]), dimension=dimension, epochs=2).entities()
    assert np.isfinite(vectors).all()


def test_progress_counts_every_entry() -> None:
    seen: list[progress.Report] = []
    with progress.using(seen.append):
        encoder = fitted(planted(sentences=100), epochs=3)
    training = [report for report in seen if report.name == "training"]
    assert training[-1].done == training[-1].total == 3 * encoder.facts()["entries"]
    counting = [report for report in seen if report.name == "counting pairs"]
    assert counting[-1].done == counting[-1].total == 100 * 10


def test_facts() -> None:
    facts = fitted(planted(sentences=100), epochs=3).facts()
    assert facts["updates_per_second"] == pytest.approx(3 * facts["entries"] / facts["seconds"])
    assert facts["seconds_per_epoch"] == pytest.approx(facts["seconds"] / 3)
    assert facts["pairs"] == 100 * (5 + 5 + 5 + 5 + 4 + 3 + 2 + 1)
    assert len(facts["loss"]) == 3
    assert facts["loss"][2] < facts["loss"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"x_max": 0},
        {"alpha": -1},
        {"memory": 0},
        {"vectors": "both"},
        {"epochs": 0},
        {"threads": 0},
    ],
    ids=str,
)
def test_parameters_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        GloVe(**wrong)


def test_training_that_runs_away_is_told() -> None:
    with pytest.raises(InputError, match="Training ran away"):
        fitted(planted(sentences=50), learning_rate=1e30, threads=1)
