"""Ways from one version's coordinates to another's: one file each, ``adapters.procrustes()``."""

import sys
from typing import TYPE_CHECKING, Any

from spaceport.methods import Family

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


sys.modules[__name__].__class__ = Family
