"""Items made ready: what goes together, which positions stand for a part of the item."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from spaceport.networks.inputs.given import Given  # noqa: E402 - behind what may skip
from spaceport.networks.inputs.prepared import Positions, Prepared  # noqa: E402


def test_positions_of_the_networks_own_and_added_ones_are_left_out():
    real = Positions(extra=2, bands=2).real((3, 2 + 2 * 4, 7), np.array([1.0, 0.5, 0.01]))
    rows = [[0, 0] + 2 * row for row in ([1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0])]
    assert real.astype(int).tolist() == rows


@pytest.mark.parametrize("shape", [(2, 5), (2, 3, 4, 4), (2, 1, 8), (2, 4, 8)])
def test_values_of_another_kind_count_everywhere(shape):
    """No positions, a map, only the network's own token, rows that the bands do not divide."""
    assert Positions(extra=1, bands=2).real(shape, np.array([0.5, 1.0])) is None


def test_nothing_is_left_out_where_nothing_was_added():
    assert Positions().real((2, 6, 4), None) is None
    assert Positions(extra=1).real((2, 6, 4), None).sum() == 10


def test_pieces_of_one_shape_go_together():
    arrays = [{"wave": np.full(n, n, np.float32)} for n in (4, 6, 4)]
    pieces = Prepared(arrays, np.arange(3), np.array([4, 6, 4]))
    assert pieces.groups.tolist() == [0, 1, 0]
    inputs, real = pieces.batch(np.array([0, 2]))
    assert inputs["wave"].shape == (2, 4)
    assert real is None
    assert pieces.amounts.tolist() == [1, 1, 1]
    assert pieces.names(0, np.array([True, False, True])) == ["0", "2"]


def test_a_function_is_given_the_items_of_a_batch_only():
    seen = []

    def prepare(items):
        seen.append(items)
        return torch.zeros(len(items), 2)

    pieces = Given(prepare).pieces(["a", "b", "c"])
    assert seen == []
    pieces.batch(np.array([2, 0]))
    assert seen == [["c", "a"]]
