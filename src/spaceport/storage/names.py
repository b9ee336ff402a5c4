"""Names of spaces, versions and aliases: strict patterns, never a path.

::

    words-en             the latest version
    words-en@1           the latest of major 1
    words-en@1.2         the latest patch of minor 1.2
    words-en@1.2.3       exactly this version
    words-en@production  what the alias stands for
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spaceport.errors import ParameterError

__all__ = ["KINDS", "Number", "Reference", "check_alias", "check_space", "parse"]

KINDS = ("major", "minor", "patch")

_DEVICE = r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$))"  # no file is called so everywhere
_SPACE = re.compile(_DEVICE + r"[a-z0-9](?!.*\.\.)[a-z0-9._-]{0,63}")
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,63}")
_LIKE_A_VERSION = re.compile(r"[vV]?[0-9]+(?:[.-][0-9]+)*")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){0,2}")


@dataclass(frozen=True, order=True)
class Number:
    """A version's number.

    Examples
    --------
    >>> str(Number.parse("1.9.3").bump("minor"))
    '1.10.0'
    >>> Number(1, 10, 0) > Number(1, 9, 3)
    True
    """

    major: int
    minor: int = 0
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Number:
        """Read ``MAJOR.MINOR.PATCH``; anything else is a ParameterError."""
        if not _NUMBER.fullmatch(text) or text.count(".") != 2:
            raise ParameterError(
                f"{text!r} is not a version number.",
                "Write three whole numbers, for example 1.0.0.",
            )
        return cls(*map(int, text.split(".")))

    def bump(self, kind: str) -> Number:
        """Give the next number after a change of `kind`: major, minor or patch."""
        if kind not in KINDS:
            raise ParameterError(
                f"`kind` must be one of {', '.join(KINDS)}. Got {kind!r}.", "Choose one."
            )
        if kind == "major":
            return Number(self.major + 1)
        if kind == "minor":
            return Number(self.major, self.minor + 1)
        return Number(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Reference:
    """A version as a user names it.

    Attributes
    ----------
    space : str
        The space's name.
    selector : str or None
        What stands after the ``@``: digits, or an alias; None for the latest.
    """

    space: str
    selector: str | None = None

    @property
    def prefix(self) -> tuple[int, ...] | None:
        """The numbers that the version must begin with; None where an alias was named.

        Examples
        --------
        >>> parse("words-en@1.2").prefix, parse("words-en").prefix, parse("words-en@live").prefix
        ((1, 2), (), None)
        """
        if self.selector is None:
            return ()
        return (
            tuple(map(int, self.selector.split("."))) if _NUMBER.fullmatch(self.selector) else None
        )

    def __str__(self) -> str:
        return self.space if self.selector is None else f"{self.space}@{self.selector}"


def parse(reference: str) -> Reference:
    """Read a reference such as ``words-en@1.2``.

    Raises
    ------
    ParameterError
        The space, or what follows the ``@``, does not have the form that it must have.

    Examples
    --------
    >>> parse("words-en@production")
    Reference(space='words-en', selector='production')
    >>> parse("../words")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: '../words' is not a space's name.
    Use lower-case letters, digits, '.', '_' and '-', at most 64, a letter or digit first, no '..', no device ('con').
    """
    space, at, selector = reference.partition("@")
    check_space(space)
    if at and not (_NUMBER.fullmatch(selector) or _ALIAS.fullmatch(selector)):
        raise ParameterError(
            f"{selector!r} in {reference!r} is neither a version nor an alias.",
            f"Write for example {space}@1, {space}@1.2.0 or {space}@production.",
        )
    return Reference(space, selector if at and selector != "latest" else None)


def check_space(name: str) -> str:
    """Give `name` back if it can name a space; else a ParameterError."""
    if not _SPACE.fullmatch(name):
        raise ParameterError(
            f"{name!r} is not a space's name.",
            "Use lower-case letters, digits, '.', '_' and '-', at most 64, "
            "a letter or digit first, no '..', no device ('con').",
        )
    return name


def check_alias(name: str) -> str:
    """Give `name` back if it can name an alias; else a ParameterError.

    ``latest`` is taken: it stands for the highest version. A name that reads like a version (``v1``)
    would be mistaken for one.
    """
    if _LIKE_A_VERSION.fullmatch(name):
        raise ParameterError(
            f"{name!r} is not an alias's name: it reads like a version.",
            "Say what it is for: production, staging, frozen-for-search.",
        )
    if not _ALIAS.fullmatch(name) or name == "latest":
        raise ParameterError(
            f"{name!r} is not an alias's name.",
            "Use lower-case letters, digits and '-', a letter first, at most 64; not 'latest'.",
        )
    return name
