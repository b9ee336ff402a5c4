"""Projections of a space onto a plane: one file each; the page and the picture are in ``maps.page``."""

import sys

from spaceport.methods import Family

sys.modules[__name__].__class__ = Family
