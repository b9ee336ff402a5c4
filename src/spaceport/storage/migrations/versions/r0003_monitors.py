"""Monitors: their settings and files, ticks, verdicts, alarms with their history, deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; what was there stays as it is."""
    op.create_table(
        "monitors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version_id", sa.Integer, sa.ForeignKey("versions.id"), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.UniqueConstraint("version_id", "name", name="one_monitor_per_name"),
    )
    op.create_table(
        "monitor_files",
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), primary_key=True),
        sa.Column("path", sa.String(512), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "ticks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), nullable=False),
        sa.Column("begins", sa.String(32), nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("sketch", sa.String(512), nullable=False),
        sa.Column("seen", sa.String(512), nullable=False),
        sa.Column("health", sa.JSON, nullable=False),
        sa.Column("outcomes", sa.JSON, nullable=False),
        sa.UniqueConstraint("monitor_id", "begins", "segment", name="one_tick_per_segment"),
    )
    op.create_table(
        "updates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), nullable=False),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), nullable=False),
        sa.Column("update_id", sa.Integer, sa.ForeignKey("updates.id"), nullable=False),
        sa.Column("window", sa.String(64), nullable=False),
        sa.Column("begins", sa.String(32), nullable=False),
        sa.Column("ends", sa.String(32), nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("p", sa.Float),
        sa.Column("alpha", sa.Float),
        sa.Column("effect", sa.Float),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint(
            "monitor_id", "begins", "segment", "edition", name="one_verdict_per_edition"
        ),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), nullable=False),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("opened", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_table(
        "alarm_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alarm_id", sa.Integer, sa.ForeignKey("alarms.id"), nullable=False),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("window", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("verdict_id", sa.Integer, sa.ForeignKey("verdicts.id")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("alarm_events.id"), nullable=False),
        sa.Column("monitor_id", sa.Integer, sa.ForeignKey("monitors.id"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("at", sa.String(32)),
    )


def downgrade() -> None:
    """Remove what was added."""
    for name in (
        "deliveries",
        "alarm_events",
        "alarms",
        "verdicts",
        "updates",
        "ticks",
        "monitor_files",
        "monitors",
    ):
        op.drop_table(name)
