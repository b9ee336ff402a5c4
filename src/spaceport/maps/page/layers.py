"""Scores over the layers of a network as a picture: a line for each pooling, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from spaceport.errors import MissingExtra, ParameterError
from spaceport.maps.page.base import palette

__all__ = ["write"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]

_MARKERS = "osD^vP*X"
_SPREAD = 0.14  # from one line's points to the next one's, in layers


def write(
    path: Path, model: str, task: str, lines: Mapping[str, Rows], best: Mapping[str, Any]
) -> None:
    """Draw the scores of every layer.

    Single layers are joined by a line; what is made of several layers stands to the right. Those not
    told apart from the best are filled, the others hollow; the chosen one has a ring.

    Parameters
    ----------
    path : Path
        A ``.png`` or ``.svg``; one that is there is replaced.
    model, task : str
        For the title and the axis.
    lines : mapping of str to sequence of mappings
        By the pooling's name, all in the same order: ``where``, ``score``, ``low``, ``high``, ``tied``.
    best : mapping
        The chosen one: ``where`` and ``pooling``.

    Raises
    ------
    ParameterError
        Another ending.
    MissingExtra
        matplotlib is not installed.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise ParameterError(f"`{path.name}` ends neither in .png nor in .svg.", "Choose one.")
    figure, axes = _figure()
    colors = palette()
    for place, (name, rows) in enumerate(lines.items()):
        shift = _SPREAD * (place - (len(lines) - 1) / 2)
        color = colors.categories[place % len(colors.categories)]
        _line(axes, rows, shift, color, _MARKERS[place % len(_MARKERS)], name)
        for at, row in enumerate(rows):
            if (row["where"], name) == (best["where"], best["pooling"]):
                axes.plot(at + shift, row["score"], "o", ms=17, mfc="none", mec=colors.ink, mew=1.6)
    _labels(axes, next(iter(lines.values())), model, task)
    options = {"metadata": {"Date": None}} if kind == "svg" else {"dpi": 100}
    figure.savefig(path, format=kind, facecolor=colors.paper, **options)


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "matplotlib") from error
    colors = palette()
    figure = Figure(figsize=(8, 4.8), facecolor=colors.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colors.paper)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=colors.missing, alpha=0.5, linewidth=0.6)
    return figure, axes


def _line(axes: Any, rows: Rows, shift: float, color: str, marker: str, name: str) -> None:
    single = [at for at, row in enumerate(rows) if _single(row["where"])]
    axes.plot(
        [at + shift for at in single], [rows[at]["score"] for at in single], color=color, lw=1.2
    )
    for at, row in enumerate(rows):
        axes.plot([at + shift] * 2, [row["low"], row["high"]], color=color, lw=1.4, alpha=0.7)
        fill = color if row["tied"] else palette().paper
        axes.plot(at + shift, row["score"], marker, ms=7, mfc=fill, mec=color, mew=1.4)
    axes.plot([], [], marker, color=color, ms=7, ls="-", label=name)


def _labels(axes: Any, rows: Rows, model: str, task: str) -> None:
    plain = {"color": palette().ink, "parse_math": False}
    axes.set_xticks(range(len(rows)), [_tick(row["where"]) for row in rows], fontsize=9)
    for at, row in enumerate(rows):
        if at and not _single(row["where"]):
            axes.axvspan(at - 0.5, at + 0.5, color=palette().missing, alpha=0.18, lw=0)
    axes.set_xlabel("layer (0: what goes into the first one)", **plain)
    axes.set_ylabel(task, **plain)
    axes.set_title(
        f"{model}: filled are not told apart from the best, the ring is the choice", loc="left",
        fontsize=11, **plain,
    )  # fmt: skip
    axes.figure.legend(frameon=False, ncols=8, loc="outside lower center")


def _single(where: str) -> bool:
    return not where.removeprefix("encoder ").removeprefix("decoder ").startswith(("mean", "conc"))


def _tick(where: str) -> str:
    """A layer's text on the axis; a join's words one below the other."""
    text = where.removeprefix("encoder ").removeprefix("decoder ")
    return text.replace(" of ", " ").replace(" last", "\nlast")
