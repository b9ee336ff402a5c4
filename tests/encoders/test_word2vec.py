"""word2vec: each part against its formula, the whole against a planted answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.stats import binomtest, chisquare

from spaceport import progress
from spaceport.encoders import _training
from spaceport.encoders._training import (
    Settings,
    negative_tables,
    rate_at,
    rounds,
    train_words,
)
from spaceport.encoders.kernels import walk
from spaceport.encoders.kernels.lanes import LANES, aligned
from spaceport.encoders.kernels.sampling import alias_table, keep_thresholds, pick
from spaceport.encoders.kernels.sgns import TILE, step, step_mean
from spaceport.encoders.word2vec import Word2Vec
from spaceport.sources.base import Source
from spaceport.vocabulary import read

Floats = npt.NDArray[Any]
VOCABULARY, DIMENSION, STRIDE = 9, 17, 32


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Iterator[pa.RecordBatch]:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


# --- one step, against finite differences of the loss ---


@numba.njit(error_model="numpy")
def _skipgram(X, Y, inputs, k, outputs, tiles, stride, scores, rate):
    step(X, Y, inputs, k, outputs, tiles, stride, scores, rate)


@numba.njit(error_model="numpy")
def _cbow(X, Y, inputs, k, outputs, tiles, stride, scores, rate):
    mean = np.zeros(2 * stride, dtype=np.float32)
    one = np.zeros(2, dtype=np.int64)
    step_mean(X, Y, inputs, k, outputs, tiles, stride, scores, rate, mean, one)


def one_step(
    run: Any,
    X: Floats,
    Y: Floats,
    contexts: list[int],
    middle: int,
    negatives: list[int],
    rate: float,
) -> tuple[Floats, Floats]:
    """The two matrices after one step of the kernel."""
    tiles = -(-(len(negatives) + 1) // TILE)
    rows = [middle, *negatives] + [middle] * (TILE * tiles - len(negatives) - 1)
    flat = []
    for matrix in (X, Y):
        padded = aligned(VOCABULARY * STRIDE).reshape(VOCABULARY, STRIDE)
        padded[:, :DIMENSION] = matrix
        flat.append(padded.reshape(-1))
    inputs = np.array([*contexts, 0], dtype=np.int64) * STRIDE
    scores = np.zeros(TILE * tiles * (len(contexts) + 1) + LANES, dtype=np.float32)
    outputs = np.array(rows, dtype=np.int64) * STRIDE
    run(*flat, inputs, len(contexts), outputs, tiles, STRIDE, scores, np.float32(rate))
    after = [matrix.reshape(VOCABULARY, STRIDE) for matrix in flat]
    assert not any(matrix[:, DIMENSION:].any() for matrix in after)
    return after[0][:, :DIMENSION], after[1][:, :DIMENSION]


def loss(x: Floats, Y: Floats, middle: int, negatives: list[int]) -> float:
    """Negative-sampling loss of one input, in float64."""
    terms = [np.logaddexp(0, -x @ Y[middle])]
    terms += [np.logaddexp(0, x @ Y[other]) for other in negatives if other != middle]
    return float(np.sum(terms))


def differences(function: Any, at: Floats, h: float = 1e-5) -> Floats:
    """Central differences of a scalar function of a matrix."""
    gradient = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        high, low = at.copy(), at.copy()
        high[place] += h
        low[place] -= h
        gradient[place] = (function(high) - function(low)) / (2 * h)
    return gradient


STEPS = [
    ([1, 2, 3, 4], 0, [5, 6, 7, 8, 3]),
    ([1, 2, 3], 0, [5, 6]),
    ([4], 1, [2]),
    ([1, 2], 0, [5, 0, 5, 6, 0]),  # the middle word itself, and a word drawn twice
    ([1, 2, 3], 0, [5, 6, 7, 8, 3, 5, 6, 2]),
]


def matrices() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(5)
    X, Y = rng.normal(0, 0.4, (2, VOCABULARY, DIMENSION)).astype(np.float32).astype(np.float64)
    return X, Y


@pytest.mark.parametrize(("contexts", "middle", "negatives"), STEPS)
def test_skipgram_steps_down_the_gradient(
    contexts: list[int], middle: int, negatives: list[int]
) -> None:
    X, Y = matrices()
    rate = 1e-3
    found_X, found_Y = one_step(_skipgram, X, Y, contexts, middle, negatives, rate)

    def whole(X: Floats, Y: Floats) -> float:
        return sum(loss(X[context], Y, middle, negatives) for context in contexts)

    expected_X = X - rate * differences(lambda moved: whole(moved, Y), X)
    expected_Y = Y - rate * differences(lambda moved: whole(X, moved), Y)
    np.testing.assert_allclose(found_X, expected_X, atol=3e-6)
    np.testing.assert_allclose(found_Y, expected_Y, atol=3e-6)
    assert np.abs(expected_X - X).max() > 1e-4  # the step is far above the tolerance
    uphill, _ = one_step(_skipgram, X, Y, contexts, middle, negatives, -rate)
    assert np.abs(uphill - expected_X).max() > 2e-4  # the saboteur: the other sign


@pytest.mark.parametrize(("contexts", "middle", "negatives"), STEPS)
def test_cbow_steps_down_the_gradient_of_the_mean(
    contexts: list[int], middle: int, negatives: list[int]
) -> None:
    X, Y = matrices()
    rate = 1e-3
    found_X, found_Y = one_step(_cbow, X, Y, contexts, middle, negatives, rate)
    mean = X[contexts].mean(axis=0)
    move = differences(lambda moved: loss(moved[0], Y, middle, negatives), mean[None, :])
    expected_X = X.copy()
    expected_X[contexts] -= rate * move
    expected_Y = Y - rate * differences(lambda moved: loss(mean, moved, middle, negatives), Y)
    np.testing.assert_allclose(found_X, expected_X, atol=3e-6)
    np.testing.assert_allclose(found_Y, expected_Y, atol=3e-6)


def test_large_scores_saturate_and_stay_finite() -> None:
    X, Y = matrices()
    found = one_step(_skipgram, 300 * X, 300 * Y, [1, 2, 3], 0, [5, 6, 7, 8, 4], 0.025)
    assert all(np.isfinite(matrix).all() for matrix in found)


# --- random choices, as statistics ---


@numba.njit
def _picks(seed, draws, accept, other):
    found = np.zeros(len(accept), dtype=np.int64)
    for draw in range(draws):
        found[pick(np.uint64(seed) + np.uint64(draw), accept, other)] += 1
    return found


def test_negatives_follow_counts_to_the_three_quarters() -> None:
    counts = np.array([5000, 1000, 400, 90, 60, 30, 9, 5, 5])
    seeds = np.random.default_rng(3).integers(2**62, size=50)

    def p_values(table: tuple[Floats, Floats]) -> Floats:
        share = counts**0.75 / (counts**0.75).sum()
        return np.array(
            [chisquare(_picks(s, 20_000, *table), share * 20_000).pvalue for s in seeds]
        )

    rejected = (p_values(negative_tables(counts, 1)[0]) < 0.05).sum()
    assert binomtest(int(rejected), 50, 0.05, alternative="greater").pvalue > 1e-3
    assert (p_values(alias_table(counts.astype(float))) < 1e-6).all()  # the saboteur: raw counts


def test_each_block_draws_only_its_own_words() -> None:
    sizes = [len(accept) for accept, _ in negative_tables(np.arange(1, 8), 2)]
    assert sizes == [4, 3]


def test_the_learning_rate_falls_linearly_and_stays_above_zero() -> None:
    assert [rate_at(share, 0.4) for share in (0, 0.25, 0.5)] == pytest.approx([0.4, 0.3, 0.2])
    assert rate_at(1, 0.4) == pytest.approx(4e-5)


@numba.njit
def _kept(words, keep, seed, final):
    sentence = np.empty(walk.LONGEST, dtype=np.int64)
    found = np.zeros(len(final), dtype=np.int64)
    start = 0
    while start < len(words):
        start, m = walk._gather(words, start, final, keep, np.uint64(seed), sentence)
        for place in range(m):
            found[sentence[place]] += 1
    return found


@pytest.mark.parametrize("sample", [1e-2, 1e-3, 0.0])
def test_frequent_words_are_kept_by_the_rule(sample: float) -> None:
    counts = np.array([70_000, 20_000, 8_000, 1_500, 400, 100])
    words = np.repeat(np.arange(6, dtype=np.int32), counts)
    np.random.default_rng(0).shuffle(words)
    found = _kept(words, keep_thresholds(counts, sample), 11, np.arange(6, dtype=np.int32))
    for count, kept in zip(counts.tolist(), found.tolist(), strict=True):
        share = count / counts.sum()
        chance = min(1.0, (np.sqrt(share / sample) + 1) * sample / share) if sample else 1.0
        assert binomtest(kept, count, chance).pvalue > 1e-4


def walked(
    tokens: list[int],
    words: int,
    window: int,
    seed: int,
    strata: int,
    block_in: int,
    block_out: int,
) -> tuple[Floats, Floats]:
    """Which input and which output rows one walk over `tokens` moved; all rows are ones at first."""
    X, Y = aligned(words * LANES), aligned(words * LANES)
    X[:] = Y[:] = 1
    table = alias_table(np.ones(len(range(block_out, words, strata))))
    final = np.arange(words, dtype=np.int32)
    walk.train(
        np.array(tokens, dtype=np.int32), final, X, Y, LANES, np.empty(0, np.uint32), *table,
        window, 2, False, np.uint64(seed), np.float32(0.1), np.float32(0.1), strata, block_in, block_out,
    )  # fmt: skip
    return ((X != 1).reshape(words, LANES).any(axis=1), (Y != 1).reshape(words, LANES).any(axis=1))


def test_windows_reach_as_far_as_the_rule_says() -> None:
    """With as many strata as words, one visit trains one pair of words, or leaves all as it is."""
    words, window, middle, seeds = 16, 4, 5, range(300)
    for context in range(words):
        if context == middle:
            continue
        moved = sum(
            walked(list(range(words)), words, window, seed * 977, words, context, middle)[1][middle]
            for seed in seeds
        )
        distance = abs(context - middle)
        chance = max(0, window - distance + 1) / window
        assert binomtest(int(moved), len(seeds), chance).pvalue > 1e-4, distance


def test_windows_end_with_the_sentence() -> None:
    moved, _ = walked(
        [0, 1, -1, 2, -1, 3], words=4, window=3, seed=1, strata=1, block_in=0, block_out=0
    )
    assert moved.tolist() == [True, True, False, False]


def test_a_visit_touches_only_its_own_blocks() -> None:
    tokens = np.random.default_rng(0).integers(0, 20, 500).tolist()
    inputs, outputs = walked(tokens, 20, 5, 3, strata=2, block_in=0, block_out=1)
    assert inputs.tolist() == [True, False] * 10
    assert outputs.tolist() == [False, True] * 10


@pytest.mark.parametrize("strata", [1, 2, 4])
def test_the_plan_covers_all_pairs_once_and_shares_no_row(strata: int) -> None:
    length = 2 * _training.CHUNK + 1
    plan = list(rounds(length, 2, strata))
    visits = [visit for together in plan for visit in together]
    assert len(set(visits)) == len(visits) == 2 * 3 * strata**2
    if strata > 1:
        for together in plan:
            assert len({visit.input_block for visit in together}) == len(together)
            assert len({visit.output_block for visit in together}) == len(together)


# --- the whole, against a planted answer ---

TOPICS = [[f"a{i}" for i in range(12)], [f"b{i}" for i in range(12)]]


def planted(seed: int = 0, sentences: int = 1500) -> Texts:
    """Sentences that take their words from one of two topics each, and fillers from none."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(sentences):
        topic = TOPICS[rng.integers(2)]
        texts.append(" ".join([*rng.choice(topic, 6), *rng.choice(["the", "of"], 2)]))
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


