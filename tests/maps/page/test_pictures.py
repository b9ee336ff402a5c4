"""Which small pictures a page holds, and how; that it shows them is in test_browser."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from spaceport.errors import InputError
from spaceport.maps.page import html
from spaceport.maps.page._pictures import addresses
from spaceport.maps.page.base import Page


def small(format: str, color: str = "red") -> bytes:
    with io.BytesIO() as stream:
        Image.new("RGB", (8, 8), color).save(stream, format)
        return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_an_address_holds_the_picture_itself(format: str) -> None:
    data = small(format)
    (address,), told = addresses([data])
    head, text = address.split(",")
    assert head == f"data:image/{format.lower()};base64"
    assert base64.b64decode(text) == data
    assert told == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"RIFF1234WAVE",
        small("GIF"),
        b"javascript:alert(1)",
    ],
)
def test_what_is_no_such_picture_is_left_out_and_said(data: bytes) -> None:
    made, told = addresses([small("PNG"), data, None])
    assert made[1:] == [None, None]
    assert made[0] is not None
    assert told == ["Pictures that are no PNG, JPEG or WebP file and are not shown: 1."]


@pytest.mark.parametrize("seed", range(5))
def test_too_many_are_thinned_out_evenly_and_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = [b"\xff\xd8\xff" + bytes(rng.integers(10, 5000)) for _ in range(500)]
    made, told = addresses(pictures, 300_000)
    kept = [place for place, address in enumerate(made) if address]
    total = sum(len(pictures[place]) for place in kept)
    assert 150_000 < total <= 300_000
    assert len(set(np.diff(kept))) == 1
    assert told[0].startswith(f"{len(kept)} of 500 items show their picture")
    assert addresses(pictures, 10**9)[1] == []
    assert addresses(pictures, 5)[0] == [None] * 500


def test_the_page_stays_within_its_budget() -> None:
    """30 MB of pictures that do not compress: at most 20 of them are in the page, and a note says so."""
    rng = np.random.default_rng(0)
    pictures = [b"\xff\xd8\xff" + rng.bytes(30_000) for _ in range(1000)]
    page = Page("t", rng.normal(size=(1000, 2)), [str(n) for n in range(1000)], pictures=pictures)
    told = html.payload(page)
    assert sum(len(address or "") for address in told["pictures"]) < 20e6 * 4 / 3 + 100_000
    assert told["notes"] == [
        "500 of 1,000 items show their picture: this page holds at most 20 MB of them."
    ]


def test_another_number_of_pictures_than_of_items_is_refused() -> None:
    with pytest.raises(InputError, match="`pictures` must hold 2 values. Got 1"):
        Page("t", [[0, 0], [1, 1]], ["a", "b"], pictures=[small("PNG")])
