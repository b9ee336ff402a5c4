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
    "alarm_events",
    "alarms",
    "alias_history",
    "aliases",
    "artifact_files",
    "artifacts",
    "consumers",
    "deliveries",
    "files",
    "metadata",
    "monitor_files",
    "monitors",
    "spaces",
    "store",
    "ticks",
    "updates",
    "verdicts",
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

monitors = Table(
    "monitors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version_id", Integer, ForeignKey("versions.id"), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("folder", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Column("who", String(256), nullable=False),
    UniqueConstraint("version_id", "name", name="one_monitor_per_name"),
)

monitor_files = Table(
    "monitor_files",
    metadata,
    Column("monitor_id", Integer, ForeignKey("monitors.id"), primary_key=True),
    Column("path", String(512), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

ticks = Table(
    "ticks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor_id", Integer, ForeignKey("monitors.id"), nullable=False),
    Column("begins", String(32), nullable=False),
    Column("segment", Text, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("sketch", String(512), nullable=False),
    Column("seen", String(512), nullable=False),
    Column("health", JSON, nullable=False),
    Column("outcomes", JSON, nullable=False),
    UniqueConstraint("monitor_id", "begins", "segment", name="one_tick_per_segment"),
)

updates = Table(
    "updates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor_id", Integer, ForeignKey("monitors.id"), nullable=False),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("at", String(32), nullable=False),
    Column("who", String(256), nullable=False),
    Column("facts", JSON, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor_id", Integer, ForeignKey("monitors.id"), nullable=False),
    Column("update_id", Integer, ForeignKey("updates.id"), nullable=False),
    Column("window", String(64), nullable=False),
    Column("begins", String(32), nullable=False),
    Column("ends", String(32), nullable=False),
    Column("segment", Text, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("p", Float),
    Column("alpha", Float),
    Column("effect", Float),
    Column("evidence", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    UniqueConstraint("monitor_id", "begins", "segment", "edition", name="one_verdict_per_edition"),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor_id", Integer, ForeignKey("monitors.id"), nullable=False),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("segment", Text, nullable=False),
    Column("opened", String(32), nullable=False),
    Column("state", String(16), nullable=False),
)

alarm_events = Table(
    "alarm_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alarm_id", Integer, ForeignKey("alarms.id"), nullable=False),
    Column("space", String(64), ForeignKey("spaces.name"), nullable=False),
    Column("at", String(32), nullable=False),
    Column("who", String(256), nullable=False),
    Column("action", String(16), nullable=False),
    Column("window", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("verdict_id", Integer, ForeignKey("verdicts.id")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", Integer, ForeignKey("alarm_events.id"), nullable=False),
    Column("monitor_id", Integer, ForeignKey("monitors.id"), nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("body", JSON, nullable=False),
    Column("created", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("said", Text, nullable=False),
    Column("at", String(32)),
)
