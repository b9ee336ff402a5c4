"""Where a model lies: a folder, a package that is not imported, a hub at one commit."""

from __future__ import annotations

import hashlib
import sys

import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.networks import origins

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def model(folder, weights="model.safetensors"):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / weights).write_bytes(b"weights")
    return folder


def test_a_folder_or_the_only_model_inside_one(tmp_path):
    inner = model(tmp_path / "a" / "model")
    assert origins.find(str(inner)) == inner
    assert origins.find(str(tmp_path)) == inner


def test_a_folder_of_two_models_or_of_none(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(NotFoundError, match="so it is no model's folder.\nGive the folder"):
        origins.find(str(tmp_path / "none"))
    model(tmp_path / "two" / "a")
    model(tmp_path / "two" / "b")
    with pytest.raises(NotFoundError, match="models lie in its folders a, b"):
        origins.find(str(tmp_path / "two"))


def test_a_package_is_found_and_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "carries_a_model"
    inner = model(package / "model")
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert origins.find("carries_a_model") == inner
    assert origins.find("carries-a-model") == inner
    assert "carries_a_model" not in sys.modules


@pytest.mark.parametrize("name", ["nonesuch", "./nonesuch", "/nonesuch/model", "json", "a b"])
def test_what_is_not_there(name):
    with pytest.raises(NotFoundError, match="There is no model"):
        origins.find(name)


def test_a_short_name_says_which_package_it_stands_for(monkeypatch):
    monkeypatch.setitem(origins.SHORT, "minilm", "gt_nonesuch")
    with pytest.raises(NotFoundError, match=r"\(pip install gt_nonesuch\)"):
        origins.find("minilm")


@pytest.mark.parametrize("name", ["owner/name", "owner/name@main", "owner/name@0123abc"])
def test_a_model_on_the_hub_needs_its_commit(name):
    with pytest.raises(ParameterError, match="40 hexadecimal digits"):
        origins.find(name)


def test_a_hub_that_cannot_be_reached_and_one_that_answers(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra `torch`")
    asked = []

    def answer(name, revision, allow_patterns):
        asked.append((name, revision))
        if name == "owner/gone":
            raise OSError("no route to host\nmore")
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", answer)
    assert origins.find(f"owner/name@{COMMIT}") == tmp_path
    with pytest.raises(NotFoundError, match="could not be fetched: no route to host"):
        origins.find(f"owner/gone@{COMMIT}")
    assert asked == [("owner/name", COMMIT), ("owner/gone", COMMIT)]


def test_only_safetensors_are_weights(tmp_path):
    found = model(tmp_path / "model")
    (found / "pytorch_model.bin").write_bytes(b"")
    assert origins.weights(found) == [found / "model.safetensors"]
    pickled = model(tmp_path / "pickled", "pytorch_model.bin")
    with pytest.raises(InputError, match="pytorch_model.bin, a format that can run code"):
        origins.weights(pickled)
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match="has no weights"):
        origins.weights(pickled)


def test_configuration(tmp_path):
    assert origins.configuration(tmp_path) == {}
    path = tmp_path / "config.json"
    for text, message in (("{", "cannot be read"), ("[1]", "is no JSON object")):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            origins.configuration(tmp_path)


def test_digests_are_of_the_bytes_by_name(tmp_path):
    found = model(tmp_path / "model")
    assert origins.digests([found / "model.safetensors"]) == {
        "model.safetensors": hashlib.sha256(b"weights").hexdigest()
    }
