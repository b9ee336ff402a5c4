"""Write the docstrings of Python's standard library as a table: texts that every machine has.

    python examples/stdlib_docs.py docs.tsv                 # all of them
    python examples/stdlib_docs.py docs.tsv --tenth-less    # as they were before the last tenth came

Columns: id (the dotted name), area (the package), kind (module, class, function, method), text.
"""

from __future__ import annotations

import csv
import sys
import sysconfig
from hashlib import sha256

import spaceport as sp

AREAS = {
    "asyncio": "networks", "email": "networks", "http": "networks", "urllib": "networks",
    "socket": "networks", "ssl": "networks", "smtplib": "networks", "ftplib": "networks",
    "tkinter": "windows", "curses": "windows",
    "unittest": "testing", "doctest": "testing", "pdb": "testing", "bdb": "testing",
    "xml": "formats", "json": "formats", "csv": "formats", "configparser": "formats",
    "zipfile": "formats", "tarfile": "formats", "plistlib": "formats",
    "decimal": "numbers", "_pydecimal": "numbers", "fractions": "numbers", "statistics": "numbers",
    "random": "numbers", "datetime": "numbers", "_pydatetime": "numbers",
    "importlib": "language", "ast": "language", "inspect": "language", "typing": "language",
    "ctypes": "language", "dis": "language", "tokenize": "language",
}  # fmt: skip


def main(path: str, less: bool) -> None:
    """Write the table to `path`; with `less` without a tenth of the items, chosen by their hash."""
    source = sp.sources.pydocs([sysconfig.get_path("stdlib")], minimum=40)
    count = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["id", "area", "kind", "text"])
        for batch in source.batches():
            for item in batch.to_pylist():
                area = AREAS.get(item["package"])
                late = sha256(item["id"].encode()).digest()[0] < 26
                if area and not (less and late):
                    text = " ".join(item["content"].split())
                    table.writerow([item["id"], area, item["kind"], text])
                    count += 1
    print(f"Wrote {count:,} items to {path}.")


if __name__ == "__main__":
    main(sys.argv[1], "--tenth-less" in sys.argv[2:])
