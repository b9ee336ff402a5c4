"""Measurements as a table."""

from __future__ import annotations

__all__ = ["table"]


def table(rows: list[dict[str, object]]) -> str:
    """Rows as aligned columns."""
    if not rows:
        return "nothing to run: the real data is absent (SPACEPORT_DATA)"
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return "\n".join(
        "  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)) for line in lines
    )


def cell(value: object) -> str:
    """A value as it stands in the table."""
    if isinstance(value, float):
        return f"{value:,.4g}"
    return "" if value is None else str(value)
