"""``a + b`` is the sketch of both, however the rows were cut and in whatever order."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.sketches.planted import D, basis, names, rows
from spaceport.drift.sketches import sketch as module
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import SAMPLE, Sketch, total
from spaceport.errors import MismatchError, ParameterError

N = 1200
ROOM = 300


def sketch_of(places: Sequence[int], room: int = ROOM, blocks: int = 16) -> Sketch:
    chosen = list(places)
    ids = [names()[place] for place in chosen]
    return Sketch.of(basis(), rows()[chosen].reshape(-1, D), ids, room=room, blocks=blocks)


def same(left: Sketch, right: Sketch) -> None:
    assert (left.count, left.blocks) == (right.count, right.blocks)
    assert (left.ids, left.refs) == (right.ids, right.refs)
    assert (left.keys == right.keys).all()
    assert (left.rows == right.rows).all()
    for name, array in left.totals.sums.items():
        size = max(1.0, np.abs(right.totals.sums[name]).max())
        assert np.abs(array - right.totals.sums[name]).max() <= 1e-9 * size, name
    assert (left.sizes == right.sizes).all()
    assert np.allclose(left.moments.mean, right.moments.mean, rtol=1e-12, atol=1e-12)
    apart = np.abs(left.moments.scatter - right.moments.scatter).max()
    assert apart <= 1e-6 * max(1.0, right.moments.scatter.trace())


@given(
    cuts=st.lists(st.integers(0, N), max_size=6),
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, N),
)
@settings(max_examples=40, deadline=None)
def test_any_cut_in_any_order_is_the_sketch_of_all(cuts: list[int], seed: int, count: int) -> None:
    order = np.random.default_rng(seed).permutation(count)
    parts = np.split(order, sorted(cut for cut in cuts if cut < count))
    summed = sketch_of(parts[0])
    for part in parts[1:]:
        summed = summed + sketch_of(part)
    same(summed, sketch_of(range(count)))
    same(total([sketch_of(part) for part in parts]), sketch_of(range(count)))


@given(st.lists(st.integers(0, N), min_size=2, max_size=2), st.booleans())
@settings(max_examples=15, deadline=None)
def test_it_does_not_matter_which_are_added_first(cuts: list[int], alike: bool) -> None:
    rooms = (ROOM, ROOM, ROOM) if alike else (ROOM, 150, 500)
    blocks = (16, 16, 16) if alike else (16, 32, 8)
    parts = np.split(np.arange(N), sorted(cuts))
    a, b, c = (sketch_of(*told) for told in zip(parts, rooms, blocks, strict=True))
    same((a + b) + c, a + (b + c))
    same(a + b, b + a)


def test_many_are_added_as_they_come_and_not_all_held() -> None:
    held: list[weakref.ref[Sketch]] = []

    def parts() -> Iterator[Sketch]:
        for part in np.array_split(np.arange(N), 200):
            sketch = sketch_of(part)
            held.append(weakref.ref(sketch))
            yield sketch
            del sketch
            assert sum(there() is not None for there in held) <= module._AT_ONCE + 2

    same(total(parts()), sketch_of(range(N)))
    assert len(held) == 200


def test_nothing_is_neutral() -> None:
    some = sketch_of(range(700), room=500, blocks=128)
    for nothing in (Sketch.empty(basis()), Sketch.of(basis(), np.empty((0, D)), [])):
        same(some + nothing, some)
        same(nothing + some, some)
        assert nothing.count == 0
        assert nothing.complete
        assert not nothing.sizes.any()
        assert (nothing + nothing).count == 0
    assert (some + Sketch.empty(basis())).sample.room == 500


def test_a_sketch_of_few_rows_is_its_rows() -> None:
    few = sketch_of(range(ROOM))
    assert few.complete
    assert few._totals is None
    assert sorted(few.ids) == sorted(names()[:ROOM])
    order = [names().index(name) for name in few.ids]
    assert (few.rows == rows()[order]).all()
    assert not sketch_of(range(ROOM + 1)).complete
    assert not (few + sketch_of([ROOM])).complete
    assert (sketch_of(range(200)) + sketch_of(range(200, ROOM))).complete


def test_the_sample_is_the_rows_with_the_smallest_hashes() -> None:
    import pyarrow as pa

    from spaceport.hashes import hashes

    whole = sketch_of(range(N))
    keys = hashes(pa.array(names()[:N]))
    lowest = np.argsort(keys)[:ROOM]
    assert whole.ids == tuple(names()[place] for place in lowest)
    assert (whole.keys == keys[lowest]).all()


def test_blocks_fold_to_the_smaller_number() -> None:
    fine, coarse = sketch_of(range(N), blocks=64), sketch_of(range(N), blocks=16)
    folded = fine + sketch_of([], blocks=16)
    assert folded.blocks == 64
    same(fine + sketch_of(range(N, 2 * N), blocks=16), sketch_of(range(2 * N), blocks=16))
    assert (fine.totals.folded(16).sums["sizes"] == coarse.sizes).all()


def test_rows_that_come_twice_count_twice_in_any_order() -> None:
    a, b = sketch_of(range(500)), sketch_of(range(250, 900))
    same(a + b, b + a)
    both = a + b
    assert both.count == 1150
    twice = {name for name, times in Counter(both.ids).items() if times == 2}
    lowest = set(both.ids[:-1])  # the last may be cut from its twin
    assert twice >= lowest & set(names()[250:500])
    assert both.sizes.sum() == 1150


def test_one_id_with_two_contents_is_merged_alike_in_any_order() -> None:
    parts = [Sketch.of(basis(), rows()[place : place + 1], ["one"], room=2) for place in range(4)]
    forth, back = total(parts), total(parts[::-1])
    same(forth, back)
    assert len(forth.rows) == 2
    assert forth.count == 4


def test_the_size_does_not_grow_with_the_rows() -> None:
    sizes = [sketch_of(range(n)).nbytes for n in (ROOM + 1, 900, 9000)]
    assert sizes[0] == sizes[1] == sizes[2]
    grown = sketch_of(range(1000))
    for _ in range(5):
        grown = grown + sketch_of(range(1000, 2000))
    assert grown.nbytes == sizes[0]


def test_sketches_of_two_bases_are_not_added() -> None:
    other = Basis.fit(rows()[:500], seed=3)
    with pytest.raises(MismatchError, match="two bases"):
        _ = sketch_of(range(10)) + Sketch.of(other, rows()[:10], names()[:10])
    with pytest.raises(MismatchError, match="two bases"):
        total([*100 * [sketch_of(range(3))], Sketch.of(other, rows()[:10], names()[:10])])
    with pytest.raises(ParameterError, match="no sketches"):
        total([])
    with pytest.raises(ParameterError, match="power of 2"):
        Sketch.empty(basis(), blocks=48)


def test_the_sample_of_numbered_rows_is_uniform() -> None:
    """The ids are consecutive numbers, the hardest for a weak hash; 8 cuts, 40 streams."""
    places = []
    for stream in range(40):
        ids = [f"{stream}/{place}" for place in range(4096)]
        found = Sketch.of(basis(), rows()[:4096], ids, room=256)
        places += [int(name.partition("/")[2]) for name in found.ids]
        assert found.sizes.min() > 64 - 45
        assert found.sizes.max() < 64 + 45
    counts = np.bincount(np.array(places) * 8 // 4096, minlength=8)
    expected = len(places) / 8
    # 7 degrees of freedom, a little less spread for sampling without replacement: .9999 is at 29.9
    assert np.square(counts - expected).sum() / expected < 29.9
    lowest = np.bincount(np.array(places) % 8, minlength=8)
    assert np.square(lowest - expected).sum() / expected < 29.9


def test_a_merge_that_forgets_the_cut_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(samples: list[module.Sample]) -> module.Sample:
        first = samples[0]
        rest = [sample for sample in samples[1:] if len(sample)]
        return first if len(first) >= first.room or not rest else rest[0]

    monkeypatch.setattr(module, "merged", lenient)
    with pytest.raises(AssertionError):
        same(sketch_of(range(600)) + sketch_of(range(600, 1200)), sketch_of(range(1200)))


def test_defaults() -> None:
    whole = Sketch.of(basis(), rows(), names())
    assert len(whole.rows) == SAMPLE == 1024
    assert whole.blocks == 64
