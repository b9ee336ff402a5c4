"""At least 500 hostile files, none taken, none a crash; each is loaded in a process that may be lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from hostile.damage import cases, reader
from hostile.stores import encoders, stores
from hostile.trial import SABOTEURS
from hostile.wellformed import FILES, encoder, store

TRIAL = Path(__file__).with_name("trial.py")
BATCH = 120
SEED = 20261122

Told = dict[str, object]


@dataclass(frozen=True)
class Yard:
    """Where the sound files, the hostile ones and the trap are."""

    root: Path

    @property
    def trap(self) -> Path:
        """What a pickle would make."""
        return self.root / "sprung"

    def sound(self, reader: str) -> Path:
        """Something well-formed for a reader."""
        return self.root / "sound" / {"encoder": "encoder", "store": "store", "gc": "store"}[reader]


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """A yard with everything well-formed in it."""
    found = Yard(tmp_path_factory.mktemp("yard"))
    sound = found.root / "sound"
    sound.mkdir()
    for name, make in FILES.items():
        (sound / name).write_bytes(make())
    encoder(sound)
    store(sound)
    return found


def judge(told: Sequence[Told], folder: Path, saboteur: str | None = None) -> dict[str, str]:
    """What came of each case, by its path; a process that died is what came of its last case."""
    found: dict[str, str] = {}
    warm = [case for case in told if case.get("warm")]
    left = [case for case in told if not case.get("warm")]
    while left:
        batch, left = left[:BATCH], left[BATCH:]
        listed = folder / "cases.jsonl"
        listed.write_text("\n".join(map(json.dumps, [*warm, *batch])))
        command = [sys.executable, str(TRIAL), str(listed), *([saboteur] if saboteur else [])]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        said = [json.loads(line) for line in ended.stdout.splitlines()]
        for case, verdict in zip(said[::2], said[1::2], strict=False):
            found[case["path"]] = verdict
        if len(said) % 2:
            found[said[-1]["path"]] = f"died with {ended.returncode}: {ended.stderr[-300:]}"
            left = batch[len(said) // 2 + 1 :] + left
        assert said, ended.stderr[-3000:]
    return found


def warm(yard: Yard) -> list[Told]:
    """Each reader once, so that what it imports is not counted as what a file makes it take."""
    sound = yard.root / "sound"
    told = [{"reader": reader(name), "path": str(sound / name), "warm": True} for name in FILES]
    told += [{"reader": r, "path": str(yard.sound(r)), "warm": True} for r in ("encoder", "store")]
    return told


def written(yard: Yard) -> list[Told]:
    """Every hostile file, in a folder of its own."""
    told: list[Told] = []
    for count, case in enumerate(cases(Random(SEED), yard.trap)):
        folder = yard.root / "files" / str(count)
        folder.mkdir(parents=True)
        (folder / case.name).write_bytes(case.data)
        told.append({"reader": case.reader, "path": str(folder / case.name)})
    return told


def copied(yard: Yard) -> list[Told]:
    """Every hostile folder, a copy of the sound one that somebody has changed."""
    told: list[Told] = []
    damaged = stores(yard.sound("store"), Random(SEED), yard.trap) + encoders(yard.trap)
    for count, case in enumerate(damaged):
        folder = yard.root / "folders" / f"{count}-{''.join(filter(str.isalnum, case.name))[:30]}"
        shutil.copytree(yard.sound(case.reader), folder)
        case.spoil(folder)
        told.append({"reader": case.reader, "path": str(folder)})
    return told


def wrongly_taken(found: dict[str, str]) -> list[str]:
    return [f"{path}: {verdict}" for path, verdict in found.items() if verdict != "refused"]


def test_what_is_well_formed_is_taken(yard: Yard, tmp_path: Path) -> None:
    sound = [case | {"warm": False} for case in warm(yard)]
    found = judge([*warm(yard), *sound], tmp_path)
    assert set(found.values()) == {"accepted"}, found
    assert len(found) == len(FILES) + 2


def test_no_hostile_file_is_taken_and_none_crashes(yard: Yard, tmp_path: Path) -> None:
    told = written(yard)
    found = judge([*warm(yard), *told], tmp_path)
    print(f"\n{len(told)} hostile files: {dict(Counter(case['reader'] for case in told))}")
    wrong = wrongly_taken(found)
    assert not wrong, "\n".join(wrong)
    assert len(found) == len(told) >= 500
    assert not yard.trap.exists()


def test_no_damaged_store_is_taken_and_none_crashes(yard: Yard, tmp_path: Path) -> None:
    told = copied(yard)
    found = judge([*warm(yard), *told], tmp_path)
    print(f"\n{len(told)} damaged folders: {dict(Counter(case['reader'] for case in told))}")
    wrong = wrongly_taken(found)
    assert not wrong, "\n".join(wrong)
    assert len(found) == len(told) >= 200
    assert not yard.trap.exists()


@pytest.mark.parametrize("saboteur", sorted(SABOTEURS))
def test_a_lenient_reader_is_noticed(yard: Yard, tmp_path: Path, saboteur: str) -> None:
    trapped = Yard(tmp_path)
    replaced = SABOTEURS[saboteur][0]
    if replaced == "store":
        (tmp_path / "sound").mkdir()
        store(tmp_path / "sound")
        encoder(tmp_path / "sound")
        told = copied(trapped)[::7]
    else:
        told = [case for case in written(trapped) if case["reader"] == replaced]
        told = [
            case
            for case in told
            if "bomb" not in str(case["path"]) and "large" not in str(case["path"])
        ]
    found = judge([*warm(yard), *told], tmp_path, saboteur)
    assert any(verdict == "accepted" for verdict in found.values()) or trapped.trap.exists()
    if saboteur in ("numpy with pickle", "pickle"):
        assert trapped.trap.exists()
