"""Places that items come from: one file each, ``sources.corpus("wiki.txt.gz")``."""

import sys
from typing import TYPE_CHECKING, Any

from spaceport.methods import Family

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


sys.modules[__name__].__class__ = Family
