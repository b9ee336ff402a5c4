"""The main job on input that every machine has: the documentation of this Python installation.

Embed every docstring, publish the space, read its card, search it, draw its map. Run it twice: the
second time nothing has changed, so nothing is published.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import spaceport as sp
from spaceport.spaces.card import to_text

STORE = Path("demo-store")
PAGE = Path("python-docs.html")
QUESTIONS = ("read a csv file", "parse command line arguments", "compress bytes with gzip")


def main() -> None:
    """Do the whole job and say what was done."""
    started = time.perf_counter()
    store = sp.open(STORE)
    print(
        "Reading the docstrings of",
        sys.prefix,
        "and of its standard library; no module is imported.\n",
    )
    docs, built = store.built("python-docs", sp.encoders.lsa(dimension=128), sp.sources.pydocs())
    if built.change.kind == "none":
        print(f"Nothing changed: {docs} stays; nothing was published.\n")
    else:
        print(f"Published {docs} ({built.change.kind}: {built.change.reason}).\n")
    print(to_text(docs.card), end="\n\n")
    for question in QUESTIONS:
        print(f"“{question}”")
        for row in docs.nearest(question, k=5).rows():
            print(f"  {row['similarity']:.2f}  {row['id']:<48.48}  {row['summary']:.60}")
        print()
    docs.map(PAGE)
    print(f"Wrote {PAGE} ({PAGE.stat().st_size / 1e6:.1f} MB): open it in a browser, offline.")
    print(f"Done in {time.perf_counter() - started:.0f} s. Next, type:\n")
    for line in (
        f".venv/bin/spaceport near python-docs 'sort a list' --store {STORE}",
        f".venv/bin/spaceport show python-docs --how --store {STORE}",
        f".venv/bin/spaceport map python-docs -o map.html --color kind --store {STORE}",
        ".venv/bin/spaceport build texts YOUR.csv --column TEXT --space mine",
    ):
        print("  " + line)


if __name__ == "__main__":
    main()
