"""What an OpenAI-compatible ``/embeddings`` endpoint answers, checked and turned into an array."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from spaceport.arrays import Matrix, Vector
from spaceport.errors import InputError

__all__ = ["GOES_ON", "said", "vectors"]

GOES_ON = "What a build has encoded is kept: run the same again and it goes on."
_WRONG = "The endpoint is at fault: tell whoever runs it."


def vectors(answer: dict[str, Any], texts: Sequence[str], span: str) -> Matrix:
    """The vectors of an answer, in the order of `texts`.

    Each is base64 over little-endian float32, or a list of numbers; their order is that of ``index``
    where it is told.

    Returns
    -------
    ndarray of shape (n, d), float32, finite

    Raises
    ------
    InputError
        Another number of vectors than of texts, no vectors, unequal lengths, NaN or infinity.
    """
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(part, dict) for part in data):
        raise InputError(f"The answer for {span} holds no vectors (`data`).", _WRONG)
    if len(data) != len(texts):
        raise InputError(
            f"{len(data)} vectors came for {len(texts)} texts ({span}).", f"{_WRONG} {GOES_ON}"
        )
    places = [part.get("index", place) for place, part in enumerate(data)]
    if set(map(str, places)) != set(map(str, range(len(texts)))):
        raise InputError(f"The answer for {span} does not index each text once.", _WRONG)
    rows = [_numbers(part.get("embedding"), span) for part in data]
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1 or not widths[0]:
        told = " and ".join(map(str, widths))
        raise InputError(f"One answer ({span}) has vectors of {told} numbers.", _WRONG)
    found = np.empty((len(rows), widths[0]), np.float32)
    found[[int(place) for place in places]] = rows
    _refuse_non_finite(found, texts, span)
    return found


def said(body: bytes, key: str) -> str:
    """What a refusal says, on one line, without the key."""
    try:
        told = json.loads(body)
    except ValueError:
        told = body.decode("utf-8", "replace")
    for name in ("error", "message", "detail"):
        if isinstance(told, dict) and name in told:
            told = told[name]
    text = " ".join((told if isinstance(told, str) else json.dumps(told)).split())
    if key:
        text = text.replace(key, "…")
    return text if len(text) <= 300 else f"{text[:300]}…"


def _numbers(embedding: object, span: str) -> Vector:
    try:
        if isinstance(embedding, str):
            return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
        if isinstance(embedding, list):
            wide = np.array(embedding, np.float64)
            with np.errstate(over="ignore"):  # what overflows is refused as infinity below
                if wide.ndim == 1:
                    return wide.astype(np.float32)
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InputError(
        f"A vector for {span} is neither base64 over float32 nor a list of numbers.", _WRONG
    )


def _refuse_non_finite(found: Matrix, texts: Sequence[str], span: str) -> None:
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        text = texts[bad[0]]
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        raise InputError(
            f"{len(bad)} of {len(texts)} vectors hold NaN or infinity ({span}); the first is that "
            f"of {shown!r}.",
            f"{_WRONG} {GOES_ON}",
        )