SETTINGS: dict[str, Any] = {"dimension": 16, "minimum_count": 1, "epochs": 5, "window": 3}
RATES = {"skipgram": 0.05, "cbow": 0.1}


def fitted(source: Source, **params: Any) -> Word2Vec:
    rate = RATES[params.get("architecture", "skipgram")]
    return Word2Vec(**{**SETTINGS, "sample": 0.1, "learning_rate": rate, **params}).fit(source)


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("mode", [{"threads": 1}, {"threads": 2}, {"reproducible": True}], ids=str)
def test_words_of_a_topic_come_out_as_neighbors(architecture: str, mode: dict[str, Any]) -> None:
    words, vectors = fitted(planted(), architecture=architecture, **mode).entities()
    assert purity(words, vectors) == 1


def test_the_planted_answer_catches_a_frozen_matrix() -> None:
    told = Settings(16, 3, 5, 0.1, 5, 0.0, False, threads=1, strata=1, seed=1)
    with read(planted(), str.split) as corpus:
        vocabulary, rows = corpus.cut()
        vectors = train_words(corpus, vocabulary.counts, rows, told)
    assert purity(vocabulary.words, vectors) < 0.5


def test_the_planted_answer_catches_contexts_that_are_not_neighbors() -> None:
    source = planted()
    words = np.random.default_rng(1).permutation(" ".join(source.texts).split())
    texts = [" ".join(words[start : start + 8]) for start in range(0, len(words), 8)]
    words, vectors = fitted(Texts(texts), threads=1).entities()
    assert purity(words, vectors) < 0.5


