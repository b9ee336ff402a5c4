"""Two languages in one space: planted translations found, by each objective, and what is refused."""

from __future__ import annotations

import importlib.util
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from encoders.samples import SAMPLES
from spaceport.encoders._parallel import held_out, log_entropy
from spaceport.encoders._two_languages import counted, sides
from spaceport.encoders.base import load
from spaceport.encoders.bilingual import Bilingual
from spaceport.errors import InputError, MissingExtra, ParameterError
from spaceport.geometry.base import nearest
from spaceport.sources.base import Source
from spaceport.testing.encoders import CHECKS
from spaceport.tokens import Tokenizer

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra `torch`"
)
LEARNERS = ["svd", pytest.param("contrastive", marks=needs_torch)]
WORDS = [f"w{i}" for i in range(40)]


class Planted(Source):
    """Sentences of six words, and their translations in another order: w7 is 7x."""

    modality = "pairs"
    unique_ids = True

    def __init__(self, shuffled=False, count=600):
        rng = np.random.default_rng(0)
        self.rows = [rng.choice(40, 6, replace=False) for _ in range(count)]
        self.others = [rng.permutation(row) for row in self.rows]
        if shuffled:
            rng.shuffle(self.others)

    def pairs(self):
        return [
            {"en": " ".join(f"W{i}" for i in row), "xx": " ".join(f"{i}x" for i in other)}
            for row, other in zip(self.rows, self.others, strict=True)
        ]

    def read(self):
        ids = [str(i) for i in range(len(self.rows))]
        kind = pa.struct([("en", pa.string()), ("xx", pa.string())])
        yield pa.record_batch({"id": ids, "content": pa.array(self.pairs(), kind)})

    def size(self):
        return 1000


def small(objective, **given):
    settings = {"dimension": 16, "epochs": 6, "batch_size": 64, "learning_rate": 0.02}
    return Bilingual(objective=objective, **{**settings, **given})


def right_words(encoder):
    """The share of English words whose nearest word of the other language is theirs."""
    left, right = encoder.words_
    vectors = encoder.vectors_
    found = nearest(vectors[len(left) :], vectors[: len(left)], 1)[0][:, 0]
    return np.mean([right[j] == f"{word[1:]}x" for word, j in zip(left, found, strict=True)])


@pytest.mark.parametrize("objective", LEARNERS)
def test_planted_words_lie_by_their_translations(objective):
    encoder = small(objective, dimension=32).fit(Planted())
    assert right_words(encoder) > 0.95


@pytest.mark.parametrize("objective", LEARNERS)
def test_saboteur_shuffled_pairs_teach_nothing(objective):
    assert right_words(small(objective, dimension=32).fit(Planted(shuffled=True))) < 0.2


@pytest.mark.parametrize("objective", LEARNERS)
def test_new_sentences_find_their_translations(objective):
    encoder, new = small(objective, dimension=32).fit(Planted()), Planted(count=700).pairs()[600:]
    left = encoder.encode([{"en": pair["en"]} for pair in new])
    right = encoder.encode([f"xx: {pair['xx']}" for pair in new])
    assert (nearest(right, left, 1)[0][:, 0] == np.arange(100)).mean() > 0.9


@needs_torch
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_contrastive_objective_conforms(check):
    given = {"dimension": 8, "epochs": 2, "batch_size": 16}
    check(partial(Bilingual, **given), SAMPLES["pairs"]())


