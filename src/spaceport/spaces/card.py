"""The card of a version: measured facts, each with how it was measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import CorruptError
from spaceport.geometry import neighbors, spectrum
from spaceport.maps.page import curve
from spaceport.safe import read_json
from spaceport.spaces import prefixes
from spaceport.spaces.canaries import CEILING, FACTOR, FLOOR, Canaries
from spaceport.spaces.lineage import libraries

if TYPE_CHECKING:
    from spaceport.spaces.contract import Contract
    from spaceport.spaces.draft import Draft

__all__ = ["CURVE", "Fact", "from_json", "measure", "to_json", "to_text"]

CURVE = "training curve"
"""The fact that holds what each epoch of a training came to."""

SPECTRUM_ROWS = 100_000
EXAMPLES = 5
_FITTED = "by the encoder while it was fitted"
_GIVEN = "by the encoder while it encoded"
_READ = "by the source while it was read"


@dataclass(frozen=True)
class Fact:
    """One fact of a card.

    Attributes
    ----------
    name : str
        What it is, in a few words.
    value : object
        A number, a string, a list of them or a dict; JSON-able, never NaN.
    text : str
        The value as people read it, with its unit.
    how : str
        How it was measured.
    """

    name: str
    value: Any
    text: str
    how: str


def measure(
    draft: Draft,
    contract: Contract,
    vectors: Matrix,
    graph: neighbors.Graph,
    canaries: Canaries | None = None,
) -> list[Fact]:
    """Measure a version that is about to be published.

    Parameters
    ----------
    draft : Draft
        What was asked for and written.
    contract : Contract
        What the version promises.
    vectors : ndarray of shape (n, d), float32
    graph : Graph
        Its neighbor graph.
    canaries : Canaries, optional
        The inputs that are kept with their vectors.
    """
    return [
        *_size(draft, contract, vectors),
        *_shape(vectors),
        *_hubness(graph, len(vectors), draft.table.ids()),
        *_examples(graph, draft.table.ids()),
        *_shorter(contract),
        *_canaries(contract, canaries),
        *_origin(draft, contract),
    ]


def to_json(facts: Sequence[Fact]) -> str:
    """The card as JSON."""
    return json.dumps(
        [asdict(fact) for fact in facts], ensure_ascii=False, allow_nan=False, indent=1
    )


def from_json(text: str | bytes) -> list[Fact]:
    """Undo `to_json`."""
    try:
        data = text.encode() if isinstance(text, str) else text
        return [Fact(**values) for values in read_json(data, "card.json")]
    except (ValueError, TypeError) as error:
        raise CorruptError("card.json cannot be read.", "Run `spaceport verify`.") from error


def to_text(facts: Sequence[Fact], how: bool = False) -> str:
    """The card as aligned lines; `how` adds how each fact was measured.

    Examples
    --------
    >>> print(to_text([Fact("rows", 2, "2", "counted"), Fact("dimension", 8, "8", "counted")]))
    rows       2
    dimension  8
    """
    width = max(len(fact.name) for fact in facts)
    lines = []
    for fact in facts:
        lines.append(f"{fact.name:<{width}}  {fact.text}")
        if how:
            lines.append(f"{'':<{width}}    {fact.how}")
    return "\n".join(lines)


def _size(draft: Draft, contract: Contract, vectors: Matrix) -> list[Fact]:
    size, source = vectors.nbytes, draft.content_bytes
    share = size / source if source else 0.0
    return [
        Fact("rows", len(vectors), f"{len(vectors):,}", "counted"),
        Fact("dimension", contract.dimension, str(contract.dimension), "counted"),
        Fact("metric", contract.metric, contract.metric, "from the contract"),
        Fact("vector bytes", size, _bytes(size), "rows × dimension × 4"),
        Fact(
            "source bytes", source, _bytes(source), "content as it was read; of a corpus, its files"
        ),
        Fact("bytes against source", share, f"{share:.3g}×", "vector bytes / source bytes"),
    ]


def _shape(vectors: Matrix) -> list[Fact]:
    lengths = np.linalg.norm(vectors, axis=1)
    zero = int((lengths == 0).sum())
    sample = _sample(vectors)
    rank, isotropy = spectrum.effective_rank(sample), spectrum.isotropy(sample)
    on = "all rows" if len(sample) == len(vectors) else f"{len(sample):,} rows drawn with seed 0"
    spread = f"{lengths.mean():.3g} (from {lengths.min():.3g} to {lengths.max():.3g})"
    return [
        Fact("length of rows", [float(x) for x in (lengths.mean(), lengths.min(), lengths.max())], spread,
             "mean, smallest and largest Euclidean norm"),
        Fact("zero rows", zero, f"{zero:,}", "items about which the encoder knows nothing"),
        Fact("effective rank", rank, f"{rank:.1f} of {vectors.shape[1]}",
             f"exponential of the entropy of the singular values (Roy & Vetterli 2007), {on}"),
        Fact("isotropy", isotropy, f"{isotropy:.3f}", f"{_first_line(spectrum.isotropy)} {on}"),
    ]  # fmt: skip


def _hubness(graph: neighbors.Graph, rows: int, ids: Sequence[str]) -> list[Fact]:
    if graph.indices.shape[1] == 0:
        return []
    hubs = spectrum.hubness(graph.indices, rows)
    k = graph.indices.shape[1]
    how = f"{k} nearest neighbors of each row, {graph.method}"
    found = (
        f"{graph.recall:.3f} on {graph.recall_queries:,} queries"
        if graph.recall_queries
        else "1 (exact)"
    )
    return [
        Fact("orphans", hubs.orphans, f"{hubs.orphans:.1%}", f"items that are nobody's neighbor; {how}"),
        Fact("largest hub", [ids[hubs.hub], hubs.largest], f"{ids[hubs.hub]} ({hubs.largest:,} times)",
             f"the item that is most often a neighbor; {how}"),
        Fact("neighbor recall", graph.recall, found, f"{graph.method}, against exact search"),
    ]  # fmt: skip


def _examples(graph: neighbors.Graph, ids: Sequence[str]) -> list[Fact]:
    shown = min(3, graph.indices.shape[1])
    if not shown:
        return []
    facts = []
    for place in np.linspace(0, len(ids) - 1, min(EXAMPLES, len(ids))).astype(int):
        near = [ids[index] for index in graph.indices[place, :shown]]
        text = f"{ids[place]} → {', '.join(near)}"
        facts.append(
            Fact("for example", [ids[place], *near], text, "an item and its nearest neighbors")
        )
    return facts


def _shorter(contract: Contract) -> list[Fact]:
    if not contract.dimensions:
        return []
    pairs = list(zip(contract.dimensions, contract.losses, strict=True))
    text = ", ".join(f"{dimension} ({loss:.1%} lost)" for dimension, loss in pairs)
    how = (
        "share of the 10 nearest lost with the first numbers alone, 1,000 rows asked among up to "
        f"{prefixes.ROWS:,} drawn with seed 0 (spaces.prefixes.losses)"
    )
    return [Fact("shorter vectors", [list(pair) for pair in pairs], text, how)]


def _canaries(contract: Contract, canaries: Canaries | None) -> list[Fact]:
    if canaries is None:
        return []
    noise = "not measured" if canaries.noise is None else f"noise {canaries.noise:.2g}"
    value = {
        "canaries": len(canaries.items),
        "noise": canaries.noise,
        "tolerance": contract.tolerance,
    }
    text = f"{len(canaries.items)}, {noise}, tolerance {contract.tolerance:.2g}"
    how = (
        "noise: largest departure of an input encoded alone, in reverse order a few at a time, and as a "
        f"row of the version; tolerance: {FACTOR:g} times that, from {FLOOR:g} to {CEILING:g}"
    )
    return [Fact("canaries", value, text, how)]


def _origin(draft: Draft, contract: Contract) -> list[Fact]:
    encoder, order = draft.order.encoder, draft.order
    built = libraries(encoder)
    facts = []
    if encoder is not None:
        told = encoder.facts()
        work, how = ("training", _FITTED) if encoder.fitted else ("encoding", _GIVEN)
        facts.append(Fact("encoder", encoder.spec, encoder.spec, "as it was built"))
        facts += [
            _curve(value) if name == "curve" else _told(work, name, value, how)
            for name, value in told.items()
        ]
    facts += [
        Fact("source", order.source.spec, order.source.spec, "as it was named"),
        *(_told("source", name, value, _READ) for name, value in order.source.facts().items()),
        Fact("fingerprint", contract.fingerprint, contract.fingerprint[:16] + "…",
             "SHA-256 over everything that changes the numbers"),
        Fact("version", draft.change.kind, f"{draft.change.kind}: {draft.change.reason}", "measured"),
        Fact("built with", built, ", ".join(f"{k} {v}" for k, v in built.items()),
             "installed distributions"),
    ]  # fmt: skip
    return facts


def _told(prefix: str, name: str, value: object, how: str) -> Fact:
    return Fact(f"{prefix} {name.replace('_', ' ')}", value, _as_text(value), how)


def _curve(epochs: list[dict[str, float]]) -> Fact:
    """The learning curve: its numbers, and for people a row of bars."""
    losses = [epoch["held_out_loss"] for epoch in epochs]
    text = f"{curve.sparkline(losses)} held-out loss {losses[0]:.4g} to {min(losses):.4g}"
    return Fact(CURVE, epochs, text, "after each epoch, on items that were not trained on")


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


def _sample(vectors: Matrix) -> Matrix:
    if len(vectors) <= SPECTRUM_ROWS:
        return vectors
    places = np.random.default_rng(0).choice(len(vectors), SPECTRUM_ROWS, replace=False)
    return vectors[np.sort(places)]


def _first_line(function: object) -> str:
    return (function.__doc__ or "").strip().split("\n")[0]


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
