"""The map as one HTML file that needs nothing else: no network, no server, no second file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.errors import MissingExtra
from spaceport.maps.page._columns import Column, column, cut
from spaceport.maps.page._pictures import addresses
from spaceport.maps.page.base import Level, Page, anchors, palette

__all__ = ["render", "write"]

TEXT_LENGTH = 300  # letters of each item's text that the page holds, shows and searches
_SCRIPTS = ("data", "colors", "view", "labels", "hover", "search", "main")
_STEPS = 65_535  # positions are 16-bit: a map 1,000 pixels wide can be magnified 65 times exactly


def write(path: Path | str, page: Page) -> None:
    """Write the map to `path`.

    Parameters
    ----------
    path : path-like
        The HTML file; one that is there is replaced.
    page : Page
        What to show.

    Raises
    ------
    MissingExtra
        plotly is not installed.
    """
    Path(path).write_bytes(render(page))


def render(page: Page) -> bytes:
    """Give the HTML file's bytes.

    The file makes no request: plotly.js, the page's own script and style stand in it, and its
    content security policy refuses all else, scripts but these two by their SHA-256. (It allows
    them `eval`, by which plotly.js compiles its drawing commands for WebGL.) Items are a block of
    compressed JSON, and reach the page as text, never as HTML.
    """
    library = _library()
    own = _own_script()
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'none'; "
        f"img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-eval' {_hash(library)} {_hash(own)}"
    )
    document = _DOCUMENT.format(
        policy=policy,
        title=html.escape(page.title),
        subtitle=html.escape(page.subtitle),
        style=_static("page.css"),
        data=_compressed(payload(page)),
        library=library,
        script=own,
    )
    return document.encode("utf-8", "replace")


def payload(page: Page) -> dict[str, Any]:
    """Lay out what the page's script reads: lists, strings, numbers and base64 arrays."""
    low = page.positions.min(axis=0).astype(np.float64)
    step = float((page.positions.max(axis=0) - low).max()) / _STEPS or 1.0
    steps = np.rint((page.positions - low) / step).astype("<u2")  # (n, 2)
    pictures, unseen = addresses(page.pictures)
    return {
        "ids": page.ids,
        "texts": [cut(text or "", TEXT_LENGTH) for text in page.texts],
        "frame": {"left": low[0], "bottom": low[1], "step": step},
        "positions": _pack(steps),
        "columns": [_column(column(name, values)) for name, values in page.columns.items()],
        "levels": [_level(page, level) for level in page.levels],
        "card": [[str(fact), str(value)] for fact, value in page.card],
        "notes": [*page.notes, *unseen],
        "pictures": pictures,
        "color": page.color,
        "missing": page.missing,
        "themes": {"light": asdict(palette()), "dark": asdict(palette(dark=True))},
    }


def _column(given: Column) -> dict[str, Any]:
    told = {"name": given.name, "kind": given.kind, "colors": given.colors}
    if given.kind == "category":
        codes = given.values.astype("<i4")
        sizes = np.bincount(codes[codes >= 0], minlength=len(given.names))
        return told | {"names": given.names, "sizes": sizes.tolist(), "codes": _pack(codes)}
    gaps = np.isnan(given.values)
    whole = bool((given.values[~gaps] % 1 == 0).all())
    numbers = [
        None if gap else int(value) if whole else value
        for value, gap in zip(given.values.tolist(), gaps.tolist(), strict=True)
    ]
    ends = {
        "low": given.low,
        "high": given.high,
        "cutLow": bool(given.low > np.nanmin(given.values)),
        "cutHigh": bool(given.high < np.nanmax(given.values)),
    }
    return told | ends | {"values": numbers}


def _level(page: Page, level: Level) -> dict[str, Any]:
    cells = np.asarray(level.assignment)
    sizes = np.bincount(cells, minlength=len(level.labels)).tolist()
    places = np.zeros((len(level.labels), 2))
    found = anchors(page.positions, cells)
    places[: len(found)] = found
    told = zip(level.labels, sizes, places.tolist(), strict=True)
    return {
        "cells": _pack(cells.astype("<i4")),
        "labels": [{"text": text, "size": size, "x": x, "y": y} for text, size, (x, y) in told],
    }


def _pack(array: npt.NDArray[Any]) -> str:
    return _base64(np.ascontiguousarray(array).tobytes())


def _compressed(value: Any) -> str:
    """Write JSON as base64 of gzip: a third of its size, and without a letter that HTML could read.

    A lone surrogate, which UTF-8 cannot hold, is escaped as JSON does.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _base64(
        gzip.compress(text.encode("utf-8", "backslashreplace"), compresslevel=6, mtime=0)
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _hash(script: str) -> str:
    """Give a script's SHA-256 as a content security policy names it."""
    return f"'sha256-{_base64(hashlib.sha256(script.encode()).digest())}'"


def _static(name: str) -> str:
    return files("spaceport.maps.page").joinpath("static", name).read_text(encoding="utf-8")


def _own_script() -> str:
    parts = "\n".join(_static(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(async () => {{\n{parts}}})().catch(explain);\n{_static("explain.js")}'


def _library() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "plotly") from error
    script: str = get_plotlyjs()
    return script.replace("\r\n", "\n")  # a browser reads it so, and hashes what it reads


_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Spaceport">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<section id="controls" aria-label="Search and color">
<header><h1>{title}</h1><p>{subtitle}</p></header>
<div class="field"><label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false"
placeholder="Words in an id or text; Enter zooms">
<div id="found" role="status"></div></div>
<div class="field"><label for="color">Color by</label><select id="color"></select><ul id="legend"></ul></div>
<ul id="results" aria-label="Items found"></ul>
</section>
<main id="map" tabindex="0" aria-label="Map: arrow keys move it, plus and minus zoom, 0 shows all">
<div id="plot"></div><div id="labels"></div><div id="ring" hidden></div><div id="hover" role="tooltip" hidden></div>
<div id="zoom"><button id="closer" type="button" aria-label="Zoom in">+</button>
<button id="farther" type="button" aria-label="Zoom out">−</button>
<button id="all" type="button" aria-label="Show the whole map" title="Show the whole map">⌂</button></div>
<p id="warning" role="status" hidden></p>
</main>
<aside id="facts" aria-label="Card"><details id="fold"><summary>Card</summary><dl id="card"></dl></details></aside>
<noscript><p>The map is drawn by a script, which this browser does not run.</p></noscript>
<script id="data" type="text/plain">{data}</script>
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""
