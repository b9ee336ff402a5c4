"""What encoders of any modality must be given, made for a modality: a function, a file of vectors."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

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


GIVEN = {"callable": function, "precomputed": file_of_vectors}
