"""The catalog: which spaces, versions, files and aliases there are, in SQL.

A version exists if and only if its row is committed. SQLite in the store's folder, or PostgreSQL;
the same code on both. The schema is made by the revisions in ``migrations``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from spaceport.errors import (
    BusyError,
    CorruptError,
    MissingExtra,
    NewerStoreError,
    ParameterError,
    StoreError,
)
from spaceport.spaces.files import Entry, room
from spaceport.spaces.names import Number

__all__ = ["Catalog", "Move", "Record", "now"]

HEAD = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x5AC3_9027  # PostgreSQL's advisory lock while tables are made

metadata = sa.MetaData()
_store = sa.Table("store", metadata, sa.Column("id", sa.String(32), primary_key=True))
