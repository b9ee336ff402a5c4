"""Tiny networks written as ONNX, once for all tests."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from networks import tiny

__all__ = ["bare", "exported"]


@cache
def exported(kind):
    """The folder of a tiny model, and that of its ONNX."""
    pytest.importorskip("torch", reason="needs the extra `torch`")
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    from spaceport.networks.exporting import export

    base = Path(mkdtemp(prefix="exported"))
    tiny.save(base / kind, kind)
    assert export(str(base / kind), base / "onnx") < 1e-5
    return base / kind, base / "onnx"


def bare(kind, folder):
    """The same without its hidden states among the outputs; gives `folder`."""
    import onnx

    shutil.copytree(exported(kind)[1], folder)
    model = onnx.load(folder / "model.onnx")
    kept = [value for value in model.graph.output if value.name == "last_hidden_state"]
    names = {v.name: f"inner{i}" for i, v in enumerate(model.graph.output) if v not in kept}
    for node in model.graph.node:  # no layer is to be found by its name
        for ends in (node.input, node.output):
            for place, name in enumerate(ends):
                ends[place] = names.get(name, name)
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, folder / "model.onnx")
    return folder