@needs_torch
def test_the_loss_is_the_papers():
    import torch

    from spaceport.encoders._dual_encoder import DualTraining, Loss, dual_encoder

    corpus = counted(Planted(count=5), Tokenizer())
    count = len(corpus.left.words) + len(corpus.right.words)
    weights = np.linspace(0.5, 1.5, count).astype(np.float32)
    network = dual_encoder(count, 7, 0)
    training = DualTraining(network, corpus, corpus, weights, Loss(9.0, 0.3, 0.0), 5)
    z = network.weight.detach().numpy() * weights[:, None]
    x, y = (
        corpus.left.counts @ z[: len(corpus.left.words)],
        corpus.right.counts @ z[len(corpus.left.words) :],
    )
    x, y = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    terms = []
    for a, b in ((x, y), (y, x)):
        for i in range(5):
            own = np.exp(9 * (a[i] @ b[i] - 0.3))
            terms.append(
                -np.log(own / (own + sum(np.exp(9 * a[i] @ b[j]) for j in range(5) if j != i)))
            )
    with torch.no_grad():
        assert float(training.loss(corpus)) == pytest.approx(np.mean(terms), abs=1e-5)


@needs_torch
def test_the_same_sentence_is_no_wrong_answer():
    import torch

    from spaceport.encoders._dual_encoder import DualTraining, Loss, dual_encoder

    corpus = counted(Planted(count=2), Tokenizer())
    twice = corpus.rows(np.array([0, 0]))
    count = len(corpus.left.words) + len(corpus.right.words)
    training = DualTraining(
        dual_encoder(count, 7, 0), twice, twice, np.ones(count, "f4"), Loss(9.0, 0.3, 0.0), 5
    )
    with torch.no_grad():
        assert float(training.loss(twice)) == pytest.approx(0, abs=1e-6)


def test_without_torch_learning_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "spaceport.encoders._dual_encoder", raising=False)
    monkeypatch.delitem(sys.modules, "spaceport.networks.training", raising=False)
    with pytest.raises(MissingExtra, match=r"spaceport\[torch\]"):
        small("contrastive").fit(Planted())


def test_log_entropy_by_its_formula():
    from scipy.sparse import csr_array

    counts = np.array([[2, 0, 1], [1, 3, 1], [0, 0, 1]], np.float32)
    p = counts / counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = 1 + np.nansum(p * np.log(p), axis=0) / np.log(3)
    wanted = np.log1p(counts) * weights
    wanted[:2] /= np.linalg.norm(wanted[:2], axis=1, keepdims=True)
    wanted[2] = 0  # its only word stands evenly in all texts
    np.testing.assert_allclose(log_entropy(csr_array(counts)).toarray(), wanted, atol=1e-6)


def test_a_held_out_text_is_nowhere_in_training():
    rows = Planted()
    rows.rows, rows.others = rows.rows[:50] * 4, rows.others[:200]
    corpus = counted(rows, Tokenizer())
    kept, out = held_out(corpus, 0.2, 3)
    assert len(out) == 40
    assert len(kept) + len(out) == 200
    assert not set(corpus.left.texts[kept]) & set(corpus.left.texts[out])


