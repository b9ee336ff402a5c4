"""Sketches and bases come back from their files; what is no sketch is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from drift.sketches.planted import D, basis, names, rows
from drift.sketches.test_merging import same
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.files import basis_of, bytes_of, sketch_of
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import CorruptError, MismatchError, SpaceportError
from spaceport.safe import read_arrays

Arrays = dict[str, Any]
Strings = dict[str, str]


def window(n: int = 1000) -> Sketch:
    return Sketch.of(basis(), rows()[:n], names()[:n], [f"r{i}" for i in range(n)], room=200)


def test_a_basis_comes_back_byte_for_byte() -> None:
    for metric in ("euclidean", "cosine"):
        data = bytes_of(basis(metric))
        again = basis_of(data)
        assert again.digest == basis(metric).digest
        assert again.metric == metric
        assert bytes_of(again) == data


def test_a_complete_sketch_is_its_rows_and_comes_back_exactly() -> None:
    few = window(150)
    data = bytes_of(few)
    assert len(data) < 150 * (4 * D + 60) + 1000
    again = sketch_of(data, basis())
    assert again.complete
    same(again, few)
    for name, array in again.totals.sums.items():
        assert (array == few.totals.sums[name]).all()


def test_a_sketch_comes_back_to_the_digits_that_are_promised() -> None:
    whole = window()
    again = sketch_of(bytes_of(whole), basis())
    assert (again.count, again.blocks, again.sample.room) == (1000, 64, 200)
    assert (again.ids, again.refs) == (whole.ids, whole.refs)
    assert (again.keys == whole.keys).all()
    assert (again.rows == whole.rows).all()
    for name, array in whole.totals.sums.items():
        exact = name in ("sizes", "vectors", "cells0", "cells1")
        assert np.allclose(again.totals.sums[name], array, rtol=0 if exact else 6e-8, atol=0), name
    assert (again.moments.mean == whole.moments.mean).all()
    assert np.allclose(again.moments.scatter, whole.moments.scatter, rtol=6e-8, atol=0)
    assert bytes_of(again) == bytes_of(whole)


def test_a_day_read_back_can_be_added() -> None:
    left, right = window(), Sketch.of(basis(), rows()[1000:2500], names()[1000:2500], room=200)
    read = [sketch_of(bytes_of(part), basis()) for part in (left, right)]
    both = read[0] + read[1]
    assert both.ids == (left + right).ids
    assert np.allclose(both.sums["waves"], (left + right).sums["waves"], rtol=1e-6, atol=1e-5)


def test_nothing_comes_back() -> None:
    assert sketch_of(bytes_of(Sketch.empty(basis())), basis()).count == 0


def test_the_size_of_a_day_is_what_the_page_says() -> None:
    d = 384
    X = np.random.default_rng(0).standard_normal((3000, d)).astype(np.float32)
    wide = Basis.fit(X, "cosine")
    size = len(bytes_of(Sketch.of(wide, X)))
    assert [len(cells) for cells in wide.cells] == [8, 40]
    assert 3.2e6 < size < 3.35e6
    half = len(bytes_of(Sketch.of(wide, X, room=512)))
    assert 2.4e6 < half < 2.5e6


def test_a_sketch_is_read_with_its_own_basis() -> None:
    other = Basis.fit(rows()[:500], seed=3)
    with pytest.raises(MismatchError, match="another basis"):
        sketch_of(bytes_of(window()), other)


def opened(data: bytes) -> tuple[Arrays, Strings]:
    arrays, strings = read_arrays(data, "a file")
    return arrays, json.loads(strings["spaceport"])


def closed(arrays: Arrays, told: Strings) -> bytes:
    return bytes(save(arrays, {"spaceport": json.dumps(told)}))


def _change(arrays: Arrays, told: Strings, name: str, change: Callable[[Any], Any]) -> None:
    if name in told:
        told[name] = change(told[name])
    else:
        arrays[name] = np.ascontiguousarray(change(arrays[name]))


def _add(place: Any, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        found = array.copy()
        found[place] += value
        return found

    return change


def _to(value: str) -> Callable[[Any], Any]:
    return lambda _: value


SKETCH = {
    "kind": _to("basis 1"),
    "count": [_to("1001"), _to("-5"), _to("²"), _to("1" * 20), _to("150"), _to("")],
    "blocks": [_to("0"), _to("48"), _to("2048"), _to("32"), _to("4294967296")],
    "room": [_to("0"), _to("199"), _to("201"), _to("9" * 15)],
    "rows": [lambda a: a[:-1], lambda a: a[:, :-1], lambda a: a.astype(np.float64), np.ravel],
    "ids.bytes": [lambda a: a[:-1], _add(3, 1), lambda a: a.astype(np.int8)],
    "ids.ends": [_add(-1, 1), _add(0, 10**6), _add(0, -(10**6)), lambda a: a[:-1]],
    "refs.ends": [_add(-1, -1), lambda a: a[::-1]],
    "refs.bytes": [lambda a: a | 0x80],
    "sizes": [_add(0, 1), _add((slice(2),), np.array([0.5, -0.5])), lambda a: a[:-1], _add(0, np.nan)],
    "cells0": [_add((0, 0), 1), _add((0, slice(2)), np.array([-1e6, 1e6]))],
    "cells1": [_add((0, slice(2)), np.array([0.5, -0.5]))],
    "waves": [lambda a: a[:, :-1], lambda a: a.astype(np.float64), _add((0, 0), np.inf)],
    "scatter": [lambda a: a[:-1], lambda a: -a],
    "mean": [lambda a: a.astype(np.float32), _add(0, np.nan)],
    "cell_sums": [lambda a: a.T],
}  # fmt: skip
BASIS = {
    "kind": _to("sketch 1"),
    "metric": [_to("manhattan"), _to("cosine")],
    "widths": [_to("0"), _to("99"), _to("7")],
    "digest": _to("0" * 64),
    "origin": [lambda a: a[:-1], _add(0, np.nan), _add(0, 1)],
    "frequencies": [np.transpose, lambda a: a.astype(np.float64), lambda a: a[:, :0]],
    "axes": [lambda a: a[:-1], _add((0, 0), 1)],
    "cells0": [lambda a: a[:, :-1], lambda a: a[:0], np.ravel],
}  # fmt: skip


def _cases(told: dict[str, Any]) -> list[tuple[str, Callable[[Any], Any]]]:
    return [
        (name, change)
        for name, changes in told.items()
        for change in (changes if isinstance(changes, list) else [changes])
    ]


@pytest.mark.parametrize(("name", "change"), _cases(SKETCH))
def test_what_is_no_sketch_is_refused(name: str, change: Callable[[Any], Any]) -> None:
    arrays, told = opened(bytes_of(window()))
    _change(arrays, told, name, change)
    with pytest.raises((CorruptError, MismatchError)) as caught:
        sketch_of(closed(arrays, told), basis())
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(("name", "change"), _cases(BASIS))
def test_what_is_no_basis_is_refused(name: str, change: Callable[[Any], Any]) -> None:
    arrays, told = opened(bytes_of(basis()))
    _change(arrays, told, name, change)
    with pytest.raises(CorruptError) as caught:
        basis_of(closed(arrays, told))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("name", sorted(load(bytes_of(window()))))
def test_a_sketch_lacks_nothing(name: str) -> None:
    arrays, told = opened(bytes_of(window()))
    del arrays[name]
    with pytest.raises(CorruptError):
        sketch_of(closed(arrays, told), basis())


@pytest.mark.parametrize(
    "said", ["[]", "{", '{"kind": 1}', '{"kind": "sketch 1", "kind": "sketch 1"}']
)
def test_what_it_says_of_itself_is_an_object_of_strings(said: str) -> None:
    arrays, _ = opened(bytes_of(window()))
    with pytest.raises(CorruptError):
        sketch_of(save(arrays, {"spaceport": said}), basis())


def test_a_complete_sketch_brings_no_sums() -> None:
    arrays, told = opened(bytes_of(window(100)))
    arrays["sizes"] = np.zeros(64)
    with pytest.raises(CorruptError, match="sums that nobody needs"):
        sketch_of(closed(arrays, told), basis())


def test_five_hundred_damaged_files_are_refused_or_harmless(tmp_path: Path) -> None:
    """Bytes are flipped, cut and doubled at random: an error of ours, or a sketch that can be added."""
    random, sound, own = Random(6), bytes_of(window()), window()
    refused = 0
    for _ in range(500):
        data = bytearray(sound)
        place = random.choice([random.randrange(len(data)), random.randrange(4000)])
        kind = random.randrange(4)
        if kind == 0:
            data[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            del data[place : place + random.randrange(1, 9)]
        else:
            data[place:place] = data[: random.randrange(1, 99)]
        try:
            found = sketch_of(bytes(data), basis())
        except SpaceportError:
            refused += 1
        else:
            assert (found + own).count == 2000
    assert refused > 350
