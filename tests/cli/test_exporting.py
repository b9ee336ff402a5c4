"""`spaceport export-onnx` as it is typed, and what it wrote, used."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `torch`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

from typer.testing import CliRunner

import spaceport as sp
from networks import tiny
from spaceport.cli.main import app
from spaceport.errors import NotFoundError


def test_a_model_is_written_and_encodes_alike(tmp_path):
    tiny.save(tmp_path / "model", "bert")
    to = tmp_path / "onnx"
    typed = ["export-onnx", str(tmp_path / "model"), "--to", str(to), "--json"]
    done = CliRunner().invoke(app, typed, catch_exceptions=False)
    (told,) = json.loads(done.stdout)
    assert told["largest difference"] < 1e-5
    texts = ["the cat sat", "the dog", "more mats here"]
    one = sp.encoders.onnx(str(to), where="first").encode(texts)
    other = sp.encoders.activations(str(tmp_path / "model"), where="first").encode(texts)
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_model_that_is_not_there(tmp_path):
    typed = ["export-onnx", str(tmp_path / "nothing"), "--to", str(tmp_path / "onnx")]
    with pytest.raises(NotFoundError):
        CliRunner().invoke(app, typed, catch_exceptions=False)
    assert not (tmp_path / "onnx").exists()
