"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: these machines are shared, and a slow call is not a wrong one.
settings.register_profile("spaceport", deadline=None)
settings.load_profile("spaceport")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; the tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("SPACEPORT_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real data in {folder}: set SPACEPORT_DATA to the folder that holds it")
    return folder
