"""Rows that an encoder learnt from are no reference for rows that it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spaceport as sp
from spaceport.drift.panel.comparing import compare
from spaceport.errors import SpaceportError
from spaceport.monitoring.unseen import fair_rows, unseen
from spaceport.sources.base import Source

WORDS = 2000
LENGTH = 30


def texts_of(count: int, seed: int) -> list[str]:
    """Texts of words drawn independently by Zipf's law: all from one distribution."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, WORDS + 1)
    drawn = rng.choice(WORDS, (count, LENGTH), p=shares / shares.sum())
    return [" ".join(f"w{word}" for word in row) for row in drawn]


def build(port: sp.Spaceport, folder: Path, texts: list[str], encoder: object) -> sp.Version:
    rows = pa.table({"id": [f"{i}" for i in range(len(texts))], "text": texts})
    pq.write_table(rows, folder / "texts.parquet")
    return port.build(
        "texts", encoder, sp.sources.texts(str(folder / "texts.parquet"), column="text", id="id")
    )


def test_a_given_encoder_has_seen_nothing(tmp_path: Path) -> None:
    version = build(
        sp.open(tmp_path / "s"), tmp_path, texts_of(50, 0), sp.encoders.hashing(dimension=8)
    )
    assert unseen(version).all()
    assert len(fair_rows(version)) == 50


def test_what_a_fitted_encoder_learnt_from_is_no_reference(tmp_path: Path) -> None:
    version = build(
        sp.open(tmp_path / "s"), tmp_path, texts_of(400, 0), sp.encoders.lsa(dimension=8)
    )
    assert not unseen(version).any()
    with pytest.raises(SpaceportError, match="never saw lie elsewhere") as told:
        fair_rows(version)
    assert str(told.value).count("\n") == 1


def test_items_that_were_added_or_changed_later_are_fair(tmp_path: Path) -> None:
    port, texts = sp.open(tmp_path / "s"), texts_of(700, 0)
    build(port, tmp_path, texts[:400], sp.encoders.lsa(dimension=8))
    changed = ["changed " + texts[0], *texts[1:]]
    version = build(port, tmp_path, changed, sp.encoders.lsa(dimension=8))
    assert version.reference == "texts@1.1.0"
    names = np.array(version.ids)[fair_rows(version)]
    assert sorted(map(int, names)) == [0, *range(400, 700)]


def test_the_trap_is_real_and_unseen_rows_avoid_it() -> None:
    encoder = sp.encoders.lsa(dimension=32)
    taught, fresh, windows = texts_of(600, 0), texts_of(600, 1), texts_of(600, 2)
    encoder.fit(_Source(taught))
    current = encoder.encode(windows)
    against_taught = compare(encoder.encode(taught), current, permutations=199, metric="cosine")
    against_fresh = compare(encoder.encode(fresh), current, permutations=199, metric="cosine")
    assert against_taught.p <= 0.01
    assert against_fresh.p > 0.05


class _Source(Source):
    modality = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self):  # type: ignore[no-untyped-def]
        yield pa.record_batch({"id": [*map(str, range(len(self.texts)))], "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


def test_a_monitor_of_what_was_learnt_begins_with_its_first_window(tmp_path: Path) -> None:
    port = sp.open(tmp_path / "s")
    version = build(port, tmp_path, texts_of(400, 0), sp.encoders.lsa(dimension=8))
    monitor = version.monitor(alpha=0.01)
    states = []
    for seed in range(1, 4):
        (verdict,) = monitor.update(np.asarray(version.encode(texts_of(300, seed))))
        states.append(verdict.state)
    assert monitor.settings.reference == "first:1"
    assert states == ["reference", "none", "none"]


def test_the_trap_can_be_stepped_into_on_purpose(tmp_path: Path) -> None:
    port = sp.open(tmp_path / "s")
    version = build(port, tmp_path, texts_of(600, 0), sp.encoders.lsa(dimension=32))
    window = np.asarray(version.encode(texts_of(600, 1)))
    with pytest.raises(SpaceportError, match="in-sample"):
        version.monitor(alpha=0.01, reference="version").update(window)
    monitor = version.monitor(alpha=0.01, reference="in-sample", name="other")
    assert monitor.update(window)[0].state == "alarm"


def test_a_monitor_takes_the_rows_that_were_never_seen(tmp_path: Path) -> None:
    port, texts = sp.open(tmp_path / "s"), texts_of(900, 0)
    build(port, tmp_path, texts[:400], sp.encoders.lsa(dimension=32))
    version = build(port, tmp_path, texts, sp.encoders.lsa(dimension=32))
    monitor = version.monitor(alpha=0.01)
    (verdict,) = monitor.update(np.asarray(version.encode(texts_of(600, 1))))
    assert monitor.settings.reference == "version"
    assert verdict.state == "none"
    assert verdict.evidence["rows"][0] == 500
