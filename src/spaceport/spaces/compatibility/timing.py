"""How long encoding will take, and how many tokens it will be: measured on a few items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.encoders.base import contents
from spaceport.errors import SpaceportError
from spaceport.methods import make

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.sources.base import Source

__all__ = ["SAMPLE", "Pace", "pace", "to_fit_on", "to_time"]

SAMPLE = 256
SAMPLE_REMOTE = 16
FITTED_ON = 1000
_PARTS = 8
_T = 2.365
"""Student's t of a 95 % interval with 7 degrees of freedom: eight parts are timed."""


@dataclass(frozen=True)
class Pace:
    """What was measured on a sample.

    Attributes
    ----------
    items : int
        Encoded to measure.
    dimension : int or None
        Of the vectors; None where nothing could be encoded before the encoder is fitted.
    seconds, low, high : float or None
        For one item, with the 95 % interval of the mean (Student's t over eight parts).
    fit : float or None
        Seconds for one item of fitting, taken to grow with the items.
    tokens : float or None
        For one text: as the endpoint counted them, else a fourth of its characters.
    counted : bool
        The endpoint counted them.
    note : str
        What could not be measured, and why.
    """

    items: int
    dimension: int | None = None
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    fit: float | None = None
    tokens: float | None = None
    counted: bool = False
    note: str = ""


def to_time(encoder: Encoder) -> int:
    """How many items to encode; an endpoint is asked for few, since they cost."""
    return SAMPLE_REMOTE if encoder.name == "remote" else SAMPLE


def to_fit_on(encoder: Encoder) -> int:
    """How many items to read: a fitted encoder is fitted on more than are timed."""
    return FITTED_ON if encoder.fitted else to_time(encoder)


def pace(encoder: Encoder, sample: Source) -> Pace:
    """Encode a sample and time it; an encoder that learns is learnt on the sample, another one of its kind.

    Parameters
    ----------
    encoder : Encoder
        Is left as it is.
    sample : Source
        `to_fit_on` items.
    """
    items: list[Any] = [item for batch in sample.batches() for item in contents(batch)]
    chars = [len(item) for item in items if isinstance(item, str)]
    tokens = float(np.mean(chars)) / 4 if chars else None
    if encoder.fitted and encoder.costly:
        return Pace(0, tokens=tokens, note="it is trained anew, which was not timed")
    try:
        ready, fit = _ready(encoder, sample, len(items))
        timed = items[: to_time(encoder)]
        asked = _tokens(ready)
        dimension, seconds = _timed(ready, timed)
    except SpaceportError as error:
        return Pace(0, tokens=tokens, note=f"a sample could not be encoded: {error.what}")
    counted = _tokens(ready) - asked
    mean = float(np.mean(seconds))
    half = _T * float(np.std(seconds, ddof=1)) / np.sqrt(len(seconds)) if len(seconds) > 1 else mean
    return Pace(
        items=len(timed),
        dimension=dimension,
        seconds=mean,
        low=max(mean - half, 0.0),
        high=mean + half,
        fit=fit,
        tokens=counted / len(timed) if counted else tokens,
        counted=counted > 0,
    )


def _ready(encoder: Encoder, sample: Source, count: int) -> tuple[Encoder, float | None]:
    if not encoder.fitted:
        return encoder, None
    fresh: Encoder = make("encoders", encoder.name, encoder.params())
    start = time.perf_counter()
    fresh.fit(sample)
    return fresh, (time.perf_counter() - start) / count


def _timed(encoder: Encoder, items: Sequence[Any]) -> tuple[int, list[float]]:
    """The dimension, and seconds an item of each part; what comes first warms up and is not timed."""
    size = max(len(items) // _PARTS, 1)
    dimension = len(encoder.encode(items[:1])[0]) if encoder.name != "remote" else 0
    seconds = []
    for place in range(0, len(items), size):
        part = items[place : place + size]
        start = time.perf_counter()
        found = encoder.encode(part)
        seconds.append((time.perf_counter() - start) / len(part))
        dimension = found.shape[1]
    return dimension, seconds[:_PARTS]


def _tokens(encoder: Encoder) -> int:
    told = encoder.facts().get("tokens", 0)
    return told if isinstance(told, int) else 0
