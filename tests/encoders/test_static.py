"""static beside its formulas in plain numpy, over transformers' own forward pass."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders.base import load
from spaceport.encoders.static import Static
from spaceport.errors import CorruptError, InputError, MissingExtra, NotFoundError, ParameterError
from spaceport.sources.base import Source

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
tokenizers = pytest.importorskip("tokenizers", reason="needs the extra `static`")

from encoders.small_transformer import saved  # noqa: E402 - after the skips

TEXTS = [
    "Sea and hill",
    "the sea12, the town!",
    "naïve new Town",
    "seas",
    "雪 the 7 hills of the café",
]
TEXTS += [f"the {word} and sea{number}" for number, word in enumerate(["hill", "town", "x"] * 8)]
LEFT = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}


class Told(Source):
    modality = "texts"
    unique_ids = True

    def __init__(self, texts):
        self.texts = texts

    def read(self):
        for start in (0, 3):
            part = self.texts[:3] if start == 0 else self.texts[3:]
            if part:
                ids = [str(start + place) for place in range(len(part))]
                yield pa.record_batch({"id": ids, "content": pa.array(part, pa.string())})

    def size(self):
        return 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def fast(folder):
    made = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    made.no_truncation()
    return made


@pytest.fixture(scope="module")
def alone(folder, fast):
    """transformers' hidden state of each token between [CLS] and [SEP], one at a time."""
    from transformers import AutoModel

    network = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        return np.concatenate(
            [
                network(torch.tensor([[2, token, 3]])).last_hidden_state[:, 1].numpy()
                for token in range(fast.get_vocab_size())
            ]
        ).astype(np.float64)


def ids(fast, text):
    encoding = fast.encode(text, add_special_tokens=False)
    return [i for i, token in zip(encoding.ids, encoding.tokens, strict=True) if token not in LEFT]


def wanted(alone, fast, dimension, weighting, sif, remove, texts):
    """The five lines of the class's formula."""
    count = len(alone)
    kept = [i for i in range(count) if fast.id_to_token(i) not in LEFT]
    centered = alone[kept] - alone[kept].mean(axis=0)
    V = np.linalg.svd(centered, full_matrices=False)[2][:dimension].T
    y = np.zeros((count, dimension))
    y[kept] = centered @ V
    times = np.bincount([i for text in TEXTS for i in ids(fast, text)], minlength=count)
    share = {
        "sif": times / times.sum(),
        "zipf": 1 / np.arange(1, count + 1) / (1 / np.arange(1, count + 1)).sum(),
        "mean": np.zeros(count),
    }[weighting]
    z = y * (sif / (sif + share))[:, None]
    means = np.stack([z[ids(fast, text)].mean(axis=0) for text in TEXTS])
    U = np.linalg.svd(means, full_matrices=False)[2][:remove].T
    z -= z @ U @ U.T
    return np.stack([z[ids(fast, text)].mean(axis=0) for text in texts])


@pytest.mark.parametrize(
    ("weighting", "sif", "remove"),
    [("sif", 1e-2, 1), ("sif", 1e-3, 0), ("sif", 1e-3, 3), ("zipf", 1e-2, 1), ("mean", 1e-3, 2)],
)
def test_vectors_are_those_of_the_formula(folder, fast, alone, weighting, sif, remove):
    params = {"weighting": weighting, "sif": sif, "remove": remove}
    encoder = Static(folder, dimension=7, **params).fit(Told(TEXTS))
    texts = [*TEXTS, "town town sea hill", "Café!"]
    found = encoder.encode(texts).astype(np.float64)
    plain = wanted(alone, fast, 7, texts=texts, **params)
    np.testing.assert_allclose(found @ found.T, plain @ plain.T, rtol=1e-3, atol=1e-5)


def test_texts_without_a_known_token_are_zero(folder):
    encoder = Static(folder, dimension=4).fit(Told(TEXTS))
    assert not encoder.encode(["", " ", "\U0001f680", "[CLS] [SEP]", "x" * 200]).any()
    assert encoder.encode(["sea"]).any()


def test_a_text_is_the_mean_of_its_parts(folder):
    encoder = Static(folder, dimension=4).fit(Told(TEXTS))
    sea, town, both = encoder.encode(["sea", "town", "sea town"])
    np.testing.assert_allclose(both, (sea + town) / 2, rtol=1e-5, atol=1e-6)


