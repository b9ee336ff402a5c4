"""The map of 18,363 abstracts: how long each part takes, and how well the map keeps neighborhoods.

Each projection runs in a process of its own, so that both pay for imports and compilation.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import data

TARGET = 60.0
SAMPLE, NEIGHBORS = 5_000, 15


def run() -> list[dict[str, Any]]:
    """Wall time and trustworthiness (1 is best, a shuffled map has about .5), the peer beside it."""
    folder = data()
    if folder is None:
        return []
    items, vectors = abstracts(folder / "paper-abstracts" / "abstracts.jsonl.gz")
    graph, searched = timed(neighbor_graph, vectors)
    ours, projecting = alone(our_map, vectors, *graph)
    theirs, fitting = alone(peer_map, vectors)
    levels, labelling = timed(label, vectors, items["abstract"])
    (size, _), writing = timed(write, ours, levels, items)
    total = projecting + labelling + writing
    kept = trustworthiness(vectors, ours)
    return [
        row("exact neighbor graph (the version's own; not counted)", searched),
        row("projection on that graph", projecting, kept),
        row("cells and their labels", labelling),
        row(f"page, {size / 1e6:.1f} MB, and picture", writing),
        row(f"the whole map of {len(vectors):,} items", total, kept, target=f"<= {TARGET:.0f} s"),
        row("peer: umap-learn alone, own search", fitting, trustworthiness(vectors, theirs)),
        row(
            "a shuffled map",
            None,
            trustworthiness(vectors, np.random.default_rng(0).permutation(ours)),
        ),
    ]


def row(
    what: str, seconds: float | None, trust: float | None = None, target: str = ""
) -> dict[str, Any]:
    return {"what": what, "seconds": seconds, "trustworthiness": trust, "target": target}


def abstracts(path: Path) -> tuple[dict[str, list[Any]], np.ndarray]:
    """Columns and LSA vectors (100 dimensions)."""
    from spaceport.encoders.lsa import LSA
    from spaceport.sources.texts import Texts

    source = Texts(str(path), column="abstract", label="venue")
    batches = list(source.batches())
    names = ("id", "content", "venue", "year")
    columns = {
        name: [value for b in batches for value in b.column(name).to_pylist()] for name in names
    }
    columns["abstract"] = columns.pop("content")
    return columns, LSA(dimension=100).fit(source).encode(columns["abstract"])


def neighbor_graph(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from spaceport.geometry.neighbors import graph

    found = graph(vectors, k=NEIGHBORS)
    return found.indices, np.maximum(1 - found.similarities, 0)


def our_map(vectors: np.ndarray, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
    from spaceport.maps.umap import Umap

    return Umap().positions(vectors, indices, distances)


def peer_map(vectors: np.ndarray) -> np.ndarray:
    """Run umap-learn as its users call it, with a seed as ours has."""
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return UMAP(n_neighbors=NEIGHBORS, metric="cosine", random_state=0).fit_transform(vectors)


def label(vectors: np.ndarray, texts: list[str]) -> list[Any]:
    from spaceport.geometry import cells
    from spaceport.maps.page.base import Level
    from spaceport.maps.page.labels import bag, labels

    counted = bag(texts)
    levels = []
    for centroids in cells.fit(vectors, (10, 64)):
        where = cells.assign(vectors, centroids)
        levels.append(Level(where, labels(counted, where, len(centroids))))
    return levels


def write(positions: np.ndarray, levels: list[Any], items: dict[str, list[Any]]) -> tuple[int, int]:
    """Bytes of the page and of the picture."""
    from spaceport.maps.page import html, picture
    from spaceport.maps.page.base import Page

    metadata = {name: items[name] for name in ("venue", "year")}
    page = Page("abstracts@1.0.0", positions, items["id"], items["abstract"], metadata, levels)
    with tempfile.TemporaryDirectory(prefix="spaceport-bench-") as place:
        web, image = Path(place) / "map.html", Path(place) / "map.png"
        html.write(web, page)
        picture.write(image, page)
        return web.stat().st_size, image.stat().st_size


def trustworthiness(vectors: np.ndarray, positions: np.ndarray) -> float:
    from sklearn.manifold import trustworthiness as measure

    rows = np.random.default_rng(0).choice(len(vectors), min(SAMPLE, len(vectors)), replace=False)
    return float(measure(vectors[rows], positions[rows], n_neighbors=NEIGHBORS, metric="cosine"))


def timed(work: Any, *given: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    done = work(*given)
    return done, time.perf_counter() - start


def alone(work: Any, *given: Any) -> tuple[Any, float]:
    """Run in a fresh process: its start, imports and compilation are counted."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return timed(lambda: pool.submit(work, *given).result())
