"""What encoders of any modality must be given, made for a modality: a function, a file of vectors."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest

from encoders import endpoint, small_transformer

__all__ = ["GIVEN", "spelled"]


def spelled(items):
    """A vector that depends on how Python spells an item."""
    return [[1, *blake2b(repr(item).encode()).digest()[:4]] for item in items]


def function(modality, folder):
    return {"function": spelled, "revision": "1", "modality": modality}


def file_of_vectors(modality, folder):
    """Vectors for all forty items of a sample; others are zeros."""
    path = folder / f"{modality}.npz"
    ids = np.array([str(i) for i in range(40)])
    np.savez(path, ids=ids, vectors=np.random.default_rng(1).normal(size=(40, 5)))
    return {"path": str(path), "missing": "zero"}


def address(modality, folder):
    """An endpoint on this machine."""
    return {"url": endpoint.url(), "model": "small"}


def network(modality, folder):
    """A small network of the modality; texts have one that is installed."""
    if modality == "texts":
        return {"model": "minilm"}
    from networks import tiny_media

    make = {"images": tiny_media.vit, "audio": tiny_media.wav2vec2}[modality]
    return {"model": str(tiny_media.save(make, folder / modality))}


def written(modality, folder):
    """A tiny network as ONNX."""
    from networks import exported

    return {"model": str(exported.exported("bert")[1])}


def trained(modality, folder):
    """Nothing; what is fitted with torch, but encodes without it, is skipped where torch is absent."""
    pytest.importorskip("torch", reason="needs the extra `torch`")
    return {}


GIVEN = {
    "activations": network,
    "callable": function,
    "onnx": written,
    "precomputed": file_of_vectors,
    "remote": address,
    "static": small_transformer.model,
    "text_classifier": trained,
}