def test_a_long_text_is_read_to_its_end(folder):
    """The model's tokenizer cuts at 16 tokens; the table has no reason to."""
    encoder = Static(folder, dimension=4).fit(Told(TEXTS))
    long = " ".join(["sea"] * 40 + ["town"] * 60)
    sea, town, all_of_it = encoder.encode(["sea", "town", long])
    np.testing.assert_allclose(all_of_it, 0.4 * sea + 0.6 * town, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_bytes_depend_on_neither_threads_nor_batches(folder, threads):
    encoder = Static(folder, dimension=4).fit(Told(TEXTS))
    texts = [f"sea{number % 97} hill and town {number % 89}" for number in range(9000)]
    alone = np.concatenate([encoder.encode([text]) for text in texts[:100]])
    encoder.threads = threads
    many = encoder.encode(texts, batch_size=len(texts))
    np.testing.assert_array_equal(many[:100], alone)
    np.testing.assert_array_equal(encoder.encode(texts, batch_size=7), many)


def test_what_was_learnt_encodes_without_torch(folder, tmp_path, monkeypatch):
    encoder = Static(folder, dimension=4).fit(Told(TEXTS))
    vectors = encoder.encode(TEXTS)
    encoder.save(tmp_path)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("torch", "transformers")]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("distillation", "models", "network"):
        monkeypatch.delitem(sys.modules, f"spaceport.networks.{name}", raising=False)
    np.testing.assert_array_equal(load(tmp_path).encode(TEXTS), vectors)
    with pytest.raises(MissingExtra, match=r"pip install 'spaceport\[torch\]'"):
        Static(folder, dimension=4).fit(Told(TEXTS))


def test_the_models_place_is_not_its_identity(folder, tmp_path):
    one = Static(folder, dimension=4).fit(Told(TEXTS))
    again = Static(saved(tmp_path / "elsewhere"), dimension=4).fit(Told(TEXTS))
    other = Static(saved(tmp_path / "other", seed=1), dimension=4).fit(Told(TEXTS))
    cased = Static(saved(tmp_path / "cased", lowercase=False), dimension=4).fit(Told(TEXTS))
    assert one.fingerprint == again.fingerprint
    assert len({one.fingerprint, other.fingerprint, cased.fingerprint}) == 3


def test_a_table_of_another_tokenizer_is_refused(folder, tmp_path):
    from safetensors.numpy import load_file, save_file

    Static(folder, dimension=4).fit(Told(TEXTS)).save(tmp_path)
    arrays = load_file(tmp_path / "encoder.safetensors")
    save_file({**arrays, "table": arrays["table"][:-1].copy()}, tmp_path / "encoder.safetensors")
    with pytest.raises(CorruptError, match="shape"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("error", "what", "params"),
    [
        (ParameterError, "dimension", {"dimension": 0}),
        (ParameterError, "remove", {"dimension": 4, "remove": 4}),
        (ParameterError, "sif", {"sif": 0.0}),
        (ParameterError, "threads", {"threads": 0}),
        (ParameterError, "There is no weighting `tfidf`", {"weighting": "tfidf"}),
    ],
)
def test_parameters_out_of_range_are_refused(error, what, params):
    with pytest.raises(error, match=what):
        Static("minilm", **params)


def test_what_cannot_be_distilled_is_refused(folder, tmp_path):
    with pytest.raises(NotFoundError, match="There is no model"):
        Static(str(tmp_path / "nowhere")).fit(Told(TEXTS))
    with pytest.raises(InputError, match="16 columns"):
        Static(folder, dimension=17).fit(Told(TEXTS))
    with pytest.raises(InputError, match="holds no token"):
        Static(folder, dimension=4).fit(Told(["\U0001f680"]))
    bare = tmp_path / "bare"
    saved(bare)
    (bare / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        Static(str(bare), dimension=4).fit(Told(TEXTS))


def test_a_network_of_fewer_tokens_is_refused(folder, tmp_path):
    other = tmp_path / "other"
    saved(other)
    made = tokenizers.Tokenizer.from_file(str(other / "tokenizer.json"))
    made.add_tokens(["another"])
    made.save(str(other / "tokenizer.json"))
    with pytest.raises(InputError, match=r"The tokenizer has \d+ tokens, and the network \d+"):
        Static(str(other), dimension=4).fit(Told(TEXTS))
