"""Tests of drift: one file each, ``drift.mmd()``; `compare` gives the joint verdict of several."""

import sys
from typing import TYPE_CHECKING, Any

from spaceport.methods import Family

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def compare(reference: Any, current: Any, **told: Any) -> Any:
    """Tell whether `current` comes from where `reference` does; see `drift.panel.comparing.compare`."""
    from spaceport.drift.panel import comparing

    return comparing.compare(reference, current, **told)


sys.modules[__name__].__class__ = Family
