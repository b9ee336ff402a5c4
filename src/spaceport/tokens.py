"""The tokenization rule: how a text becomes words.

The rule is part of an encoder's parameters, and so of its fingerprint: another rule, other numbers.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from spaceport.errors import ParameterError

__all__ = ["WORDS", "Tokenizer"]

WORDS = "words"


@dataclass(frozen=True)
class Tokenizer:
    r"""Split text into words.

    The rule: normalize to NFC; lower-case unless told not to; take each match of `pattern`.
    The pattern ``"words"`` takes every run of letters, digits and combining marks of any script
    (so ``naïve`` and ``हिन्दी`` stay whole); underscores, apostrophes and all else separate. Scripts
    written without spaces (Chinese, Japanese, Thai) come out as runs, not as words: give those
    texts already segmented, or a pattern such as ``r"\w"``.

    Parameters
    ----------
    pattern : str
        ``"words"``, or a regular expression of Python's `re`.
    lowercase : bool
        Lower-case first.

    Examples
    --------
    >>> Tokenizer()("The cat's naïve; it read_csv'd 3 files.")
    ['the', 'cat', 's', 'naïve', 'it', 'read', 'csv', 'd', '3', 'files']
    >>> Tokenizer(r"\S+", lowercase=False)("Don't panic")
    ["Don't", 'panic']
    """

    pattern: str = WORDS
    lowercase: bool = True
    _find: Callable[[str], list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        find = _find_words if self.pattern == WORDS else _compile(self.pattern).findall
        object.__setattr__(self, "_find", find)

    def __call__(self, text: str) -> list[str]:
        """Give the words of `text`, in order."""
        text = unicodedata.normalize("NFC", text)
        return self._find(text.lower() if self.lowercase else text)


def _find_words(text: str) -> list[str]:
    """Runs of letters, digits and marks.

    Latin-1 text, with or without typographic punctuation, is most text by far: a table of bytes
    splits it several times faster than the pattern does, and alike.
    """
    if text.isascii() or not _BEYOND_TABLE.search(text):
        return text.encode("latin-1", "replace").translate(_SPACED).decode("latin-1").split()
    return _unicode_words().findall(text)


_BEYOND_TABLE = re.compile("[^\x00-\xff\u2000-\u206f]")  # the latter block holds no letter, no mark
_SPACED = bytes(code if chr(code).isalnum() else ord(" ") for code in range(256))


@lru_cache(maxsize=1)
def _unicode_words() -> re.Pattern[str]:
    r"""Python's ``\w`` leaves combining marks out, which would cut Hindi words at their vowel signs.

    The marks are tested only where a run of letters ends, and those beyond the basic plane behind a
    guard: one class of all of them would be searched range by range for every character.
    """
    basic, beyond = _marks(0, 0xFFFF), _marks(0x10000, sys.maxunicode)
    mark = rf"(?:[{basic}]|(?=[\U00010000-\U0010ffff])[{beyond}])"
    return re.compile(rf"[^\W_]+(?:{mark}+[^\W_]*)*")


def _marks(low: int, high: int) -> str:
    """Combining marks among the code points low..high, as ranges of a character class."""
    ranges: list[list[int]] = []
    for code in range(low, high + 1):
        if unicodedata.category(chr(code)) not in ("Mn", "Mc"):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


@lru_cache(maxsize=16)
def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ParameterError(
            f"The token pattern {pattern!r} is not a regular expression: {error}.",
            "Use 'words', or a pattern of Python's re module.",
        ) from error
    if compiled.groups:
        raise ParameterError(
            f"The token pattern {pattern!r} has a capturing group.",
            "Write (?:...) in place of (...).",
        )
    return compiled
