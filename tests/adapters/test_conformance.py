"""Every adapter that there is goes through the public checks; a new file is tested at once."""

from __future__ import annotations

import pytest

from spaceport.methods import load, names
from spaceport.testing.adapters import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", names("adapters"))
def test_adapter(name, check):
    check(load("adapters", name))
