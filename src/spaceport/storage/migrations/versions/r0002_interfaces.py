"""Versions as interfaces: lineage, evidence of moves, artifacts with their files, consumers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; what was there stays as it is."""
    op.add_column("versions", sa.Column("who", sa.String(256)))
    op.add_column("versions", sa.Column("lineage", sa.JSON))
    op.add_column("alias_history", sa.Column("evidence", sa.JSON))
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version_id", sa.Integer, sa.ForeignKey("versions.id"), nullable=False),
        sa.Column("target_id", sa.Integer, sa.ForeignKey("versions.id")),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "artifact_files",
        sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifacts.id"), primary_key=True),
        sa.Column("path", sa.String(512), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "consumers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space", sa.String(64), sa.ForeignKey("spaces.name"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(256), nullable=False),
        sa.Column("pin", sa.String(32), nullable=False),
        sa.Column("task", sa.JSON, nullable=False),
        sa.Column("tolerance", sa.Float, nullable=False),
        sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifacts.id")),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("removed", sa.String(32)),
        sa.Column("removed_by", sa.String(256)),
    )


def downgrade() -> None:
    """Remove what was added."""
    for name in ("consumers", "artifact_files", "artifacts"):
        op.drop_table(name)
    op.drop_column("alias_history", "evidence")
    op.drop_column("versions", "lineage")
    op.drop_column("versions", "who")
