"""What happened to the vectors between two versions, in plain words.

Names: ``same``, ``changed``, ``some moved``, ``shuffled``, ``scaling``, ``translation``, ``rotation``,
``lengths``, ``noise``, ``prefix``, ``longer``, ``linear``, ``other``, ``metric``, and of the encoder
``method``, ``seed``, ``tokenizer``, ``encoder``, ``refitted``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spaceport.spaces.compatibility.pairing import Pairs
from spaceport.spaces.compatibility.parts import Part
from spaceport.spaces.compatibility.passing import Passed
from spaceport.spaces.compatibility.rigid import Rigid, simplest

__all__ = ["Finding", "find"]

_EXPLAINED = 1e-3  # relative size of what float32 may leave of an exact map
_NOISE = 0.5  # relative size beyond which what a rotation leaves is no noise any more
_FEW = 0.5  # share of moved items up to which the others are told to be where they were
_ALIKE = 1e-2
_SHOWN = 4


@dataclass(frozen=True)
class Finding:
    """One thing that happened.

    Attributes
    ----------
    name : str
        For programs; see the module.
    text : str
        A sentence.
    size : float or None
        How large: a scale, a share, a relative size.
    """

    name: str
    text: str
    size: float | None = None


def find(pairs: Pairs, passed: Passed, parts: Sequence[Part]) -> list[Finding]:
    """Say what happened, the vectors first.

    Parameters
    ----------
    pairs : Pairs
    passed : Passed
        What one pass over the shared vectors found.
    parts : sequence of Part
        In what the encoders differ.
    """
    return [*_vectors(passed), *_metric(pairs), *_changed(pairs), *_encoder(parts)]


def _vectors(passed: Passed) -> Iterator[Finding]:
    moments, rows = passed.moments, passed.rows
    if moments.left.dimension != moments.right.dimension:
        yield from _dimensions(passed)
    elif not rows.moved:
        yield Finding(
            "same", f"Every shared item has the vector it had (within {rows.tolerance:g})."
        )
    elif _shuffled(passed):
        yield _exchanged(passed)
    elif rows.moved <= _FEW * moments.count:
        yield _some(passed)
    elif _turned_none(passed):
        yield Finding(
            "lengths", "Every vector keeps its direction; lengths changed" + _unit(passed)
        )
    else:
        yield from _mapped(passed)


def _mapped(passed: Passed) -> Iterator[Finding]:
    """All moved: by a simple map, by one and noise, or no map that can be named."""
    moments = passed.moments
    found = simplest(moments, _EXPLAINED)
    if found is None:
        yield Finding(
            "other", f"{moments.count:,} shared items are too few to tell how they moved."
        )
        return
    linear = float(np.sqrt(moments.unexplained()))
    if found.left > _NOISE:
        yield _unlike(passed, found, linear)
        return
    yield from _steps(found)
    if found.left > 2 * _EXPLAINED or not found.steps:
        helps = linear < found.left * np.sqrt(0.5)
        rest = f"a linear map leaves {linear:.2g}" if helps else "no linear map explains it"
        after = "What that leaves is" if found.steps else "Vectors stayed, but for"
        name = "linear" if linear <= 2 * _EXPLAINED < found.left else "noise"
        yield Finding(name, f"{after} noise of relative size {found.left:.2g}; {rest}.", found.left)


def _steps(found: Rigid) -> Iterator[Finding]:
    if "rotation" in found.steps:
        yield Finding(
            "rotation", "The coordinates were turned: a rotation (or reflection) leads over."
        )
    if "scaling" in found.steps:
        yield Finding("scaling", f"All vectors were scaled by {found.scale:.4g}.", found.scale)
    if "translation" in found.steps:
        text = f"The mean moved by {found.shift:.3g} of the vectors' spread."
        yield Finding("translation", text, found.shift)


def _unlike(passed: Passed, found: Rigid, linear: float) -> Finding:
    """No rotation leads over: ids and vectors mixed up, or other coordinates."""
    moments = passed.moments
    spectra = [np.linalg.eigvalsh(side.scatter)[::-1] for side in (moments.left, moments.right)]
    alike = bool(np.abs(spectra[0] - spectra[1]).max() < _ALIKE * spectra[0][0])
    if alike and linear > 1 - _ALIKE * 5:
        return Finding(
            "shuffled",
            "The cloud keeps its shape, but no item is near its old place: ids and vectors may be mixed up.",
        )
    return Finding(
        "other",
        f"Other coordinates: the best rotation leaves {found.left**2:.0%} of the spread, "
        f"the best linear map {linear**2:.0%}.",
        found.left,
    )


def _dimensions(passed: Passed) -> Iterator[Finding]:
    """The dimensions differ: one may be the beginning of the other."""
    moments, rows = passed.moments, passed.rows
    p, q = moments.left.dimension, moments.right.dimension
    if rows.compared and rows.turned <= _EXPLAINED**2:
        text = f"The first {min(p, q)} of {max(p, q)} dimensions are the same"
        name = "prefix" if q < p else "longer"
        more = "" if _same_sizes(passed) else ", but for their lengths" + _unit(passed).rstrip(".")
        yield Finding(name, f"{text}{more}: {p} dimensions became {q}.", q / p)
        return
    linear = float(np.sqrt(moments.unexplained()))
    if linear <= 2 * _EXPLAINED:
        yield Finding("linear", f"{p} dimensions became {q} by a linear map.", linear)
        return
    text = (
        f"Other coordinates: {p} dimensions became {q}; the best linear map leaves {linear**2:.0%}."
    )
    yield Finding("other", text, linear)


def _same_sizes(passed: Passed) -> bool:
    """Whether the leading dimensions are equal as they stand."""
    moments = passed.moments
    width = min(moments.left.dimension, moments.right.dimension)
    own, _, other = moments.products(centering=False)
    sizes = [float(np.trace(gram[:width, :width])) for gram in (own, other)]
    return abs(sizes[0] - sizes[1]) <= 2 * _EXPLAINED * max(sizes)


def _turned_none(passed: Passed) -> bool:
    """Whether every row keeps its direction while lengths change by no common factor."""
    rows, moments = passed.rows, passed.moments
    if not rows.compared or rows.turned > _EXPLAINED**2:
        return False
    found = simplest(moments, _EXPLAINED)
    return found is None or found.left > 2 * _EXPLAINED


def _unit(passed: Passed) -> str:
    return " to one." if passed.rows.right.normalized else "."


def _shuffled(passed: Passed) -> bool:
    return passed.rows.digests[0] == passed.rows.digests[1]


def _exchanged(passed: Passed) -> Finding:
    share = passed.rows.moved / passed.moments.count
    text = (
        f"The vectors are the same, but {passed.rows.moved:,} items ({_share(share)}) have another "
        "item's: rows were shuffled."
    )
    return Finding("shuffled", text, share)


def _some(passed: Passed) -> Finding:
    count, moved = passed.moments.count, passed.rows.moved
    text = (
        f"{moved:,} of {count:,} shared items ({_share(moved / count)}) have another vector; "
        "all others are where they were."
    )
    return Finding("some moved", text, moved / count)


def _metric(pairs: Pairs) -> Iterator[Finding]:
    old, new = pairs.old.contract.metric, pairs.new.contract.metric
    if old != new:
        yield Finding("metric", f"The metric was {old} and is {new}.")


def _changed(pairs: Pairs) -> Iterator[Finding]:
    count = len(pairs.changed)
    if count:
        share = count / (count + len(pairs))
        text = f"{count:,} items ({_share(share)} of those that both have) have another content."
        yield Finding("changed", text, share)


def _encoder(parts: Sequence[Part]) -> Iterator[Finding]:
    """What differs in the encoder; what was learnt only where nothing else does."""
    files = [part for part in parts if _is_file(part)]
    told = [part for part in parts if not part.name.startswith(("arrays.", "state."))] + files
    if told:
        yield Finding(_kind(told), f"The encoder differs: {_listed([p.text for p in told])}.")
    elif parts:
        names = [part.name.partition(".")[2] for part in parts]
        text = f"The same method with the same parameters learnt something else: {_listed(names)}."
        yield Finding("refitted", text)


def _is_file(part: Part) -> bool:
    """Whether it is the digest of a model's file, which nobody learnt here."""
    return part.name.startswith("state.") and part.text.endswith(" differs")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _kind(parts: Sequence[Part]) -> str:
    names = [part.name for part in parts]
    if "method" in names:
        return "method"
    if any("tokenizer" in name for name in names):
        return "tokenizer"
    return "seed" if names == ["parameters.seed"] else "encoder"


def _share(share: float) -> str:
    """A share as a percentage, with a decimal where it is small."""
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
