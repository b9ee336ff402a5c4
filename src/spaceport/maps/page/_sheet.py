"""What the pages without a script share: escaped text and tables, one picture, one style."""

from __future__ import annotations

import base64
import html
import io
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from spaceport.errors import MissingExtra
from spaceport.maps.page.base import palette

__all__ = ["bare", "canvas", "document", "drawable", "image", "safe", "saved", "table", "titled"]


def document(title: str, body: str) -> bytes:
    """Give the page's bytes; `body` is HTML whose texts went through `safe`.

    The content security policy refuses scripts and requests.
    """
    return _DOCUMENT.format(title=safe(title), body=body).encode("utf-8", "replace")


def safe(text: str) -> str:
    """Text as HTML."""
    return html.escape(text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as an HTML table; the first of each row is its name."""
    top = f"<tr>{''.join(f'<th>{safe(name)}</th>' for name in head)}</tr>" if head else ""
    body = "".join(
        f"<tr><th>{safe(first)}</th>{''.join(f'<td>{safe(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return f"<table>{top}{body}</table>"


def image(data: bytes, told: str) -> str:
    """A PNG within the page."""
    held = base64.b64encode(data).decode("ascii")
    return f'<img alt="{safe(told)}"\nsrc="data:image/png;base64,{held}">'


def canvas(inches: tuple[float, float]) -> Any:
    """A figure of its own, which no other part of the program knows of.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "matplotlib") from error
    figure = Figure(figsize=inches, dpi=100, facecolor=palette().paper, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Any) -> None:
    """Take the frame from axes but for the left and the lower edge."""
    axes.set_facecolor(palette().paper)
    axes.spines[["top", "right"]].set_visible(False)


def titled(axes: Any, title: str) -> None:
    """Write a title over axes, at the left."""
    style = {"fontsize": 10, "color": palette().ink, "parse_math": False}
    axes.set_title(drawable(title), loc="left", **style)


def saved(figure: Any, kind: str) -> bytes:
    """Give the file's bytes, ``png`` or ``svg``."""
    target = io.BytesIO()
    options: dict[str, Any] = {"metadata": {"Date": None}} if kind == "svg" else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # drawn as a box
        figure.savefig(target, format=kind, facecolor=palette().paper, **options)
    return target.getvalue()


def drawable(text: str) -> str:
    """What fonts can take: control characters and lone surrogates become a box."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; \
form-action 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Spaceport">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  color: #1d2126; background: #fbfaf8; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
ul.findings {{ font-size: 1.1rem; padding-left: 1.2rem; }}
img {{ width: 100%; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid #d5d3ce; overflow-wrap: anywhere; }}
th {{ font-weight: 600; }} td:last-child {{ color: #555b64; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
