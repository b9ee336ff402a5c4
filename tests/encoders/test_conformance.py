"""Every encoder that there is goes through the public checks; a new file is tested at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from spaceport.methods import load, names
from spaceport.sources.base import Source
from spaceport.testing.encoders import CHECKS

SMALL = {
    "hashing": {"dimension": 24, "ngrams": 3},
    "lsa": {"dimension": 6},
    "onehot": {"dimension": 12},
    "word2vec": {"dimension": 8, "minimum_count": 1, "epochs": 1, "reproducible": True},
}
"""Parameters that make a method quick; a method that is not named here runs with its own."""


class Sample(Source):
    """Forty sentences of three subjects."""

    modality = "words"
    unique_ids = True

    def read(self):
        rng = np.random.default_rng(0)
        subjects = [[f"{name}{i}" for i in range(12)] for name in ("sea", "hill", "town")]
        texts = [
            " ".join([*rng.choice(subjects[i % 3], 9), "and", "The", "naïve"]) for i in range(40)
        ]
        for start in (0, 25):
            part = texts[start : start + 25]
            yield pa.record_batch(
                {"id": [str(start + i) for i in range(len(part))], "content": part[:]}
            )

    def size(self):
        return 4000


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", names("encoders"))
def test_encoder(name, check):
    check(lambda: load("encoders", name)(**SMALL.get(name, {})), Sample())