def test_the_planted_answer_catches_shuffled_words() -> None:
    words, vectors = fitted(planted(), threads=1).entities()
    assert purity(np.random.default_rng(1).permutation(words).tolist(), vectors) < 0.5


# --- the same bytes ---


def test_reproducible_gives_the_same_bytes_from_any_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_training, "CHUNK", 700)
    source = planted(sentences=800)
    for architecture in ("skipgram", "cbow"):
        runs = [
            fitted(source, reproducible=True, threads=threads, architecture=architecture)
            for threads in (1, 2, 1, 2, 5, None)
        ]
        assert len({run.entities()[1].tobytes() for run in runs}) == 1
        assert len({run.fingerprint for run in runs}) == 1
        assert runs[0].entities()[1].tobytes() != fitted(source, threads=1).entities()[1].tobytes()


def test_one_thread_gives_the_same_bytes_and_another_seed_does_not() -> None:
    source = planted(sentences=200)
    first, second, other = (fitted(source, threads=1, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == second.fingerprint != other.fingerprint
    assert first.entities()[1].tobytes() == second.entities()[1].tobytes()
    assert first.entities()[1].tobytes() != other.entities()[1].tobytes()


def test_threads_are_in_the_fingerprint_where_they_may_matter() -> None:
    assert Word2Vec(threads=1).fingerprint != Word2Vec(threads=2).fingerprint
    assert (
        Word2Vec(threads=1, reproducible=True).fingerprint
        == Word2Vec(threads=2, reproducible=True).fingerprint
    )


# --- small and odd ---


@pytest.mark.parametrize("dimension", [1, 3, 17])
@pytest.mark.parametrize("negatives", [1, 5, 7])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_odd_sizes_give_finite_vectors_that_moved(
    dimension: int, negatives: int, architecture: str
) -> None:
    params = {"dimension": dimension, "negatives": negatives, "architecture": architecture}
    _, vectors = fitted(planted(sentences=50), **params, threads=2).entities()
    assert vectors.shape == (26, dimension)
    assert np.isfinite(vectors).all()
    assert np.abs(vectors).max() > 0.51 / dimension  # the start is within half


@pytest.mark.parametrize("reproducible", [False, True])
@pytest.mark.parametrize("text", ["one", "one two", "one one one", "one two three four"])
def test_tiny_corpora(text: str, reproducible: bool) -> None:
    encoder = fitted(Texts([text]), dimension=1, reproducible=reproducible)
    words, vectors = encoder.entities()
    assert sorted(words) == sorted(set(text.split()))
    assert np.isfinite(vectors).all()


def test_a_text_longer_than_a_sentence_may_be() -> None:
    _, vectors = fitted(Texts([" ".join(f"w{i % 50}" for i in range(25_000))]), epochs=1).entities()
    assert np.isfinite(vectors).all()


def test_progress_counts_every_token() -> None:
    seen: list[progress.Report] = []
    with progress.using(seen.append):
        fitted(planted(sentences=100), reproducible=True, threads=2)
    training = [report for report in seen if report.name == "training"]
    assert training[-1].done == training[-1].total == 100 * 9 * 5 * 4
