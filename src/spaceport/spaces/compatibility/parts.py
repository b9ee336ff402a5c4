"""Which parts of two encoders differ, each with a short name: ``seed 0 → 1``, ``tokenizer.json differs``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Part", "differing"]

_DIGEST = re.compile(r"[0-9a-f]{32,}")
_LONGEST = 40
_NEITHER = object()
_IMPORTED = "(imported)"


@dataclass(frozen=True)
class Part:
    """One part of what two fingerprints are over, that differs.

    Attributes
    ----------
    name : str
        Where it stands: ``parameters.seed``, ``libraries.numpy``.
    old, new : object
        Its values, JSON-able; None where it is on one side only.
    """

    name: str
    old: Any
    new: Any

    @property
    def text(self) -> str:
        """The part in a few words.

        Examples
        --------
        >>> Part("parameters.seed", 0, 1).text
        'seed 0 → 1'
        >>> Part("state.model.tokenizer.json", "0" * 64, "1" * 64).text
        'tokenizer.json differs'
        """
        kind, _, rest = self.name.partition(".")
        name = self.name if kind not in ("parameters", "libraries", "state", "arrays") else rest
        if kind == "arrays":
            return f"learnt array {name} differs"
        if kind == "state":
            name = name.removeprefix("model.").removeprefix("files.")
        values = [_short(value) for value in (self.old, self.new)]
        if any(_DIGEST.fullmatch(value) or len(value) > _LONGEST for value in values):
            return f"{name} differs"
        return f"{name} {values[0]} → {values[1]}"


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Part]:
    """Compare what two fingerprints are over, part by part.

    Of two methods only the method is named, since their parameters do not mean the same.

    Parameters
    ----------
    old, new : mapping
        As `identity.identity_of` gives them.

    Examples
    --------
    >>> one = {"method": "lsa", "parameters": {"dimension": 8, "seed": 0}}
    >>> [part.text for part in differing(one, {"method": "lsa", "parameters": {"dimension": 8, "seed": 1}})]
    ['seed 0 → 1']
    >>> [part.text for part in differing(one, {"method": "word2vec"})]
    ['method lsa → word2vec']
    """
    methods = [side.get("method") or _IMPORTED for side in (old, new)]
    if methods[0] != methods[1]:
        return [Part("method", *methods)]
    if methods[0] == _IMPORTED:  # nothing is known of what made either
        return []
    both = "libraries" in old and "libraries" in new
    names = [name for name in dict.fromkeys([*old, *new]) if both or name != "libraries"]
    return [part for name in names for part in _compared(name, old.get(name), new.get(name))]


def _compared(name: str, old: Any, new: Any) -> Iterator[Part]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            one, other = old.get(key, _NEITHER), new.get(key, _NEITHER)
            if one is not other:
                yield from _compared(f"{name}.{key}", _known(one), _known(other))
        return
    yield Part(name, old, new)


def _known(value: Any) -> Any:
    return None if value is _NEITHER else value


def _short(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
