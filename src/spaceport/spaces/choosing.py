"""Choosing the layer of a network, the pooling and the dimension by measurement.

::

    vectors    of every layer, pooled in every way, from one pass over the first part of the items
    choice     the cheapest of those whose score is not told apart from the highest: the one that needs
               the fewest layers, then the shortest, then the first of the poolings; or the highest
    proof      its score on the second part, which the choice never saw, beside the score of the last
               layer's mean
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spaceport.arrays import Matrix, integer
from spaceport.errors import ParameterError, choices
from spaceport.methods import load
from spaceport.networks import pooling
from spaceport.quality.selection import Standing, chosen
from spaceport.sources.base import Source
from spaceport.spaces.choice import Choice, Proof, Row
from spaceport.spaces.judgements import PairTask
from spaceport.spaces.shortening import refuse_longer, shortened
from spaceport.spaces.tasks import LabelTask, Task

if TYPE_CHECKING:
    from spaceport.encoders._sweep import Spot
    from spaceport.networks.anatomy import Module
    from spaceport.spaces.sweeping import Sweeper

__all__ = ["POOLINGS", "choose_layer", "layers"]

POOLINGS = ("mean", "cls", "max")
_PREFERENCES = ("cheapest", "highest")
_PROVED = ("chosen", "highest score", "last layer's mean")


def choose_layer(
    model: str,
    source: Source,
    *,
    label: str | None = None,
    pairs: tuple[str, str] | None = None,
    test: Source | None = None,
    score: str = "linear",
    poolings: Sequence[str] = POOLINGS,
    dimensions: Sequence[int] = (),
    prefer: str = "cheapest",
    side: str = "",
    sample: int = 2000,
    share: float = 0.25,
    seed: int = 0,
    **parameters: Any,
) -> Choice:
    """Capture all layers of a network in one pass, score them, and choose.

    Parameters
    ----------
    model : str
        As `activations` takes it.
    source : Source
        Items with a label, or the first texts of pairs.
    label : str, optional
        The metadata column to be read off the vectors; left out: the source's own.
    pairs : (str, str), optional
        Metadata columns: the second text, and how alike people find the two. Then the score is
        Spearman's rank correlation, and `label` and `score` have no meaning.
    test : Source, optional
        Items for the proof, which the choice never sees; left out: `share` of the items drawn.
    score : {"linear", "neighbors"}
        The probe for a label: logistic regression, or the vote of the 10 nearest by cosine.
    poolings : sequence of str
        To try, of `networks.pooling.POOLINGS`.
    dimensions : sequence of int
        Shorter vectors of the chosen spot to try: its first values, and its main directions (PCA).
    prefer : {"cheapest", "highest"}
        Of those that are not told apart from the highest score the one that needs the fewest layers;
        or the highest score. What few items cannot tell apart need not be as good: the fewer the
        items, the dearer ``"cheapest"`` can be. The proof shows both.
    side : {"", "encoder", "decoder"}
        Of a network that has two.
    sample : int
        Items (pairs) to draw at most, from each source; all their vectors lie in memory.
    share : float
        Held out for the proof.
    seed : int
        Of the draw, the parts and the folds.
    **parameters
        Further parameters of `activations`: prompts, `max_tokens`, `long`, `device`…

    Returns
    -------
    Choice

    Raises
    ------
    ParameterError
        No label and no pairs, or an unknown name.
    InputError
        The items cannot be judged: see `spaces.tasks`.
    """
    names = [pooling.check(name) for name in dict.fromkeys(poolings)]
    lengths = [integer(d, "dimensions", 1) for d in dimensions]
    if "none" in names or not names:
        raise ParameterError("`poolings` must make one vector of each item.", "Leave out `none`.")
    if prefer not in _PREFERENCES:
        raise ParameterError(
            f"`prefer` must be cheapest or highest. Got {prefer!r}.", "Choose one."
        )
    sweeper = _sweeper(model, side, parameters)
    task: Task
    if pairs is not None:
        task = PairTask(source, *pairs, test=test, sample=sample, share=share, seed=seed)
    else:
        column = label or source.label
        if column is None:
            raise ParameterError(
                "It is not told what the layers are to be judged by.",
                "Name the column of a label, or those of pairs: --label, --pairs.",
            )
        task = LabelTask(source, column, test, score, sample, share, seed)
    return _chosen(sweeper, task, names, lengths, prefer)


def layers(model: str, **parameters: Any) -> list[Module]:
    """The modules of a network, those that are layers with their number and share of the compute.

    Parameters
    ----------
    model : str
        As `activations` takes it.
    **parameters
        Further parameters of `activations`.

    Raises
    ------
    NotFoundError, InputError
        There is no such model, or it cannot be read.
    MissingExtra
        torch is not installed.
    """
    sweeper = _sweeper(model, "", parameters)
    from spaceport.networks.anatomy import modules

    return modules(sweeper.network_alone())


def _sweeper(model: str, side: str, parameters: dict[str, Any]) -> Sweeper:
    load("encoders", "activations")  # says what to install where torch is missing
    from spaceport.spaces.sweeping import Sweeper

    known = inspect.signature(Sweeper).parameters
    for name in parameters:
        if name not in known or name in ("model", "where", "pooling"):
            raise ParameterError(
                f"`{name}` is no parameter of `activations` that can be told here.",
                choices(name, {*known} - {"model", "where", "pooling"}),
            )
    return Sweeper(model, where=f"{side} last".strip(), **parameters)


def _chosen(
    sweeper: Sweeper, task: Task, names: list[str], dimensions: list[int], prefer: str
) -> Choice:
    from spaceport.encoders._sweep import Spot

    sweeper.network_for(task.items)
    began = time.perf_counter()
    wanted, usual = sweeper.spots(names), Spot(f"{sweeper.side} last".strip(), "mean")
    widths = [X.shape[1] for X in sweeper.vectors(task.items[:1], wanted).values()]
    refuse_longer(dimensions, len(task.items), min(widths))
    watch = sweeper.stopwatch()
    vectors = sweeper.vectors(task.items, list(dict.fromkeys([*wanted, usual])), watch)
    encoded = time.perf_counter()
    standings = task.standings([vectors[spot] for spot in wanted])
    waits = 1000 * watch.seconds / len(task.items)
    depths = [sweeper.depth(spot) for spot in wanted]
    rows = [
        _row(spot, depth, vectors[spot].shape[1], float(waits[depth]), standing)
        for spot, depth, standing in zip(wanted, depths, standings, strict=True)
    ]
    highest = max(range(len(rows)), key=lambda place: rows[place].score)
    costs = [(row.layer, row.dimension, names.index(row.pooling)) for row in rows]
    best = highest if prefer == "highest" else chosen(standings, costs)
    scored = time.perf_counter()
    return Choice(
        model=sweeper.model,
        task=task.name,
        rows=rows,
        best=rows[best],
        encoder=sweeper.encoder(wanted[best]),
        proof=_proved(sweeper, task, vectors, [wanted[best], wanted[highest], usual]),
        shorter=shortened(task, vectors[wanted[best]], dimensions),
        facts={
            **task.facts,
            "bytes of the vectors": sum(X.nbytes for X in vectors.values()),
            "seconds of encoding": encoded - began,
            "seconds of scoring": scored - encoded,
        },
    )


def _row(spot: Spot, depth: int, dimension: int, wait: float, standing: Standing) -> Row:
    score, behind = standing.score, standing.behind
    return Row(
        spot.where, spot.pooling, depth, dimension, wait,
        score.value, score.low, score.high, behind.value, standing.tied,
    )  # fmt: skip


def _proved(
    sweeper: Sweeper, task: Task, vectors: dict[Spot, Matrix], asked: Sequence[Spot]
) -> list[Proof]:
    """Score the chosen spot, the one with the highest score and the usual one where nothing was chosen."""
    held = sweeper.vectors(task.held, list(dict.fromkeys(asked)))
    found = task.confirmed([vectors[spot] for spot in asked], [held[spot] for spot in asked])
    return [
        Proof(
            what, spot.where, spot.pooling, each.score.value, each.score.low, each.score.high,
            each.gain.value, each.gain.low, each.gain.high,
        )
        for what, spot, each in zip(_PROVED, asked, found, strict=True)
    ]  # fmt: skip
