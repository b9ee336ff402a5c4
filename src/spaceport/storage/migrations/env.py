"""What Alembic runs: apply the revisions on the connection that the catalog hands over."""

from __future__ import annotations

from alembic import context


def migrate() -> None:
    """Apply them inside the transaction that the caller has opened: all of them or none."""
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


if (
    __name__ == "env_py"
):  # the name that Alembic gives this file; whoever imports it else runs nothing
    migrate()
