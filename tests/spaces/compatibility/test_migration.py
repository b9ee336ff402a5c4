"""Migrations: planned first, killed anywhere, never half visible."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spaceport.encoders.hashing import Hashing
from spaceport.errors import InputError, NotFoundError, ParameterError, RefusedError
from spaceport.spaces.compatibility.stored import Part, Stored
from spaceport.spaces.spaceport import Spaceport
from spaces.compatibility import migrating
from spaces.compatibility.migrating import COUNT, NEW, OLD, STAGES, consume, ready

TESTS = Path(__file__).parents[2]


def apart(folder: Path, catalog: str, stage: str) -> subprocess.Popen[bytes]:
    """Migrate in another process."""
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, migrating.__file__, str(folder), catalog, stage],
        env=os.environ | {"PYTHONPATH": paths},
    )


def check_whole(store: Spaceport) -> str:
    """What production stands for; it is whole, and pins fit it."""
    stands = store.aliases("notes")["production"]
    version = store[stands]
    assert stands in ("notes@1.0.0", "notes@2.0.0")
    assert version.vectors().shape == (COUNT, 32 if stands == "notes@1.0.0" else 48)
    assert store.verify(stands) == []
    return stands


def test_a_version_keeps_its_texts_as_they_were(tmp_path: Path) -> None:
    store = ready(tmp_path)
    stored = Stored(store["notes@1"])
    (batch,) = stored.batches()
    assert batch.column("content").to_pylist() == [text for text, _ in migrating.texts()]
    assert batch.column("kind").to_pylist() == [kind for _, kind in migrating.texts()]
    part = Part(stored, 10, COUNT)
    assert sum(rows.num_rows for rows in part.batches()) == 10
    same = store.build("notes", store["notes@1"].encoder, stored)  # type: ignore[arg-type]
    assert same.reference == "notes@1.0.0", (
        "ids, contents and metadata are the same: nothing is new"
    )


def test_without_the_texts_the_source_is_asked_for(tmp_path: Path) -> None:
    store = ready(tmp_path, keep_text=False)
    with pytest.raises(InputError, match="does not keep its items' contents") as raised:
        store.plan_migration("notes", NEW)
    assert "texts(" in raised.value.remedy
    line = f"texts({str(tmp_path / 'notes.csv')!r}, column='text', id='id', label='kind')"
    assert store.plan_migration("notes", NEW, source=line).items == COUNT
    done = store.migrate("notes", NEW, source=line, bar=0.0)
    assert done.version.reference == "notes@2.0.0"
    assert done.gate is None


def test_the_plan_counts_prices_and_lists_and_writes_nothing(tmp_path: Path) -> None:
    store = ready(tmp_path)
    consume(store, tmp_path)
    before = [event.action for event in store.history("notes")]
    files = sorted(tmp_path.rglob("*"))
    planned = store.plan_migration("notes", NEW, alias="production", price_per_million=2.0)
    distinct = len({text for text, _ in migrating.texts()})
    assert (planned.items, planned.encode, planned.kept) == (COUNT, distinct, 0)
    assert planned.vector_bytes == COUNT * 48 * 4
    assert planned.tokens is not None
    sample = [text for text, _ in migrating.texts()]
    assert planned.tokens == pytest.approx(
        np.mean([len(t) for t in sample]) / 4 * distinct, rel=0.1
    )
    assert planned.cost == pytest.approx(planned.tokens * 2 / 1e6)
    assert planned.seconds is not None
    mean, low, high = planned.seconds
    assert low <= mean <= high
    assert planned.derived == ("task heating (notes@1.0.0)",)
    assert planned.consumers == ("heating of " + store.consumers("notes")[0].owner + " (pin 1)",)
    assert planned.stands_for == "notes@1.0.0"
    for told in ("items", "money", "heating", "notes@1.0.0", "to be learnt"):
        assert told in str(planned)
    assert [event.action for event in store.history("notes")] == before
    assert sorted(tmp_path.rglob("*")) == files


def test_it_builds_aligns_learns_anew_replays_and_cuts_over(
    tmp_path: Path, catalog_url: str
) -> None:
    store = ready(tmp_path, catalog_url)
    consume(store, tmp_path)
    time.sleep(
        1.1
    )  # times are told in seconds; what different tables say of one second has no order
    done = store.migrate("notes", NEW, alias="production", bar=0.0)
    assert done.adapter is not None
    assert done.learnt == ("heating",)
    assert done.gate is not None
    assert [result.verdict for result in done.gate.results] == ["adapter"]
    assert store.aliases("notes") == {"production": "notes@2.0.0"}
    assert store.consumers("notes")[0].pin == "1"
    actions = [(event.action, event.subject.partition(" ")[0]) for event in store.history("notes")]
    assert actions[-4:] == [
        ("publish", "2.0.0"),
        ("keep", "adapter"),
        ("keep", "probe"),
        ("promote", "production"),
    ]
    again = store.migrate("notes", NEW, start="1", alias="production", bar=0.0)
    assert again.version.reference == "notes@2.0.0"
    assert len(store.history("notes")) == len(actions)


def test_what_would_break_a_consumer_stays_beside(tmp_path: Path) -> None:
    store = ready(tmp_path)
    consume(store, tmp_path)
    with pytest.raises(RefusedError):
        store.migrate("notes", NEW, alias="production", adapter=False)
    assert check_whole(store) == "notes@1.0.0"
    assert [version.reference for version in store.versions("notes")][-1] == "notes@2.0.0"
    store.migrate("notes", NEW, alias="production", bar=0.0)
    assert check_whole(store) == "notes@2.0.0"


def test_the_same_method_and_unknown_starts_are_two_lines(tmp_path: Path) -> None:
    store = ready(tmp_path)
    with pytest.raises(NotFoundError, match="already, and there is no other major"):
        store.plan_migration("notes", OLD)
    with pytest.raises(ParameterError, match="nothing to migrate to"):
        store.migrate("notes", OLD, alias="production")
    with pytest.raises(NotFoundError):
        store.plan_migration("notes", NEW, start="7")
    store.build("other", store["notes@1"].encoder, Stored(store["notes@1"]))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no version of notes"):
        store.plan_migration("notes", NEW, start="other@1")
    with pytest.raises(NotFoundError, match="no space"):
        store.plan_migration("nothing", NEW)


def killed(folder: Path, catalog: str, stage: str) -> None:
    store = ready(folder, catalog)
    consume(store, folder)
    assert apart(folder, catalog, stage).wait() == -9
    assert check_whole(store) == "notes@1.0.0"
    assert [consumer.pin for consumer in store.consumers("notes")] == ["1"]
    encoded: list[int] = []
    encode = Hashing.encode_batch

    def counted(self: Hashing, items: list[str], role: str = "document") -> object:
        encoded.append(len(items))
        return encode(self, items, role)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hashing, "costly", True)
        patch.setattr(Hashing, "at_once", 20)
        patch.setattr(Hashing, "encode_batch", counted)
        kept = store.plan_migration("notes", NEW, alias="production").kept
        encoded.clear()
        store.migrate("notes", NEW, alias="production", bar=0.0)
    assert check_whole(store) == "notes@2.0.0"
    assert [version.reference for version in store.versions("notes")] == [
        "notes@1.0.0",
        "notes@2.0.0",
    ]
    kinds = [artifact.kind for artifact in store.store.artifacts("notes")]
    assert sorted(kinds) == ["adapter", "probe", "task"]
    moves = store.history("notes", "production")
    assert [event.action for event in moves] == ["promote", "promote"]
    if stage == "encoding":
        assert kept > 0
    store.gc()
    assert check_whole(store) == "notes@2.0.0"


@pytest.mark.parametrize("stage", STAGES)
def test_killed_anywhere_it_goes_on(tmp_path: Path, stage: str) -> None:
    killed(tmp_path, f"sqlite:///{tmp_path}/catalog.sqlite", stage)


@pytest.mark.parametrize("stage", ["aligning", "inside the transaction"])
def test_killed_with_a_catalog_on_a_server(tmp_path: Path, postgres_url: str, stage: str) -> None:
    killed(tmp_path, postgres_url, stage)


def test_a_reader_sees_one_whole_version_or_the_other(tmp_path: Path, catalog_url: str) -> None:
    store = ready(tmp_path, catalog_url)
    consume(store, tmp_path)
    process = apart(tmp_path, catalog_url, "none")
    seen = []
    while process.poll() is None:
        seen.append(check_whole(store))
    assert process.returncode == 0
    seen.append(check_whole(store))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ("notes@1.0.0", "notes@2.0.0")
