"""The catalog's schema, one revision after the other, run by Alembic."""
