"""Run the benchmarks and print one table each: ``python -m benchmarks [part ...]``.

Each part is a module with ``run() -> list[dict]``; a row holds one measurement.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module
from pathlib import Path

PARTS = {
    "startup": "benchmarks.startup",
    "word2vec": "benchmarks.encoders.word2vec",
    "memory": "benchmarks.encoders.memory",
    "neighbors": "benchmarks.geometry.neighbors",
    "publishing": "benchmarks.spaces.publishing",
    "map": "benchmarks.maps.page",
}


def main() -> int:
    """Run the parts that were named, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    chosen = parser.parse_args().parts or list(PARTS)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    for name in chosen:
        print(f"== {name}", flush=True)
        print(table(import_module(PARTS[name]).run()), flush=True)
        print()
    return 0


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


def data() -> Path | None:
    """The folder of real data, if it is there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SPACEPORT_DATA", beside))
    return folder if (folder / "README.md").is_file() else None


if __name__ == "__main__":
    sys.exit(main())
