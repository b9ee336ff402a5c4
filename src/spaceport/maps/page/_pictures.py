"""Small pictures that a page holds in itself, as ``data:`` addresses."""

from __future__ import annotations

import base64
from collections.abc import Sequence

__all__ = ["MOST_BYTES", "addresses"]

MOST_BYTES = 20_000_000
"""Of all pictures of a page together; with more, a part of the items gets none."""

_MAGIC = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))


def addresses(
    pictures: Sequence[bytes | None], most: int = MOST_BYTES
) -> tuple[list[str | None], list[str]]:
    """Give each picture as an address that holds it, and sentences about those that are left out.

    Only PNG, JPEG and WebP files are taken, told by their first bytes: none of them can hold a script
    that a browser runs. Where all together are larger than `most` bytes, those of items at even steps
    are kept.

    Parameters
    ----------
    pictures : sequence of n bytes or None
    most : int

    Examples
    --------
    >>> addresses([bytes([0xFF, 0xD8, 0xFF]), None])
    (['data:image/jpeg;base64,/9j/', None], [])
    """
    kinds = [None if data is None else _kind(data) for data in pictures]
    known = [place for place, kind in enumerate(kinds) if kind is not None]
    strange = sum(data is not None for data in pictures) - len(known)
    kept = _at_even_steps([len(pictures[place] or b"") for place in known], most)
    made: list[str | None] = [None] * len(pictures)
    for place in (known[one] for one in kept):
        text = base64.b64encode(pictures[place] or b"").decode("ascii")
        made[place] = f"data:image/{kinds[place]};base64,{text}"
    told = []
    if strange:
        told.append(f"Pictures that are no PNG, JPEG or WebP file and are not shown: {strange:,}.")
    if len(kept) < len(known):
        told.append(
            f"{len(kept):,} of {len(known):,} items show their picture: "
            f"this page holds at most {most // 1_000_000} MB of them."
        )
    return made, told


def _kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _at_even_steps(sizes: list[int], most: int) -> list[int]:
    """The longest evenly spaced choice, from the first on, whose sizes add up to no more than `most`."""
    step = max(1, -(-sum(sizes) // max(most, 1)))
    while sum(sizes[::step]) > most and step < len(sizes):
        step += 1
    return [] if sum(sizes[::step]) > most else list(range(0, len(sizes), step))
