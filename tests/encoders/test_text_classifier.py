"""text_classifier beside torch and SciPy, on planted classes, killed half-way, and without torch."""

from __future__ import annotations

import csv
import gzip
import json
import sys

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax

from spaceport.encoders.base import load
from spaceport.encoders.text_classifier import TextClassifier
from spaceport.errors import CorruptError, InputError, MissingExtra, ParameterError
from spaceport.progress import using
from spaceport.sources.base import Source
from spaceport.sources.texts import Texts

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

QUICK = {"dimension": 8, "buckets": 2000, "epochs": 6, "batch_size": 16, "learning_rate": 0.03}


class Told(Source):
    modality = "texts"
    unique_ids = True
    label = "kind"

    def __init__(self, texts, kinds):
        self.texts = texts
        self.kinds = kinds

    def read(self):
        ids = [str(place) for place in range(len(self.texts))]
        yield pa.record_batch({"id": ids, "content": self.texts, "kind": pa.array(self.kinds)})

    def size(self):
        return 1


def subjects(count=240, seed=0):
    """Texts of three subjects, each with words of its own among common ones."""
    rng = np.random.default_rng(seed)
    own = {kind: [f"{kind}{i}" for i in range(10)] for kind in ("hill", "sea", "town")}
    kinds = [str(kind) for kind in rng.choice(list(own), count)]
    texts = [
        " ".join([*rng.choice(own[k], 4), *rng.choice(["the", "and", "of"], 4)]) for k in kinds
    ]
    return texts, kinds


def orders(count=600, seed=0):
    """Two classes with the same words: `good not` in one, `not good` in the other."""
    rng = np.random.default_rng(seed)
    kinds = [bool(kind) for kind in rng.integers(0, 2, count)]
    filler = [f"w{i}" for i in range(20)]
    texts = [
        " ".join(
            [*rng.choice(filler, 3), "not good" if kind else "good not", *rng.choice(filler, 3)]
        )
        for kind in kinds
    ]
    return texts, kinds


def accuracy(encoder, texts, kinds):
    return np.mean(
        [one == other for one, other in zip(encoder.predict(texts)[0], kinds, strict=True)]
    )


@pytest.fixture(scope="module")
def fitted():
    return TextClassifier(**QUICK).fit(Told(*subjects()))


def test_planted_subjects_are_told_apart(fitted):
    assert accuracy(fitted, *subjects(seed=1)) == 1


def test_only_ngrams_tell_the_order_of_words():
    learnt = {
        ngrams: TextClassifier(**QUICK, ngrams=ngrams).fit(Told(*orders())) for ngrams in (1, 2)
    }
    assert accuracy(learnt[2], *orders(seed=1)) > 0.97
    assert 0.4 < accuracy(learnt[1], *orders(seed=1)) < 0.6


def test_words_lie_near_words_of_their_class(fitted):
    words, vectors = fitted.entities()
    columns = fitted.entity_columns()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    own = [place for place, word in enumerate(words) if word[-1].isdigit()]
    assert len(own) == 30
    for place in own:
        kind = words[place].rstrip("0123456789")
        assert columns["class"][place] == kind
        near = [other for other in np.argsort(-unit[place] @ unit.T) if other in own][1:6]
        assert all(words[other].startswith(kind) for other in near)
    text = " ".join(subjects()[0]).split()
    assert columns["count"] == [text.count(word) for word in words]


def test_vectors_and_chances_are_those_of_the_network(fitted):
    """torch's EmbeddingBag, fed with the rows that a plain search finds, and SciPy's softmax."""
    text = "sea1 the hill2 sea1 unheard"
    words, _ = fitted.entities()
    rows = [words.index(word) for word in text.split()[:-1]]
    bag = torch.nn.functional.embedding_bag
    only_words = TextClassifier(**QUICK, ngrams=1).fit(Told(*subjects()))
    words, vectors = only_words.entities()
    rows = torch.tensor([[words.index(word) for word in text.split()[:-1]]])
    wanted = bag(rows, torch.tensor(vectors), mode="mean").numpy()
    np.testing.assert_allclose(only_words.encode([text]), wanted, rtol=1e-5, atol=1e-7)
    labels, chances = only_words.predict([text, ""])
    logits = np.vstack([wanted, 0 * wanted]) @ only_words.class_vectors_.T
    np.testing.assert_allclose(chances, softmax(logits, axis=1), rtol=1e-4)
    assert labels == [only_words.classes_[row] for row in logits.argmax(axis=1)]


def test_texts_without_a_known_word_are_zero(fitted):
    assert not fitted.encode(["", "unheard of words: the"])[0].any()
    assert fitted.encode(["the unheard"]).any()


