"""Spaceport looks after an embedding for its whole life.

An embedding space is an interface between teams, so it gets what interfaces get: a contract,
versions that are measured, and a store where a version, once published, never changes::

    import spaceport as sp

    store = sp.open("./spaceport-store")
    words = store.build("words-en", sp.encoders.word2vec(dimension=100), sp.sources.corpus("wiki.txt.gz"))
    words.nearest("queen", k=5)

Nothing heavy is imported until it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spaceport import (
        adapters,
        drift,
        encoders,
        errors,
        geometry,
        maps,
        progress,
        quality,
        sources,
    )
    from spaceport.errors import SpaceportError
    from spaceport.spaces.choosing import choose_layer, layers
    from spaceport.spaces.compatibility.diff import Diff, diff
    from spaceport.spaces.spaceport import Spaceport, open
    from spaceport.spaces.version import Version
    from spaceport.tokens import Tokenizer

__version__ = "0.1.0"

__all__ = [
    "Diff",
    "Spaceport",
    "SpaceportError",
    "Tokenizer",
    "Version",
    "adapters",
    "choose_layer",
    "diff",
    "drift",
    "encoders",
    "errors",
    "geometry",
    "layers",
    "maps",
    "open",
    "progress",
    "quality",
    "sources",
]

_HOMES = {
    "Diff": "spaceport.spaces.compatibility.diff",
    "SpaceportError": "spaceport.errors",
    "Spaceport": "spaceport.spaces.spaceport",
    "Tokenizer": "spaceport.tokens",
    "Version": "spaceport.spaces.version",
    "choose_layer": "spaceport.spaces.choosing",
    "diff": "spaceport.spaces.compatibility.diff",
    "layers": "spaceport.spaces.choosing",
    "open": "spaceport.spaces.spaceport",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _HOMES:
        return import_module(f"spaceport.{name}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
