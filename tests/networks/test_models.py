"""Weights as they lie in a folder: none made up, none unpickled, no code run."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from safetensors.torch import load_file, save_file  # noqa: E402

from networks import tiny  # noqa: E402
from spaceport.errors import InputError  # noqa: E402
from spaceport.networks.models import lacking, read  # noqa: E402
from spaceport.networks.texts import Tokenizer  # noqa: E402
from spaceport.networks.where import parse  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    tiny.save(tmp_path)
    return tmp_path


def without(folder, *starts):
    """Take the weights whose names begin so out of the file."""
    weights = load_file(folder / "model.safetensors")
    left = {name: value for name, value in weights.items() if not name.startswith(starts)}
    assert len(left) < len(weights)
    save_file(left, folder / "model.safetensors", {"format": "pt"})


def with_example(folder):
    network = read(folder)
    network.example = Tokenizer(folder).pieces(["a cat"]).batch(np.array([0]))[0]
    return network


def test_weights_are_those_of_the_file(folder):
    network = read(folder)
    saved = load_file(folder / "model.safetensors")
    assert not network.missing
    assert not network.module.training
    assert all(torch.equal(saved[name], p) for name, p in network.module.named_parameters())


def test_half_precision_weights_are_computed_in_single(folder):
    saved = load_file(folder / "model.safetensors")
    save_file(
        {k: v.half() for k, v in saved.items()}, folder / "model.safetensors", {"format": "pt"}
    )
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "float16"}))
    assert {p.dtype for p in read(folder).module.parameters()} == {torch.float32}


def test_a_pooler_that_is_missing_matters_only_to_who_asks_for_it(folder):
    without(folder, "pooler.")
    network = with_example(folder)
    assert network.missing == ("pooler.dense.bias", "pooler.dense.weight")
    assert lacking(network, parse("last")) == []
    assert lacking(network, parse("output pooler_output")) == list(network.missing)


def test_weights_that_are_missing_are_named_where_they_matter(folder):
    without(folder, "encoder.layer.1.attention.self.query", "encoder.layer.2.output.dense.bias")
    network = with_example(folder)
    assert lacking(network, parse("first")) == []
    assert lacking(network, parse("2")) == [
        "encoder.layer.1.attention.self.query.bias",
        "encoder.layer.1.attention.self.query.weight",
    ]
    assert "encoder.layer.2.output.dense.bias" in lacking(network, parse("last"))
    assert all(
        torch.isnan(dict(network.module.named_parameters())[name]).all() for name in network.missing
    )


def test_weights_of_another_size_are_refused(folder):
    saved = load_file(folder / "model.safetensors")
    saved["embeddings.LayerNorm.weight"] = torch.ones(5)
    save_file(saved, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="cannot be read as a model"):
        read(folder)


def test_a_truncated_file_is_refused(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cannot be read as a model"):
        read(folder)


def test_pickled_weights_are_refused_with_the_way_out(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pytorch_model.bin.*\nConvert it"):
        read(folder)


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="has no weights"):
        read(folder)


def test_a_folder_with_code_of_its_own_is_refused_and_nothing_runs(folder):
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "own.Model", "AutoConfig": "own.Config"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text("raise SystemExit('run')\n")
    with pytest.raises(InputError, match="code of its own.*never run.\n"):
        read(folder)


def test_an_unknown_architecture_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "nonesuch"}))
    with pytest.raises(InputError, match="cannot be read as a model"):
        read(folder)


def test_the_settings_of_transformers_stay_as_they_were(folder):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    read(folder)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
