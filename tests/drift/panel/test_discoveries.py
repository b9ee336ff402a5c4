"""Rates of false discoveries, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from spaceport.drift.panel.discoveries import adjusted


def test_rates_are_scipys() -> None:
    p = np.random.default_rng(0).random(50) ** 2
    assert adjusted(p) == pytest.approx(false_discovery_control(p))
