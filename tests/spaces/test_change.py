from __future__ import annotations

import numpy as np
import pytest

from spaceport.spaces.canaries import Canaries, departures
from spaceport.spaces.change import Evidence, compare_shared, kind_of_change
from spaceport.spaces.contract import Contract


@pytest.mark.parametrize(
    ("evidence", "items", "files", "kind"),
    [
        (Evidence(0.0, 0, 0.0, True), True, True, "minor"),
        (Evidence(0.0, 0, 0.0, False), True, True, "minor"),
        (Evidence(0.5, 0, 0.0, True), False, False, "major"),
        (Evidence(1e-5, 100, 0.0, True), False, True, "patch"),
        (Evidence(1e-5, 100, 0.0, True), False, False, "none"),
        (Evidence(None, 100, 0.4, False), True, True, "minor"),
        (Evidence(None, 100, 0.6, False), True, True, "major"),
        (Evidence(None, 0, 0.0, False), True, True, "major"),
        (Evidence(None, 0, 0.0, True), True, True, "minor"),
    ],
)
def test_the_kind_follows_the_evidence(
    evidence: Evidence, items: bool, files: bool, kind: str
) -> None:
    assert kind_of_change(evidence, items, files, 1e-3).kind == kind


def test_departures_against_scalar_arithmetic() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20, 5)).astype(np.float32)
    a[3] = b[3] = 0
    b[4] = a[4]
    for row, got in enumerate(departures(a, b)):
        size = max(np.linalg.norm(a[row]), np.linalg.norm(b[row]))
        assert got == pytest.approx(
            np.linalg.norm(a[row] - b[row]) / size if size else 0.0, rel=1e-5
        )
    assert departures(a, b)[3] == departures(a, b)[4] == 0


def test_another_dimension_is_far() -> None:
    assert compare_shared(np.ones((4, 2), np.float32), np.ones((4, 3), np.float32), 1e-3) == (
        4,
        1.0,
    )


def test_rounding_is_no_move_but_a_small_rotation_is() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 64)).astype(np.float32)
    rounded = (X.astype(np.float64) * (1 + 1e-6)).astype(np.float32)
    turned = X.copy()
    turned[:, 0], turned[:, 1] = (
        X[:, 0] * np.cos(0.1) - X[:, 1] * np.sin(0.1),
        X[:, 0] * np.sin(0.1) + X[:, 1] * np.cos(0.1),
    )
    assert compare_shared(X, rounded, 1e-3)[1] == 0.0
    assert compare_shared(X, turned, 1e-3)[1] > 0.9


def test_canaries_survive_json_exactly() -> None:
    X = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
    kept = Canaries(("a", "ü", "\u2028"), X)
    again = Canaries.from_json(kept.to_json())
    assert again.items == kept.items
    assert np.array_equal(again.vectors, X)


def test_a_contract_round_trips() -> None:
    contract = Contract(
        "texts", 3, "cosine", True, "0" * 64, roles=("document", "query"), dimensions=(1, 2)
    )
    assert Contract.from_dict(contract.to_dict()) == contract
