"""Run the benchmarks and print one table each: ``python -m benchmarks [part ...]``.

Each part is a module with ``run() -> list[dict]``; a row holds one measurement.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module

from benchmarks.tables import table

PARTS = {
    "startup": "benchmarks.startup",
    "word2vec": "benchmarks.encoders.word2vec",
    "glove": "benchmarks.encoders.glove",
    "lsa": "benchmarks.encoders.lsa",
    "als": "benchmarks.encoders.als",
    "bpr": "benchmarks.encoders.bpr",
    "pca": "benchmarks.encoders.pca",
    "mixed": "benchmarks.encoders.mixed",
    "images": "benchmarks.encoders.images",
    "logmel": "benchmarks.encoders.logmel",
    "activations": "benchmarks.encoders.activations",
    "onnx": "benchmarks.encoders.onnx",
    "static": "benchmarks.encoders.static",
    "layers": "benchmarks.encoders.layers",
    "text_classifier": "benchmarks.encoders.text_classifier",
    "image_networks": "benchmarks.encoders.image_networks",
    "table_autoencoder": "benchmarks.encoders.table_autoencoder",
    "two_tower": "benchmarks.encoders.two_tower",
    "bilingual": "benchmarks.encoders.bilingual",
    "interactions": "benchmarks.sources.interactions",
    "ranking": "benchmarks.quality.ranking",
    "memory": "benchmarks.encoders.memory",
    "neighbors": "benchmarks.geometry.neighbors",
    "publishing": "benchmarks.spaces.publishing",
    "diffing": "benchmarks.spaces.diffing",
    "verdicts": "benchmarks.spaces.verdicts",
    "adapters": "benchmarks.spaces.adapters",
    "calibration": "benchmarks.drift.calibration",
    "power": "benchmarks.drift.power",
    "real_shifts": "benchmarks.drift.real_shifts",
    "localization": "benchmarks.drift.localization",
    "drift_peers": "benchmarks.drift.peers",
    "drift_cost": "benchmarks.drift.cost",
    "learnt_rows": "benchmarks.monitoring.learnt_rows",
    "budget": "benchmarks.monitoring.budget",
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


if __name__ == "__main__":
    sys.exit(main())
