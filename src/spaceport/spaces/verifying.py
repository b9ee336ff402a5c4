"""Whether a version is whole, and its encoder still gives what it gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spaceport.errors import SpaceportError

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes
    ----------
    problems : list of str
        Empty where all is well.
    canaries : str
        What became of the canaries, or why they were not encoded.
    """

    problems: list[str]
    canaries: str


def verify(version: Version, canaries: bool = True) -> Verified:
    """Hash every file of a version, count its rows and ids, and encode its canaries again.

    The canaries of a version whose files are not whole are left alone, and so are those of an encoder
    that was not saved whole (a user's function), which must be bound first: `Version.check_canaries`.
    """
    problems = list(version.store.verify(version.record))
    if problems or not canaries:
        return Verified(problems, "canaries not encoded")
    try:
        encoder = version.encoder
        if encoder is None:
            return Verified([], "no encoder, so no canaries")
        if not encoder.portable:
            return Verified([], "canaries not encoded: the encoder must be given anew (bind)")
        report = version.check_canaries()
    except SpaceportError as error:
        told = f"the canaries cannot be encoded: {error.what}"
        return Verified([told], told)
    if report is None:
        return Verified([], "no canaries")
    return Verified([] if report.ok else [str(report)], str(report))
