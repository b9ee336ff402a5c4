"""`spaceport build …`: from a source to a published version; one file per group of sources."""

from spaceport.cli.building import media, pairs, rows, sound, tables, texts
from spaceport.cli.building.base import app

__all__ = ["app", "media", "pairs", "rows", "sound", "tables", "texts"]
