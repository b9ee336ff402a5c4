"""Activations of ONNX graphs against transformers' own forward pass; int8 against float32."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from encoders.samples import SAMPLES
from spaceport.errors import InputError, NotFoundError, ParameterError

onnx = pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

from networks import tiny  # noqa: E402
from networks.exported import bare, exported  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.encoders.onnx import ONNX  # noqa: E402
from spaceport.networks.onnx_graph import Graph, cut, find  # noqa: E402
from spaceport.networks.where import parse  # noqa: E402

KINDS = ("bert", "gpt2", "llama", "distilbert")
"""Norms behind the layers, before them, root-mean-square norms, and another configuration."""


def means(folder, layers, texts=tiny.TEXTS):
    states = tiny.truth(folder, texts)
    return np.array([np.mean([state[i] for i in layers], axis=0).mean(0) for state in states])


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_is_that_of_torch(kind):
    folder, written = exported(kind)
    for layer in range(4):
        vectors = ONNX(str(written), where=str(layer)).encode(tiny.TEXTS)
        assert np.allclose(vectors, means(folder, [layer]), atol=1e-5)
    vectors = ONNX(str(written), where="mean of last 2").encode(tiny.TEXTS)
    assert np.allclose(vectors, means(folder, [2, 3]), atol=1e-5)
    both = ONNX(str(written), where="concatenate 1, 3").encode(tiny.TEXTS)
    assert np.allclose(both, np.hstack([means(folder, [1]), means(folder, [3])]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_found_in_a_graph_that_does_not_name_them(kind, tmp_path):
    folder = exported(kind)[0]
    plain = bare(kind, tmp_path / "bare")
    assert Graph(find(plain)).outputs == ["last_hidden_state"]
    for layer in range(4):
        vectors = ONNX(str(plain), where=str(layer)).encode(tiny.TEXTS)
        assert np.allclose(vectors, means(folder, [layer]), atol=1e-5)


def test_any_value_by_its_name_and_the_table():
    folder, written = exported("bert")
    graph = Graph(find(written))
    norm = next(n.output[0] for n in graph.nodes if "layer.1/attention/output/LayerNorm" in n.name)
    assert ONNX(str(written), where=norm).encode(["a dog"]).shape == (1, 16)
    named = ONNX(str(written), where="output hidden_states.1").encode(tiny.TEXTS)
    assert np.allclose(named, means(folder, [1]), atol=1e-5)
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("a dog").ids
    found = ONNX(str(written), where="table").encode(["a dog"])
    assert np.allclose(found, table[ids].mean(0), atol=1e-6)


def test_what_lies_behind_the_wanted_value_is_not_run():
    graph = Graph(find(exported("bert")[1]))
    attentions = [
        sum(node.op_type == "Softmax" for node in cut(graph.model, graph.values(w)).graph.node)
        for w in map(parse, ("table", "0", "first", "2", "last", "concatenate 1, 2"))
    ]
    assert attentions == [0, 0, 1, 2, 3, 2]


def test_a_text_does_not_depend_on_its_neighbors_in_int8():
    encoder = ONNX(str(exported("bert")[1]), precision="int8", threads=2)
    alone = np.concatenate([encoder.encode([text]) for text in tiny.TEXTS])
    assert np.array_equal(encoder.encode(tiny.TEXTS), alone)


def test_int8_is_measured_where_a_version_is_built():
    written, source = str(exported("bert")[1]), SAMPLES["texts"]()
    encoder = ONNX(written, precision="int8").fit(source)
    facts = encoder.facts()
    exact, rounded = ONNX(written).encode(source), encoder.encode(source)
    assert not np.array_equal(exact, rounded)
    cosine = (exact * rounded).sum(1)
    cosine /= np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    assert facts["int8: measured on texts"] == 40
    assert facts["int8: cosine to float32"] == pytest.approx(cosine.mean(), abs=1e-5)
    assert facts["int8: worst cosine"] == pytest.approx(cosine.min(), abs=1e-5)
    assert facts["int8: worst cosine"] > 0.99
    assert 0.5 < facts["int8: share of 10 neighbors kept"] <= 1
    assert ONNX(written).fit(source).facts() == {}


def test_long_texts_are_cut_or_chunked():
    folder, written = exported("bert")
    long = " ".join(["the cat sat on the mat"] * 20)
    cut_off = ONNX(str(written), max_tokens=20)
    wanted = np.array([tiny.truth(folder, [long], most=20)[0][3].mean(0)])
    assert np.allclose(cut_off.encode([long, "a dog"])[:1], wanted, atol=1e-5)
    assert cut_off.facts()["texts too long"] == 1
    chunked = ONNX(str(written), max_tokens=20, long="chunk").encode([long])
    assert not np.allclose(chunked, wanted, atol=1e-3)


def test_steps_after_pooling():
    written = str(exported("bert")[1])
    plain = ONNX(written).encode(tiny.TEXTS)
    unit = ONNX(written, unit=True, dimension=5).encode(tiny.TEXTS)
    wanted = plain[:, :5] / np.linalg.norm(plain[:, :5], axis=1, keepdims=True)
    assert np.allclose(unit, wanted, atol=1e-6)
    with pytest.raises(ParameterError, match="at most 16"):
        ONNX(written, dimension=17).encode(["a dog"])


@pytest.mark.parametrize(
    ("where", "said"),
    [("7", "asks for layer 7, and the network has 3"), ("decoder last", "has one side")],
)
def test_a_layer_that_does_not_exist(where, said):
    with pytest.raises(NotFoundError, match=said):
        ONNX(str(exported("bert")[1]), where=where).encode(["a dog"])


def test_a_name_that_does_not_exist_lists_the_layers_with_shapes():
    with pytest.raises(NotFoundError, match="no value `encoder.9`") as raised:
        ONNX(str(exported("bert")[1]), where="encoder.9").encode(["a dog"])
    assert "hidden_states.0 (batch x tokens x 16)" in raised.value.remedy


def test_folders_that_cannot_be_used(tmp_path):
    folder, written = exported("bert")
    with pytest.raises(InputError, match="no weights as ONNX") as raised:
        ONNX(str(folder)).encode(["a dog"])
    assert "spaceport export-onnx" in raised.value.remedy
    broken = tmp_path / "broken"
    shutil.copytree(written, broken)
    (broken / "model.onnx").write_bytes((written / "model.onnx").read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be read as ONNX"):
        ONNX(str(broken)).encode(["a dog"])


def test_nan_names_the_text(tmp_path):
    broken = tmp_path / "nan"
    shutil.copytree(exported("bert")[1], broken)
    model = onnx.load(broken / "model.onnx")
    table = next(t for t in model.graph.initializer if "word_embeddings" in t.name)
    rows = onnx.numpy_helper.to_array(table).copy()
    dog = json.loads((broken / "tokenizer.json").read_text())["model"]["vocab"]["dog"]
    rows[dog] = np.nan
    table.CopyFrom(onnx.numpy_helper.from_array(rows, table.name))
    onnx.save(model, broken / "model.onnx")
    with pytest.raises(InputError, match="NaN or infinity for 1 of 2 items; the first, 'a dog'"):
        ONNX(str(broken)).encode(["the cat", "a dog"])


def test_a_model_that_changed_is_refused(tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(exported("bert")[1], moved)
    encoder = ONNX(str(moved))
    encoder.save(tmp_path)
    assert np.array_equal(load(tmp_path).encode(["a dog"]), encoder.encode(["a dog"]))
    tokenizer = moved / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"dog"', '"wolf"'))
    with pytest.raises(InputError, match="is not the model that this encoder was saved with"):
        load(tmp_path).encode(["a dog"])


@pytest.mark.parametrize(
    "told",
    [
        {"pooling": "none"}, {"pooling": "median"}, {"precision": "int4"}, {"long": "no"},
        {"where": "mean of nothing"}, {"threads": 0}, {"dimension": 0}, {"max_tokens": 0},
    ],
)  # fmt: skip
def test_parameters_are_checked(told):
    with pytest.raises(ParameterError):
        ONNX("nowhere", **told)


def test_export_refuses_a_folder_that_holds_something(tmp_path):
    from spaceport.networks.exporting import export

    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        export(str(exported("bert")[0]), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
