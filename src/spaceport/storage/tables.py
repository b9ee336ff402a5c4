"""The catalog's tables as they are now; `migrations` makes them, and a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "alias_history",
    "aliases",
    "artifact_files",
    "artifacts",
    "consumers",
    "files",
    "metadata",
    "spaces",
    "store",
    "versions",
]

metadata = MetaData()

store = Table("store", metadata, Column("id", String(32), primary_key=True))

spaces = Table(
    "spaces",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("created", String(32), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("major", Integer, nullable=False),
    Column("minor", Integer, nullable=False),
    Column("patch", Integer, nullable=False),
    Column("created", String(32), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("contract", JSON, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("lance_version", BigInteger, nullable=False),
    Column("folder", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("who", String(256)),
    Column("lineage", JSON),
    UniqueConstraint("space", "major", "minor", "patch", name="one_version_per_number"),
)

files = Table(
    "files",
    metadata,
    Column("version_id", Integer, ForeignKey("versions.id"), primary_key=True),
    Column("path", String(512), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("space", String(64), ForeignKey("spaces.name"), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("version_id", Integer, ForeignKey("versions.id"), nullable=False),
)

alias_history = Table(
    "alias_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("alias", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("who", String(256), nullable=False),
    Column("at", String(32), nullable=False),
    Column("before", Integer, ForeignKey("versions.id")),
    Column("after", Integer, ForeignKey("versions.id"), nullable=False),
    Column("note", Text, nullable=False),
    Column("evidence", JSON),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version_id", Integer, ForeignKey("versions.id"), nullable=False),
    Column("target_id", Integer, ForeignKey("versions.id")),
    Column("fingerprint", String(64), nullable=False),
    Column("created", String(32), nullable=False),
    Column("who", String(256), nullable=False),
    Column("folder", Text, nullable=False),
    Column("facts", JSON, nullable=False),
)

artifact_files = Table(
    "artifact_files",
    metadata,
    Column("artifact_id", Integer, ForeignKey("artifacts.id"), primary_key=True),
    Column("path", String(512), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

consumers = Table(
    "consumers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("owner", String(256), nullable=False),
    Column("pin", String(32), nullable=False),
    Column("task", JSON, nullable=False),
    Column("tolerance", Float, nullable=False),
    Column("artifact_id", Integer, ForeignKey("artifacts.id")),
    Column("created", String(32), nullable=False),
    Column("who", String(256), nullable=False),
    Column("removed", String(32)),
    Column("removed_by", String(256)),
)
