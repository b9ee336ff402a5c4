"""Every encoder that there is goes through the public checks; a new file is tested at once."""

from __future__ import annotations

from functools import partial

import pytest

from encoders.anything import GIVEN
from encoders.samples import SAMPLES
from spaceport.errors import MissingExtra
from spaceport.methods import load, names
from spaceport.testing.encoders import CHECKS

SMALL = {
    "activations": {"where": "first"},
    "als": {"dimension": 6, "iterations": 3},
    "bilingual": {"dimension": 8, "objective": "svd"},
    "bpr": {"dimension": 6, "iterations": 5, "reproducible": True},
    "glove": {
        "dimension": 8,
        "minimum_count": 1,
        "epochs": 2,
        "reproducible": True,
        "buckets": 500,
    },
    "hashing": {"dimension": 24, "ngrams": 3},
    "hog": {"dimension": 6, "size": 12},
    "image_autoencoder": {"dimension": 6, "size": 8, "channels": 2, "epochs": 2, "batch_size": 16},
    "image_classifier": {"dimension": 6, "size": 8, "channels": 2, "epochs": 2, "batch_size": 16},
    "logmel": {"dimension": 6, "rate": 8000, "bands": 20},
    "lsa": {"dimension": 6},
    "mixed": {"dimension": 5},
    "onehot": {"dimension": 12},
    "pca": {"dimension": 4},
    "pixels": {"dimension": 6, "size": 8},
    "ppmi_svd": {"dimension": 8, "minimum_count": 1, "buckets": 500},
    "pure_svd": {"dimension": 4},
    "remote": {"dimension": 6},
    "static": {"dimension": 6},
    "svd": {"dimension": 4},
    "table_autoencoder": {"dimension": 5, "hidden": 12, "epochs": 3, "batch_size": 16},
    "text_classifier": {"dimension": 6, "buckets": 500, "epochs": 4},
    "two_tower": {"dimension": 6, "hidden": 8, "epochs": 3, "batch_size": 16},
    "word2vec": {"dimension": 8, "minimum_count": 1, "epochs": 1, "reproducible": True},
}
"""Parameters that make a method quick; a method that is not named here runs with its own."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", names("encoders"))
def test_encoder(name, check, tmp_path):
    try:
        encoder = load("encoders", name)
    except MissingExtra as missing:
        pytest.skip(missing.what)
    own = (encoder.modality, *encoder.also)
    for modality in SAMPLES if "any" in own else own:
        given = GIVEN[name](modality, tmp_path) if name in GIVEN else {}
        check(partial(encoder, **SMALL.get(name, {}), **given), SAMPLES[modality]())
