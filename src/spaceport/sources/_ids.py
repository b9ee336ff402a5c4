"""Ids made of contents, for items that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

__all__ = ["content_ids"]


def content_ids(contents: Iterable[bytes], times: Counter[str]) -> list[str]:
    """Make ids of contents: their hash, and from its second occurrence on a number.

    Parameters
    ----------
    contents : iterable of n bytes
    times : Counter
        How often each hash came up before; updated.

    Returns
    -------
    list of n str
        20 hexadecimal digits each (BLAKE2b, 80 bits), then ``-2``, ``-3``, …

    Examples
    --------
    >>> content_ids([b"cat", b"hen", b"cat"], Counter())
    ['b36e4bbb40ce511bc7bf', '21983680aad272da06bc', 'b36e4bbb40ce511bc7bf-2']
    """
    ids = []
    for content in contents:
        digest = blake2b(content, digest_size=10).hexdigest()
        times[digest] += 1
        ids.append(digest if times[digest] == 1 else f"{digest}-{times[digest]}")
    return ids
