"""Projections of a space onto a plane: one file each; the page and the picture are in ``maps.page``."""

import sys
from typing import TYPE_CHECKING, Any

from spaceport.methods import Family

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


sys.modules[__name__].__class__ = Family
