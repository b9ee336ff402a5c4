"""Batches hold every piece once, pad little, and shrink where the memory is not enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError
from spaceport.networks.batching import Budget, batches

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=60)


@given(SIZES, st.integers(1, 200), st.integers(1, 3))
def test_every_piece_once_and_never_over_the_budget(lengths, budget, kinds):
    sizes = np.array(lengths)
    groups = np.arange(len(sizes)) % kinds
    found = list(batches(sizes, budget, groups))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(sizes)))
    for places in found:
        assert len(places) == 1 or sizes[places].max() * len(places) <= budget
        assert len({*groups[places].tolist()}) == 1


@given(SIZES)
def test_sorting_leaves_less_padding_than_the_order_of_coming(lengths):
    sizes = np.array(lengths)
    padded = sum(sizes[places].max() * len(places) for places in batches(sizes, 120))
    count = max(len(places) for places in batches(sizes, 120))
    whole = -(-len(sizes) // count) * count * sizes.max()
    assert sizes.sum() <= padded <= whole


class Device:
    """Holds so many tokens at once, and remembers what it was given."""

    def __init__(self, lengths, room):
        self.torch = pytest.importorskip("torch", reason="needs the extra `torch`")
        self.lengths, self.room, self.asked = lengths, room, []

    def __call__(self, places):
        cost = int(self.lengths[places].max()) * len(places)
        self.asked.append(cost)
        if cost > self.room:
            raise self.torch.OutOfMemoryError("CUDA out of memory.")
        return places.copy()


@given(SIZES, st.integers(60, 200), st.integers(1, 2))
def test_where_memory_is_short_batches_are_halved_until_they_fit(lengths, room, kinds):
    sizes = np.array(lengths)
    device, budget = Device(sizes, room), Budget(1000)
    groups = np.arange(len(sizes)) % kinds
    found = [made for _, made in budget.each(sizes, device, groups)]
    assert sorted(np.concatenate(found).tolist()) == list(range(len(sizes)))
    failed = sum(cost > room for cost in device.asked)
    assert budget.halvings == failed
    assert failed <= 5  # 1000, 500, 250, 125, 62: each at most once
    before = budget.tokens
    list(budget.each(sizes, device, groups))
    assert budget.tokens <= before  # what was learnt is kept


def test_a_single_piece_that_is_too_much_is_refused():
    sizes = np.array([3, 70, 5])
    with pytest.raises(InputError, match="does not hold one piece of 70 tokens.\nGive a smaller"):
        list(Budget(100).each(sizes, Device(sizes, 60)))


def test_other_errors_pass():
    def broken(places):
        raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        list(Budget(9).each(np.array([1]), broken))
