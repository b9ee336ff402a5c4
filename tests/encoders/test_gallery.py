"""Pictures read into memory, and the split that keeps groups whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from encoders.planted_pictures import Pictures, ppm
from spaceport.encoders._gallery import held_out, read
from spaceport.errors import InputError, NotFoundError

NOISE = np.random.default_rng(0).integers(0, 256, (70, 10, 12, 3), np.uint8)
FILES = [ppm(picture) for picture in NOISE]
KINDS = [f"k{row % 3}" for row in range(70)]


def saved(mode: str, kind: str = "PNG") -> bytes:
    with io.BytesIO() as stream:
        Image.new(mode, (12, 10), 77 if mode in ("L", "P", "I;16") else None).save(stream, kind)
        return stream.getvalue()


def test_pictures_labels_and_groups_stay_together() -> None:
    tracks = [row // 7 for row in range(70)]
    found = read(Pictures(FILES, KINDS, tracks), (12, 10), labeled=True, group="track")
    assert np.array_equal(found.pictures, NOISE)
    assert found.labels == KINDS
    assert found.groups == [str(track) for track in tracks]
    assert read(Pictures(FILES), (12, 10), labeled=False, group=None).groups[:2] == ["p0", "p1"]


def test_groups_may_be_a_part_of_the_id() -> None:
    ids = [f"14/{row // 7:05}_{row:05}.ppm" for row in range(70)]
    found = read(Pictures(FILES, ids=ids), (12, 10), labeled=False, group="(.*)_")
    assert found.groups == [f"14/{row // 7:05}" for row in range(70)]


def test_pictures_without_a_label_are_left_out_and_counted() -> None:
    kinds = [None if row % 10 == 4 else kind for row, kind in enumerate(KINDS)]
    found = read(Pictures(FILES, kinds), (12, 10), labeled=True, group=None)
    assert found.unlabeled == 7
    assert np.array_equal(found.pictures, np.delete(NOISE, np.arange(4, 70, 10), axis=0))
    assert found.labels == [kind for kind in kinds if kind]
    assert found.groups == [f"p{row}" for row in range(70) if kinds[row]]


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_any_channels_become_three(mode) -> None:
    file = saved(mode, "TIFF" if mode == "CMYK" else "PNG")
    assert read(Pictures([file]), (12, 10), False, None).pictures.shape == (1, 10, 12, 3)


def test_the_digest_tells_pictures_labels_and_groups_apart() -> None:
    def digest(files=FILES, kinds=KINDS, group=None) -> str:
        return read(Pictures(files, kinds), (12, 10), True, group).digest()

    one = digest()
    assert digest() == one
    others = {digest(FILES[::-1]), digest(kinds=KINDS[::-1]), digest(group="(p)")}
    assert len(others | {one}) == 4


def test_unreadable_pictures_are_counted_over_all_batches_and_named() -> None:
    files = [*FILES[:20], b"x", *FILES[:50], saved("L")[:40], b""]
    with pytest.raises(InputError, match=r"3 of 73 pictures cannot be read; the first is 'p20'"):
        read(Pictures(files), (12, 10), labeled=False, group=None)


@pytest.mark.parametrize(
    ("params", "group", "error", "message"),
    [
        ({"label": None}, None, InputError, "does not say which class.*\n.*--label"),
        ({"label": "sign"}, None, NotFoundError, "no column `sign`.\nThere are: kind"),
        ({"kinds": [None] * 70}, None, InputError, "No picture of .* has a `kind`"),
        ({}, "trakc", NotFoundError, "no column `trakc`.\nThere are: kind"),
        ({}, "(", NotFoundError, r"no column `\(`"),
        ({}, "(q)", NotFoundError, "does not match the id 'p0'"),
    ],
)
def test_what_is_missing_is_told(params, group, error, message) -> None:
    source = Pictures(**({"files": FILES, "kinds": KINDS} | params))
    with pytest.raises(error, match=message):
        read(source, (12, 10), labeled=True, group=group)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=2, max_size=60),
    st.floats(0.01, 0.5),
    st.integers(0, 5),
)
def test_a_split_keeps_groups_whole_and_leaves_every_class_something(pairs, share, seed) -> None:
    strata = [f"c{stratum}" for _, stratum in pairs]
    groups = [f"c{stratum}/{group}" for group, stratum in pairs]
    if all(len({g for g in groups if g.startswith(f"{c}/")}) < 2 for c in set(strata)):
        with pytest.raises(InputError, match="Nothing can be held out"):
            held_out(groups, strata, share, seed)
        return
    held = held_out(groups, strata, share, seed)
    sides = {group: held[row] for row, group in enumerate(groups)}
    assert all(held[row] == sides[group] for row, group in enumerate(groups))
    assert held.any()
    assert {strata[row] for row in np.flatnonzero(~held)} == set(strata)
    order = np.random.default_rng(seed).permutation(len(pairs))
    again = held_out([groups[row] for row in order], [strata[row] for row in order], share, seed)
    assert np.array_equal(again, held[order])


def test_of_each_class_the_share_of_its_groups_is_held_out() -> None:
    groups = [f"{row // 30}" for row in range(3000)]
    strata = [row // 1500 for row in range(3000)]
    held = held_out(groups, strata, 0.2, seed=3)
    assert held[:1500].sum() == held[1500:].sum() == 10 * 30
    assert not np.array_equal(held, held_out(groups, strata, 0.2, seed=4))


def test_most_items_keep_their_side_when_the_collection_grows() -> None:
    names = [str(row) for row in range(1100)]
    before = held_out(names[:1000], [""] * 1000, 0.1, seed=0)
    after = held_out(names, [""] * 1100, 0.1, seed=0)[:1000]
    assert (before != after).mean() < 0.02
