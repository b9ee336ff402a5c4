"""Merging duplicates and splitting histories: against plain dicts and the stated rules."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from sources.events import histories, pairs, random_events, write
from spaceport.errors import InputError, NotFoundError
from spaceport.sources import _event_tables
from spaceport.sources.interactions import Interactions

ROWS = [
    {"user_id": 7, "item_id": 1, "rating": 4.0, "timestamp": 50},
    {"user_id": 3, "item_id": 2, "rating": 0.5, "timestamp": 20},
    {"user_id": 7, "item_id": 2, "rating": 3.0, "timestamp": 40},
    {"user_id": 7, "item_id": 1, "rating": 1.0, "timestamp": 10},
]


@pytest.mark.parametrize("bulk", [True, False])
def test_merging_against_a_dict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bulk: bool
) -> None:
    if not bulk:
        monkeypatch.setattr(_event_tables, "in_bulk", lambda *_: None)
    rows = random_events(tmp_path / "x.csv")
    summed: dict[tuple[str, str], int] = defaultdict(int)
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for user, item, plays, time in rows:
        summed[user, item] += plays
        if time >= last.get((user, item), (-1, 0))[0]:
            last[user, item] = (time, plays)
    flat = {(u, i): v for u, had in histories(tmp_path / "x.csv").items() for i, v in had.items()}
    assert flat == summed
    found = histories(tmp_path / "x.csv", duplicates="last")
    assert {(u, i): v for u, had in found.items() for i, v in had.items()} == {
        pair: plays for pair, (_, plays) in last.items()
    }


SPLITS = ("random", "time", "last")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_loses_nothing_and_doubles_nothing(tmp_path: Path, split: str) -> None:
    path = tmp_path / "x.csv"
    random_events(path)
    train, test = (pairs(path, part=part, split=split) for part in ("train", "test"))
    assert not train & test
    assert train | test == pairs(path)
    assert test
    assert pairs(path, part="test", split=split) == test


def test_the_random_split_holds_the_stated_share_of_each_user(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    random_events(path)
    whole, test = histories(path), histories(path, part="test", share=0.29)
    assert min(map(len, whole.values())) < 4  # so that the rule for small histories is met
    for user, had in whole.items():
        assert len(test.get(user, {})) == int(0.29 * len(had) + 1e-9)


def test_a_share_that_floating_point_misses(tmp_path: Path) -> None:
    assert 0.29 * 100 < 29
    path = write(
        tmp_path / "x.csv", "user,item,time\n" + "".join(f"a,{n},{n}\n" for n in range(100))
    )
    for split in ("random", "time"):
        assert len(pairs(path, part="test", share=0.29, split=split)) == 29


def test_the_random_split_hangs_on_seed_user_and_item_only(tmp_path: Path) -> None:
    rows = random_events(tmp_path / "x.csv")
    test = pairs(tmp_path / "x.csv", part="test")
    assert pairs(tmp_path / "x.csv", part="test", seed=1) != test
    random.Random(1).shuffle(rows)
    mixed = [*rows, *((f"new{n % 7}", f"i{n}", 1, 1) for n in range(100))]
    with (tmp_path / "y.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("user", "item", "plays", "time"), *mixed])
    again = pairs(tmp_path / "y.csv", part="test")
    assert {(u, i) for u, i in again if not u.startswith("new")} == test


def test_the_random_split_takes_every_item_alike(tmp_path: Path) -> None:
    rows = "".join(f"u{u},i{i}\n" for u in range(2000) for i in range(10))
    path = write(tmp_path / "x.csv", "user,item\n" + rows)
    counts = Counter(item for _, item in pairs(path, part="test", share=0.3))
    assert sum(counts.values()) == 6000
    expected = 600
    chi2 = sum((counts[f"i{i}"] - expected) ** 2 / (expected * 0.7) for i in range(10))
    assert chi2 < 27.9  # the 0.999 quantile with 9 degrees of freedom


def test_the_last_split_takes_each_users_latest(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv",
        "user,item,time\na,x,2020-01-02\na,y,2020-01-03 10:00:00\na,z,2020-01-01\n"
        "b,x,2021-01-01\nc,x,2020-05-05\nc,y,2020-05-05\n",
    )
    assert pairs(path, part="test", split="last") == {("a", "y"), ("c", "y")}


def test_the_time_split_takes_the_latest_of_all(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = random_events(path)
    latest: dict[tuple[str, str], tuple[int, int]] = {}
    for place, (user, item, _, time) in enumerate(rows):
        latest[user, item] = max(latest.get((user, item), (-1, -1)), (time, place))
    order = sorted(latest, key=lambda pair: latest[pair])
    wanted = order[len(order) - int(0.15 * len(order)) :]
    assert pairs(path, part="test", split="time", share=0.15) == set(wanted)


def test_a_split_by_time_needs_times(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item\na,b\n")
    with pytest.raises(NotFoundError, match="usual name for the time"):
        histories(path, part="train", split="time")
    with pytest.raises(InputError, match="The part 'test' .* holds no events"):
        histories(path, part="test")


def test_the_facts_say_how_it_was_split(tmp_path: Path) -> None:
    random_events(tmp_path / "x.csv")
    source = Interactions(tmp_path / "x.csv", part="test", share=0.1, seed=3)
    assert source.facts() == {}
    entries = sum(len(row["content"]) for b in source.batches() for row in b.to_pylist())
    assert source.facts()["events"] == 3000
    assert source.facts()["entries of the part test"] == entries
    assert "floor(0.1 n), by a hash with the seed 3" in source.facts()["split"]
