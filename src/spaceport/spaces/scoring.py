"""Score a version on tasks, and keep the scores on its card as a patch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spaceport.encoders._interactions import InteractionEncoder
from spaceport.errors import InputError, ParameterError, SpaceportError
from spaceport.methods import make, parse
from spaceport.quality import analogies as words
from spaceport.quality import probe, ranking
from spaceport.quality import similarity as pairs
from spaceport.spaces import card
from spaceport.spaces.card import Fact
from spaceport.spaces.lineage import of_patch
from spaceport.spaces.raw import raw_features

if TYPE_CHECKING:
    from spaceport.sources.base import Source
    from spaceport.spaces.version import Version
    from spaceport.storage.store import Record, Store

__all__ = [
    "held_out_source",
    "measure",
    "of_analogies",
    "of_interactions",
    "of_label",
    "of_similarity",
    "record",
]

Named: TypeAlias = str | os.PathLike[str]

ANALOGY_WORDS = 30_000


def measure(
    version: Version,
    label: str | None = None,
    analogies: Named | None = None,
    similarity: Named | None = None,
    interactions: Source | None = None,
) -> list[Fact]:
    """Every score that is asked for; see `Spaceport.score`."""
    facts: list[Fact] = []
    if label is not None:
        facts += of_label(version, label)
    if analogies is not None:
        facts += of_analogies(version, analogies)
    if similarity is not None:
        facts += of_similarity(version, similarity)
    if interactions is not None:
        facts += of_interactions(version, interactions)
    if not facts:
        raise ParameterError(
            "Nothing was asked for.", "Name a label, analogies, similarity or interactions."
        )
    return facts


def of_label(version: Version, column: str) -> list[Fact]:
    """Linear probe and nearest-neighbor accuracy on a metadata column; see `quality.probe.probe`.

    The baseline is the same regression on raw features, where the version keeps any: one-hot words
    of the texts, one-hot categories and numbers of a table's rows, pixels of the thumbnails.
    """
    labels = version.metadata([column]).column(column).to_pylist()
    raw = raw_features(version, column)
    features = "" if raw is None else raw.name
    found = probe.probe(
        version.vectors(),
        labels,
        baseline=None if raw is None else raw.features,
        metric=version.contract.metric,
    )
    return [
        _probed(f"linear probe of {column}", found.linear, found, features, _LINEAR),
        _probed(f"neighbors' vote on {column}", found.nearest, found, features, _VOTE),
    ]


def of_analogies(version: Version, path: Named) -> list[Fact]:
    """Share of analogies answered rightly, overall and by section; see `quality.analogies`."""
    scores = words.analogies(
        version.ids, version.vectors(), words.read_questions(Path(path)), restrict=ANALOGY_WORDS
    )
    if not scores.overall.covered:
        raise InputError(
            f"None of the {scores.overall.total:,} questions has four words of {version.reference}.",
            "Give questions in the language of the space.",
        )
    how = f"3CosAdd among the first {ANALOGY_WORDS:,} words, {Path(path).name}"
    groups = {"": scores.overall, " (semantic)": scores.semantic, " (syntactic)": scores.syntactic}
    groups |= {f" ({name})": tally for name, tally in scores.sections.items()}
    return [
        Fact(
            f"analogies{name}",
            {"accuracy": tally.accuracy, "covered": tally.covered, "questions": tally.total},
            f"{tally.accuracy:.1%} of {tally.covered:,} covered questions ({tally.total:,} asked)",
            how,
        )
        for name, tally in groups.items()
    ]


def of_similarity(version: Version, path: Named) -> list[Fact]:
    """Rank correlation of cosines with people's judgements; see `quality.similarity`."""
    score = pairs.word_similarity(version.ids, version.vectors(), pairs.read_pairs(Path(path)))
    share = score.covered / score.total
    return [
        Fact(
            f"word similarity ({Path(path).stem})",
            {"spearman": score.spearman, "covered": score.covered, "pairs": score.total},
            f"{score.spearman:.3f} on {score.covered:,} of {score.total:,} pairs ({share:.0%})",
            f"Spearman's rank correlation of cosines with the judgements in {Path(path).name}",
        )
    ]


