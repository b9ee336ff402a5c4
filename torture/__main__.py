"""Run the siege on each database, print what was done, exit with 1 if anything was found."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import binaries, server

from torture.saboteurs import SABOTEURS
from torture.siege import Plan, Siege

DATABASES = ("sqlite", "postgresql")


@contextmanager
def catalog(database: str) -> Iterator[str | None]:
    """The URL of an empty catalog; None where it is a file of the store."""
    if database == "sqlite":
        yield None
        return
    if binaries() is None:
        sys.exit(
            "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on the path."
        )
    with server() as started, started.database() as url:
        yield url


def main() -> int:
    """Besiege, and say what happened."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--saboteur", choices=sorted(SABOTEURS))
    told = parser.parse_args()
    wrong = 0
    for database in told.database or DATABASES:
        with catalog(database) as url, tempfile.TemporaryDirectory(prefix="torture-") as folder:
            plan = Plan(Path(folder), url, told.kills, told.writers, told.seed, told.saboteur)
            report = Siege(plan).run()
        print(f"{database}: {report}", flush=True)
        wrong += len(report.findings)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
