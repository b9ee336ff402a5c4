"""Every encoder that there is goes through the public checks; a new file is tested at once."""

from __future__ import annotations

import pytest

from encoders.samples import SAMPLES
from spaceport.methods import load, names
from spaceport.testing.encoders import CHECKS

SMALL = {
    "hashing": {"dimension": 24, "ngrams": 3},
    "lsa": {"dimension": 6},
    "onehot": {"dimension": 12},
    "word2vec": {"dimension": 8, "minimum_count": 1, "epochs": 1, "reproducible": True},
}
"""Parameters that make a method quick; a method that is not named here runs with its own."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", names("encoders"))
def test_encoder(name, check):
    encoder = load("encoders", name)
    for modality in (encoder.modality, *encoder.also):
        check(lambda: encoder(**SMALL.get(name, {})), SAMPLES[modality]())