def of_interactions(version: Version, source: Source, k: int = 10) -> list[Fact]:
    """How held-out items of known users are ranked, beside the popular items; see `quality.ranking`."""
    encoder = version.encoder
    if not isinstance(encoder, InteractionEncoder):
        raise ParameterError(
            f"{version.reference} was not learnt from interactions.",
            "Score a space of `spaceport build ratings`.",
        )
    held = ranking.held_out(encoder.users_, encoder.items_, encoder.seen_, source)
    ours = ranking.ranking(encoder.scores, encoder.seen_, held.matrix, k)
    popular = ranking.ranking(ranking.popularity(encoder.seen_), encoder.seen_, held.matrix, k)
    how = (
        f"{held.matrix.nnz:,} held-out events of {ours.users:,} users; left out: "
        f"{held.unknown_users:,} of unknown users, {held.unknown_items:,} of unknown items, "
        f"{held.seen:,} that were learnt from; {source.spec}"
    )
    return [_ranked(name, getattr(ours, name), getattr(popular, name), k, how) for name in _RANKED]


def held_out_source(version: Version) -> Source:
    """The other part of the events that the version was built from with ``part="train"``."""
    try:
        source = parse("sources", str(version.record.notes.get("source")))
        told = source.params()
    except SpaceportError:
        told = {}
    if told.get("part") != "train":
        raise ParameterError(
            f"{version.reference} was not built from a training part, so nothing was held out.",
            "Build it with --part train, or name a file with --interactions.",
        )
    held: Source = make("sources", source.name, told | {"part": "test"})
    return held


def record(store: Store, base: Record, facts: Sequence[Fact], wait: float = 0.0) -> Record:
    """Publish `base` once more with `facts` on its card: a patch; `base` itself where they are there.

    Raises
    ------
    ParameterError
        `base` is not the latest version of its space.
    """
    with store.writing(base.space, wait=wait) as writer:
        if writer.latest is None or writer.latest.reference != base.reference:
            raise ParameterError(
                f"{base.reference} is not the latest version of {base.space}, so no patch can follow it.",
                "Score the latest one, or leave the card alone (record=False, --no-record).",
            )
        before = card.from_json(store.read(base, "card.json"))
        after = _joined(before, facts)
        if after == before:
            return base
        writer.keep_vectors(base)
        for name in store.files(base):
            shutil.copyfile(store.file(base, name), writer.folder / name)
        reason = "the same vectors, scores measured"
        told = [
            replace(fact, value="patch", text=f"patch: {reason}")
            if fact.name == "version"
            else fact
            for fact in after
        ]
        (writer.folder / "card.json").write_text(card.to_json(told), encoding="utf-8")
        return writer.publish(
            base.number.bump("patch"),
            kind="patch",
            contract=base.contract,
            fingerprint=base.fingerprint,
            spec=base.spec,
            notes={**base.notes, "reason": reason},
            lineage=of_patch(base),
        )


_RANKED = {
    "ndcg": "NDCG",
    "recall": "recall",
    "precision": "precision",
    "map": "MAP",
    "coverage": "coverage",
}
_LINEAR = (
    "logistic regression, penalty chosen on training items (quality.probe.linear_probe_accuracy)"
)
_VOTE = "vote of the {k} nearest training items (quality.probe.nearest_neighbor_accuracy)"


def _probed(
    name: str,
    accuracy: probe.Accuracy,
    found: probe.ProbeScores,
    features: str,
    how: str,
) -> Fact:
    low, high = accuracy.interval
    value: dict[str, Any] = {
        "accuracy": accuracy.value,
        "interval": [low, high],
        "held_out": accuracy.total,
        "majority": found.majority.value,
    }
    beside = f"always the commonest {found.majority.value:.1%}"
    if found.baseline is not None:
        value |= {"baseline": found.baseline.value, "baseline_features": features}
        beside = f"linear on {features} {found.baseline.value:.1%}, {beside}"
    text = f"{accuracy.value:.1%} ({low:.1%} to {high:.1%}) of {accuracy.total:,} held-out items; {beside}"
    left_out = f"{found.unlabeled:,} without a label and {found.alone:,} alone with theirs left out"
    told = how.format(k=found.k)
    return Fact(
        name,
        value,
        text,
        f"{told}; {found.train:,} items learnt from, {found.classes} classes, a fifth of each held "
        f"out with seed 0, {left_out}; interval: Wilson, 95 %",
    )


def _ranked(name: str, ours: float, popular: float, k: int, how: str) -> Fact:
    value = {"value": ours, "popularity": popular}
    text = f"{ours:.4f} (popular items {popular:.4f})"
    return Fact(f"{_RANKED[name]}@{k}", value, text, how)


def _joined(before: Sequence[Fact], facts: Sequence[Fact]) -> list[Fact]:
    """The facts of a card with new ones in the place of those of the same name, or at the end."""
    new = {fact.name: fact for fact in facts}
    kept = [new.pop(fact.name, fact) for fact in before]
    return [*kept, *new.values()]
