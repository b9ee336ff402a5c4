"""Counting pairs out of core: against brute force, whatever the memory, and on a full disk."""

from __future__ import annotations

import errno
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.counting import brute_force, counted
from spaceport.encoders import _cooccurrence, _runs
from spaceport.encoders._cooccurrence import Bands, Counting, count_pairs
from spaceport.errors import StoreError
from spaceport.vocabulary import END, write

Floats = npt.NDArray[Any]


TEXTS = st.lists(st.lists(st.integers(-1, 6), max_size=15), min_size=1, max_size=5)


@given(TEXTS, st.integers(1, 4), st.integers(1, 7), st.booleans(), st.booleans())
def test_counts_are_those_of_brute_force(
    texts: list[list[int]], window: int, bands: int, symmetric: bool, weighted: bool
) -> None:
    told = Counting(window, symmetric, weighted, memory=1)
    expected = brute_force(texts, told)
    found = counted(texts, 7, bands, told)
    assert found.keys() == expected.keys()
    for pair, count in expected.items():
        assert found[pair] == pytest.approx(count, rel=1e-6)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("capacity", [16, 50, 5000])
def test_counts_do_not_depend_on_the_memory(
    symmetric: bool, capacity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of runs, merged in several rounds, against one run."""
    rng = np.random.default_rng(0)
    texts = [rng.zipf(1.4, 40).clip(0, 60).astype(int).tolist() for _ in range(40)]
    told = Counting(5, symmetric, True, memory=64)
    whole = counted(texts, 61, 4, told)
    runs: list[int] = []
    real = _cooccurrence.few
    monkeypatch.setattr(_cooccurrence, "few", lambda r, m: runs.append(len(r.sizes)) or real(r, m))
    monkeypatch.setattr(_runs, "_LEAST", 8)
    monkeypatch.setattr(_runs, "_MERGED", 3)
    monkeypatch.setattr(_runs, "MEBIBYTE", 1)
    monkeypatch.setattr(Counting, "pairs", lambda self: capacity)
    assert counted(texts, 61, 4, told) == whole
    assert runs[0] >= 1600 * 5 // capacity


def peak_of_counting(memory: int) -> tuple[float, int]:
    """MiB at the peak, as NumPy's arrays are traced; counted twice, so that nothing is compiled then."""
    words, length = 3000, 400_000
    tokens = np.random.default_rng(0).integers(0, words, length).astype(np.int32)
    rows, told = np.arange(words, dtype=np.int32), Counting(10, True, True, memory)
    with write(map(str, range(words)), [tokens]) as corpus:
        with count_pairs(corpus, rows, Bands(words, 8), told):
            tracemalloc.start()
        try:
            with count_pairs(corpus, rows, Bands(words, 8), told) as counts:
                return tracemalloc.get_traced_memory()[1] / 2**20, len(counts)
        finally:
            tracemalloc.stop()


def test_the_peak_of_memory_follows_the_bound() -> None:
    """Four million pairs, nearly half of them distinct, in 8 MiB and in 256."""
    small, entries = peak_of_counting(8)
    large, same = peak_of_counting(256)
    assert entries == same > 1_500_000
    assert small < 24
    assert large > 40


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with write(["a", "b"], [np.array([0, 1, END], np.int32)]) as corpus:
        monkeypatch.setattr(_runs, "write_array", full)
        with pytest.raises(StoreError, match="No space is left"):
            count_pairs(
                corpus, np.arange(2, dtype=np.int32), Bands(2, 1), Counting(2, True, True, 1)
            )