def test_texts_without_a_class_are_left_out():
    texts, kinds = subjects()
    mixed = [*kinds[:-40], *[None] * 40]
    encoder = TextClassifier(**QUICK).fit(Told(texts, mixed))
    facts = encoder.facts()
    assert facts["unlabeled"] == 40
    assert facts["texts"] + facts["held_out_texts"] == 200
    assert None not in encoder.predict(texts)[0]


def test_the_curve_is_on_the_card(fitted):
    facts = fitted.facts()
    json.dumps(facts, allow_nan=False)
    losses = [epoch["held_out_loss"] for epoch in facts["curve"]]
    assert facts["best epoch"] == int(np.argmin(losses)) + 1
    assert losses[-1] < losses[0]
    assert facts["curve"][-1]["accuracy"] == 1


class Killed(Exception):  # noqa: N818 - what a signal would be
    pass


def kill_after(batches):
    def listen(report):
        if report.name == "training" and report.done >= batches:
            raise Killed

    return using(listen)


def test_what_was_killed_goes_on_as_if_it_had_not_been(tmp_path):
    source = Told(*subjects())
    whole = TextClassifier(**QUICK).fit(source)
    broken = TextClassifier(**QUICK)
    broken.checkpoints = tmp_path
    steps = -(-whole.facts()["texts"] // 16)
    with pytest.raises(Killed), kill_after(3 * steps + 1):
        broken.fit(source)
    trained = []
    again = TextClassifier(**QUICK)
    again.checkpoints = tmp_path
    with using(lambda report: trained.append(report.done) if report.name == "training" else None):
        again.fit(source)
    assert trained[1] == 3 * steps
    assert again.fingerprint == whole.fingerprint


def test_a_checkpoint_of_other_labels_is_not_used(tmp_path):
    texts, kinds = subjects()
    turned = [{"sea": "hill", "hill": "sea"}.get(kind, kind) for kind in kinds]
    for told in (kinds, turned):
        encoder = TextClassifier(**QUICK)
        encoder.checkpoints = tmp_path
        encoder.fit(Told(texts, told))
    assert accuracy(encoder, texts, turned) == 1


def test_what_was_learnt_encodes_without_torch(fitted, tmp_path, monkeypatch):
    fitted.save(tmp_path)
    texts, _ = subjects(seed=1)
    wanted = fitted.encode(texts)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("spaceport.encoders._averaging", "spaceport.networks.training"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    np.testing.assert_array_equal(load(tmp_path).encode(texts), wanted)
    with pytest.raises(MissingExtra, match=r"pip install 'spaceport\[torch\]'"):
        TextClassifier(**QUICK).fit(Told(*subjects()))


@pytest.mark.parametrize("name", ["table.weight", "classes.weight", "counts", "buckets"])
def test_arrays_that_do_not_belong_together_are_refused(fitted, tmp_path, name):
    from safetensors.numpy import load_file, save_file

    fitted.save(tmp_path)
    arrays = load_file(tmp_path / "encoder.safetensors")
    arrays[name] = arrays[name][:-1].copy()
    save_file(arrays, tmp_path / "encoder.safetensors")
    with pytest.raises(CorruptError, match="shapes"):
        load(tmp_path)


def test_buckets_that_there_are_not_are_refused(fitted, tmp_path):
    arrays, values = fitted.state()
    arrays["buckets"] = arrays["buckets"][::-1].copy()
    with pytest.raises(ValueError, match="shapes"):
        TextClassifier(**QUICK).restore(arrays, values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dimension": 0},
        {"ngrams": 0},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"validation": 0.0},
        {"validation": 1.0},
        {"learning_rate": 0.0},
        {"patience": 0},
        {"buckets": 2**31},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        TextClassifier(**wrong)


def test_a_source_without_a_label_is_refused():
    source = Told(*subjects())
    source.label = None
    with pytest.raises(InputError, match="does not say which class"):
        TextClassifier(**QUICK).fit(source)


@pytest.mark.slow
def test_ag_news(data):
    """Three epochs over 10,001 texts tell 86 % of the 7,600 test texts; chance tells 25 %."""
    folder = data / "ag-news"
    names = ["text", "label"]
    source = Texts(folder / "train-sample-10k.tsv.gz", "text", label="label", names=names, quote="")
    encoder = TextClassifier(dimension=20, epochs=3, learning_rate=0.02, dropout=0.3).fit(source)
    with gzip.open(folder / "test.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    topics = ["World", "Sports", "Business", "Sci/Tech"]
    texts = [f"{title} {text}" for _, title, text in rows]
    assert accuracy(encoder, texts, [topics[int(kind) - 1] for kind, *_ in rows]) > 0.86