def test_a_text_is_the_weighted_sum_of_its_words():
    encoder = small("svd").fit(Planted())
    index = {word: row for row, word in enumerate(encoder.words_[0])}
    rows = [index["w3"], index["w3"], index["w8"]]
    wanted = (encoder.weights_[rows, None] * encoder.vectors_[rows]).sum(axis=0)
    found = encoder.encode(["en: w3 nothing W8 w3"])[0]
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-5)
    both = encoder.encode([{"en": "w3", "xx": "3x"}, {"en": "w3"}, {"xx": "3x"}])
    mean = both[1] + both[2]
    np.testing.assert_allclose(both[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_weights_follow_the_words_shares():
    encoder = small("svd", sif=0.05).fit(Planted())
    n = len(encoder.words_[0])
    share = encoder.counts_[:n] / encoder.counts_[:n].sum()
    np.testing.assert_allclose(encoder.weights_[:n], 0.05 / (0.05 + share), rtol=1e-5)


def test_entities_name_their_language():
    encoder = small("svd").fit(Planted())
    ids, vectors = encoder.entities()
    columns = encoder.entity_columns()
    assert ids == [f"{a}:{b}" for a, b in zip(columns["language"], columns["word"], strict=True)]
    assert {"en:w0", "xx:39x"} < set(ids)
    assert sum(columns["count"]) == 2 * 6 * 600
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def rotated(noise=0.1, width=20):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    Y = 3 * X @ np.linalg.qr(rng.normal(size=(width, width)))[0][:20] + 1
    order = rng.permutation(300)
    Y = Y + noise * rng.normal(size=Y.shape)
    return [f"w{i}" for i in range(300)], X, [f"{i}x" for i in order], Y[order]


class Seeds(Source):
    modality = "pairs"
    unique_ids = True

    def __init__(self, pairs):
        self.pairs = pairs

    def read(self):
        kind = pa.struct([("en", pa.string()), ("xx", pa.string())])
        rows = [dict(zip(("en", "xx"), pair, strict=True)) for pair in self.pairs]
        yield pa.record_batch(
            {"id": [str(i) for i in range(len(rows))], "content": pa.array(rows, kind)}
        )

    def size(self):
        return 10


TRUE = [(f"w{i}", f"{i}x") for i in range(40)]


@pytest.mark.parametrize("width", [20, 28])
def test_a_rotated_and_noised_space_is_found_again(width):
    encoder = Bilingual(width, objective="rotation").between(*rotated(width=width))
    assert right_words(encoder.fit(Seeds([*TRUE, ("unknown", "7x")]))) > 0.98
    facts = encoder.facts()
    assert (facts["seeds"], facts["seeds known"]) == (41, 40)
    assert facts["residual"] < 0.1


def test_saboteur_a_shuffled_dictionary_gives_chance():
    order = np.random.default_rng(1).permutation(40)
    wrong = Seeds([(f"w{i}", f"{j}x") for i, j in enumerate(order)])
    encoder = Bilingual(20, objective="rotation", refinements=0).between(*rotated())
    assert right_words(encoder.fit(wrong)) < 0.03


def test_refinement_helps_where_seeds_are_few():
    few, shares = Seeds(TRUE[:14]), []
    for refinements in (0, 5):
        encoder = Bilingual(20, objective="rotation", refinements=refinements)
        shares.append(right_words(encoder.between(*rotated(noise=0.5)).fit(few)))
    assert shares[1] > shares[0] + 0.1


def test_a_rotation_comes_back_without_the_two_spaces(tmp_path):
    encoder = Bilingual(20, objective="rotation").between(*rotated()).fit(Seeds(TRUE))
    encoder.save(tmp_path)
    again = load(tmp_path)
    asked = ["en: w9 w250", {"xx": "250x"}]
    np.testing.assert_array_equal(again.encode(asked), encoder.encode(asked))
    assert again.entity_columns() == encoder.entity_columns()
    assert "count" not in again.entity_columns()


def test_texts_say_their_language():
    assert sides([{"xx": "b"}, "en: a: b"], ("en", "xx")) == [[None, "a: b"], ["b", None]]
    for item in ("a text", "fr: un", {"fr": "un"}, 7):
        with pytest.raises(InputError, match="must be in en or xx"):
            sides([item], ("en", "xx"))


def test_refusals():
    with pytest.raises(ParameterError, match="no objective `sdv`"):
        Bilingual(objective="sdv")
    with pytest.raises(ParameterError, match="`dropout` must be below 1"):
        Bilingual(dropout=1.0)
    with pytest.raises(InputError, match="`dimension` is 100"):
        Bilingual(100, objective="svd").fit(Planted())
    with pytest.raises(InputError, match="none were given"):
        Bilingual(20, objective="rotation").fit(Seeds(TRUE))
    with pytest.raises(InputError, match="right language's vectors have 20"):
        Bilingual(21, objective="rotation").between(*rotated()).fit(Seeds(TRUE))
    with pytest.raises(InputError, match="None of the 1 pairs"):
        Bilingual(20, objective="rotation").between(*rotated()).fit(Seeds([("a", "b")]))
