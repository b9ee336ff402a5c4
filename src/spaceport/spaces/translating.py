"""Translate a word or a sentence: its nearest neighbors in another language of the same space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Vector, integer
from spaceport.errors import NotFoundError, ParameterError, choices
from spaceport.geometry.base import nearest
from spaceport.geometry.csls import CSLS
from spaceport.spaces.found import Found

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["LANGUAGE", "translate"]

LANGUAGE = "language"
"""The column that says a row's language."""

_CANDIDATES = 200


def translate(
    version: Version, text: str, to: str | None = None, k: int = 5, retrieval: str = "csls"
) -> Found:
    """Find the rows of another language that are nearest to a word or a text.

    Of the 200 rows with the largest cosines (or 4 `k`, if these are more) the `k` with the largest CSLS
    come; how crowded it is around them is reckoned from all rows of the text's own language.

    Parameters
    ----------
    version : Version
        With a column ``language``: built by `bilingual` from pairs, or joined from two spaces.
    text : str
        The id of a row, ``en:cat``, or a text with its language, ``en: the cat``.
    to : str, optional
        The language to search in; may be left out where there are two.
    k : int
    retrieval : {"csls", "cosine"}
        How neighbors are found; see `geometry.csls`.

    Returns
    -------
    Found
        Ids, similarities (CSLS, in [-4, 4], or cosines) and metadata, best first.

    Raises
    ------
    NotFoundError
        The version has no languages, or not this one, or knows no word of the text.
    """
    integer(k, "k", 1)
    if retrieval not in ("csls", "cosine"):
        raise ParameterError(
            f"There is no retrieval `{retrieval}`.", choices(str(retrieval), ["csls", "cosine"])
        )
    languages = _languages(version)
    source = text.partition(":")[0].strip()
    target = _target(languages, source, to)
    query, X = _query(version, text), version.vectors()
    there = np.flatnonzero(languages == target)
    if retrieval == "cosine":
        near, scores = nearest(X[there], query[None], k)
    else:
        candidates = nearest(X[there], query[None], max(_CANDIDATES, 4 * k))[0][0]
        there = there[candidates]
        near, scores = CSLS(X[languages == source], X[there]).search(query[None], k)
    rows = there[near[0]]
    return Found([version.ids[row] for row in rows], scores[0], version.metadata().take(rows))


def _languages(version: Version) -> npt.NDArray[np.str_]:
    """The language of each row."""
    if LANGUAGE not in version.columns:
        raise NotFoundError(
            f"{version.reference} has no column `{LANGUAGE}`, so it has no languages to translate between.",
            "Build it with bilingual from pairs, or join two spaces of words.",
        )
    return np.array(version.metadata([LANGUAGE]).column(LANGUAGE).to_pylist(), dtype=str)


def _target(languages: npt.NDArray[np.str_], source: str, to: str | None) -> str:
    known: list[str] = np.unique(languages).tolist()
    if source not in known:
        raise NotFoundError(
            f"The text does not begin with a language of the space: {source[:40]!r}.",
            f"Write `{known[0]}:word` or `{known[0]}: a text`. {choices(source, known)}",
        )
    others = [language for language in known if language != source]
    if to is None and len(others) == 1:
        return others[0]
    if to is None or to not in others:
        raise NotFoundError(
            f"There is no other language {to!r} to translate to.", choices(str(to), others)
        )
    return to


def _query(version: Version, text: str) -> Vector:
    """The vector of a row, or of a text; what leaves nothing known is an error."""
    if text in version.ids:
        row: Vector = version.vectors([text])[0]
        return row
    encoded: Vector = version.encode([text])[0]
    if not encoded.any():
        language, _, words = text.partition(":")
        raise NotFoundError(
            f"{version.reference} knows no word of {words.strip()[:60]!r} in {language}.",
            _near(version.ids, text),
        )
    return encoded


def _near(ids: list[str], text: str) -> str:
    start = text[: text.find(":") + 2]
    hint = choices(text, [name for name in ids if name.startswith(start)], shown=0)
    return hint.partition("There ")[0].strip() or "Check the spelling."
