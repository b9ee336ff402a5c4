"""A user's function as an encoder: what it is given, what it must give, how it is written down."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.samples import SAMPLES
from spaceport.encoders.base import load
from spaceport.encoders.callable import Callable
from spaceport.errors import InputError, ParameterError
from spaceport.methods import parse


def lengths(texts):
    return [[len(text), text.count("a")] for text in texts]


def texts(function, revision="1"):
    return Callable(function, revision=revision, modality="texts")


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, np.uint8, bool])
def test_it_gives_what_the_function_gives_as_float32(dtype):
    encoder = texts(lambda items: np.array(lengths(items)).astype(dtype))
    vectors = encoder.encode(["banana", "a", ""])
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, np.array([[6, 3], [1, 1], [0, 0]]).astype(dtype))


@pytest.mark.parametrize("modality", list(SAMPLES))
def test_it_is_given_plain_items_of_every_modality(modality):
    kinds = []

    def look(items):
        kinds.append((type(items), type(items[0])))
        return np.ones((len(items), 2))

    sample = SAMPLES[modality]()
    assert Callable(look, revision="1", modality=modality).encode(sample).shape == (40, 2)
    assert Callable(look, revision="1", modality="any").encode(sample).shape == (40, 2)
    kinds_of = {"words": str, "texts": str, "table": dict, "pairs": dict, "interactions": list}
    wanted = kinds_of.get(modality, bytes)
    plain = (np.ndarray, np.ndarray) if modality == "vectors" else (list, wanted)
    assert set(kinds) == {plain}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda items: lengths(items)[1:], "gave 2 rows for 3 items"),
        (lambda items: lengths(items) * 2, "gave 6 rows for 3 items"),
        (lambda items: [1.0, 2.0, 3.0], r"must have shape \(n, d\)"),
        (lambda items: [[1.0], [2.0, 3.0], [4.0]], "unequal length"),
        (lambda items: [[1.0], [np.nan], [2.0]], "NaN or infinity in 1 of 3 rows"),
        (lambda items: [["a"], ["b"], ["c"]], "must hold real numbers"),
        (lambda items: None, "must hold real numbers"),
    ],
)
def test_what_a_function_gives_is_checked(function, message):
    with pytest.raises(InputError, match=message):
        texts(function).encode(["a", "b", "c"])


def test_every_batch_must_have_the_same_dimension():
    encoder = texts(lambda items: np.ones((len(items), len(items))))
    with pytest.raises(InputError, match="must have dimension 2. Got 1"):
        encoder.encode(["a", "b", "c"], batch_size=2)


def test_the_functions_own_error_comes_through():
    def broken(items):
        raise RuntimeError("the model is not there")

    with pytest.raises(RuntimeError, match="the model is not there"):
        texts(broken).encode(["a"])


def test_it_is_written_down_without_the_function(tmp_path):
    encoder = texts(lengths, "2026-01")
    assert encoder.spec == "callable(revision='2026-01', modality='texts')"
    assert parse("encoders", encoder.spec).params() == encoder.params()
    encoder.save(tmp_path)
    written = json.loads((tmp_path / "encoder.json").read_text())
    assert written["params"] == {"revision": "2026-01", "modality": "texts"}
    assert written["facts"]["function"].endswith("test_callable.lengths")


def test_a_function_read_back_must_be_given_again(tmp_path):
    encoder = texts(lengths)
    encoder.save(tmp_path)
    loaded = load(tmp_path)
    with pytest.raises(InputError, match="read back without its function") as raised:
        loaded.encode(["a"])
    assert "bind(function)" in raised.value.remedy
    assert loaded.bind(lengths) is loaded
    assert np.array_equal(loaded.encode(["banana"]), encoder.encode(["banana"]))


def test_identity_is_the_revision_and_never_the_name():
    def other(items):
        return lengths(items)

    assert texts(lengths).fingerprint == texts(other).fingerprint
    assert texts(lengths).fingerprint != texts(lengths, "2").fingerprint
    every = Callable(lengths, revision="1", modality="any")
    assert every.fingerprint != texts(lengths).fingerprint


def test_a_path_in_a_file_is_never_imported(tmp_path):
    texts(lengths).save(tmp_path)
    path = tmp_path / "encoder.json"
    spec = json.loads(path.read_text())
    spec["facts"]["function"] = "antigravity.fly"
    path.write_text(json.dumps(spec))
    import sys

    load(tmp_path)
    assert "antigravity" not in sys.modules


def test_objects_that_can_be_called_are_functions():
    class Model:
        def __call__(self, items):
            return lengths(items)

    encoder = texts(Model())
    assert encoder.encode(["banana"]).tolist() == [[6.0, 3.0]]
    assert encoder.facts()["function"].endswith("Model")
    assert encoder.facts()["items"] == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"revision": ""}, "`revision` must be a string that is not empty"),
        ({"revision": 1}, "`revision` must be a string that is not empty. Got 1"),
        ({"modality": "text"}, "There is no modality `text`"),
        ({"function": "len"}, "`function` must be callable. Got str"),
    ],
)
def test_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        Callable(**{"function": lengths, "revision": "1", "modality": "texts", **params})
