"""Every test of drift that there is goes through the public checks; a new file is tested at once."""

from __future__ import annotations

import pytest

from spaceport.drift.mmd import MMD
from spaceport.methods import load, names
from spaceport.testing.drift import CHECKS

TESTS = {name: load("drift", name) for name in names("drift")}
TESTS["mmd, exact"] = lambda: MMD(exact=True)
TESTS["centroid, cosine"] = lambda: load("drift", "centroid")("cosine")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", TESTS)
def test_drift(name, check):
    check(TESTS[name])
