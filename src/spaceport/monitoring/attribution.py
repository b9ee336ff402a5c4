"""Whether the data moved or the model did.

Vectors drift for two reasons: other things are encoded, or things are encoded otherwise. Inputs whose
vectors are known tell the second from the first::

    drift found   model moved   window encoded again   verdict
    -----------   -----------   --------------------   ----------------------------------------------
    no            no                                   neither
    yes           no                                   data
    any           yes           no drift               model
    any           yes           drift                  both
    no            yes           could not be           model
    yes           yes           could not be           unclear: the model moved, the data may have too
    yes           nobody knows                         unclear

Who says whether the model moved, the first that is there: the vectors that production gave for the
version's canaries; items of the window whose content is logged beside the vector, encoded again; the
version's canaries, encoded again by its own encoder. The last one speaks for the encoder of the version,
and that production uses it is taken on trust.

A window is encoded again by the version's own encoder, so only where that one still is what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import SpaceportError
from spaceport.monitoring import _vectors
from spaceport.spaces.canaries import CanaryReport, departures

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.spaces.version import Version

__all__ = ["VERDICTS", "Attribution", "Sample", "attribute", "judged"]

VERDICTS = ("neither", "data", "model", "both", "unclear")

MOVED_SHARE = 0.05
"""Of items that are encoded again, more than this share must depart for the model to have moved."""

_TRUST = "that production uses the version's encoder is taken on trust"
_WORDS = {
    "neither": "neither data nor model moved",
    "data": "the data moved",
    "model": "the model moved",
    "both": "data and model moved",
    "unclear": "data and model cannot be told apart",
}


@dataclass(frozen=True)
class Attribution:
    """What moved.

    Attributes
    ----------
    verdict : {"neither", "data", "model", "both", "unclear"}
    reason : str
        What it rests on, in a sentence.
    departure : float or None
        The largest departure of an input whose vector is known.
    """

    verdict: str
    reason: str
    departure: float | None = None

    def __str__(self) -> str:
        return f"{_WORDS[self.verdict]}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows of a window: contents and the vectors that were logged for them.

    Attributes
    ----------
    contents : pyarrow.Array of length n
        What the version's encoder takes.
    vectors : ndarray of shape (n, d), float32
    encoded_here : bool
        The vectors were made by the version's encoder when the log was read.
    """

    contents: pa.Array
    vectors: Matrix
    encoded_here: bool = False


@dataclass(frozen=True)
class _Witness:
    moved: bool
    told: str
    departure: float


def judged(drifted: bool, moved: bool | None, again: bool | None) -> str:
    """The verdict, by the table above.

    Parameters
    ----------
    drifted : bool
        The window's vectors differ from the reference.
    moved : bool or None
        The model did; None where nobody knows.
    again : bool or None
        The window's items, encoded by the reference's model, differ from the reference; None where they
        could not be.

    Examples
    --------
    >>> judged(True, False, None), judged(True, True, False), judged(True, None, None)
    ('data', 'model', 'unclear')
    """
    if not moved:
        return "neither" if not drifted else "data" if moved is False else "unclear"
    if again is None:
        return "unclear" if drifted else "model"
    return "both" if again else "model"


def attribute(
    version: Version,
    drifted: bool,
    *,
    sample: Sample | None = None,
    test: Callable[[Matrix], bool] | None = None,
    production: CanaryReport | None = None,
) -> Attribution:
    """Tell whether the data moved, the model did, both or neither.

    Parameters
    ----------
    version : Version
        The reference.
    drifted : bool
        Whether the window's vectors differ from the reference.
    sample : Sample, optional
        Rows of the window with their contents.
    test : callable, optional
        Takes vectors (n, d) of the sample, as the version's encoder gives them now, and tells whether
        they differ from the reference. Called only where the model moved.
    production : CanaryReport, optional
        What production gave for the canaries; see `canary_files.production_report`.
    """
    own, failed = _own(version)
    encoder = version.encoder if own is not None and own.ok else None
    here = _encoded(version, encoder, sample)
    witness = _witness(own, production, here, sample)
    again, why = None, ""
    if witness is not None and witness.moved:
        again, why = _again(here, test, own, sample)
    verdict = judged(drifted, None if witness is None else witness.moved, again)
    return Attribution(
        verdict,
        _reason(drifted, witness, again, why, failed),
        None if witness is None else witness.departure,
    )


def _own(version: Version) -> tuple[CanaryReport | None, str]:
    """The version's canaries by its own encoder; or why they could not be encoded."""
    try:
        return version.check_canaries(), ""
    except SpaceportError as error:
        return None, error.what


def _encoded(
    version: Version, encoder: Encoder | None, sample: Sample | None
) -> tuple[Matrix, npt.NDArray[np.bool_]] | None:
    """The sample by the version's own encoder, and which rows of it could be read."""
    if encoder is None or sample is None or sample.encoded_here or not len(sample.contents):
        return None
    dimension = version.contract.dimension
    try:
        vectors, faults, _ = _vectors.encoded(sample.contents, encoder, dimension, Path())
    except SpaceportError:
        return None
    return (vectors, faults == 0) if (faults == 0).any() else None


def _witness(
    own: CanaryReport | None,
    production: CanaryReport | None,
    here: tuple[Matrix, npt.NDArray[np.bool_]] | None,
    sample: Sample | None,
) -> _Witness | None:
    if production is not None:
        told = f"in production {production}"
        return _Witness(not production.ok, told, production.largest)
    if here is not None and sample is not None and own is not None:
        vectors, read = here
        return _of_items(departures(vectors[read], sample.vectors[read]), own.tolerance)
    if own is not None:
        known = sample is not None and sample.encoded_here
        told = f"{own}" if known else f"{own}; {_TRUST}"
        return _Witness(not own.ok, told, own.largest)
    return None


def _of_items(found: npt.NDArray[np.float64], tolerance: float) -> _Witness:
    far = found > tolerance
    told = (
        f"{int(far.sum()):,} of {len(found):,} logged items have another vector when the version's encoder "
        f"encodes them (largest departure {found.max():.2g}, tolerance {tolerance:.2g})"
    )
    return _Witness(bool(far.mean() > MOVED_SHARE), told, float(found.max()))


def _again(
    here: tuple[Matrix, npt.NDArray[np.bool_]] | None,
    test: Callable[[Matrix], bool] | None,
    own: CanaryReport | None,
    sample: Sample | None,
) -> tuple[bool | None, str]:
    """Test the window as the reference's model sees it; or say why that cannot be."""
    if here is not None and test is not None:
        vectors, read = here
        return test(vectors[read]), ""
    if sample is None or test is None:
        return None, "the log has no contents to encode again"
    if own is not None and not own.ok:
        return None, "the version's own encoder is no longer what it was"
    return None, "the version's encoder cannot encode them again"


def _reason(
    drifted: bool, witness: _Witness | None, again: bool | None, why: str, failed: str
) -> str:
    seen = "the vectors drifted" if drifted else "the vectors did not drift"
    if witness is None:
        return (
            f"{seen}; nothing tells whether the model moved ({failed or 'there are no canaries'})"
        )
    told = f"{seen}; {witness.told}"
    if again is not None:
        return f"{told}; encoded by the version's encoder the window {'drifted' if again else 'did not'}"
    return f"{told}; {why}" if why else told
