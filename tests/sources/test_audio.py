"""Sounds from folders, archives and Parquet: metadata, names that say something, and bad input."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources import _sound
from spaceport.sources._sound import read
from spaceport.sources.audio import Audio
from spaceport.testing.sources import check_source


def sound(
    seconds: float = 0.1,
    rate: int = 8000,
    channels: int = 1,
    format: str = "WAV",
    subtype: str | None = None,
    seed: int = 0,
) -> bytes:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    with io.BytesIO() as file:
        soundfile.write(file, samples, rate, format=format, subtype=subtype)
        return file.getvalue()


def items(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    return [row for batch in Audio(*args, **kwargs).batches() for row in batch.to_pylist()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sounds" / "low").mkdir(parents=True)
    (tmp_path / "sounds" / "7_ada_0.wav").write_bytes(sound(0.25))
    (tmp_path / "sounds" / "low" / "3_bo_11.FLAC").write_bytes(sound(0.5, 44_100, 2, "FLAC"))
    (tmp_path / "sounds" / "low" / "4_bo_2.ogg").write_bytes(sound(1, 16_000, 1, "OGG"))
    (tmp_path / "sounds" / "notes.txt").write_text("not a sound")
    return tmp_path / "sounds"


def test_a_folder(folder: Path) -> None:
    rows = items(folder)
    assert [row["id"] for row in rows] == ["7_ada_0.wav", "low/3_bo_11.FLAC", "low/4_bo_2.ogg"]
    assert rows[0]["content"] == (folder / "7_ada_0.wav").read_bytes()
    told = [(row["folder"], row["seconds"], row["rate"], row["channels"]) for row in rows]
    assert told == [(None, 0.25, 8000, 1), ("low", 0.5, 44_100, 2), ("low", 1.0, 16_000, 1)]


@pytest.mark.parametrize("pattern", [None, r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<index>\d+)"])
def test_it_is_a_source(folder: Path, pattern: str | None) -> None:
    check_source(lambda: Audio(str(folder), name_pattern=pattern, label="folder"))


def test_names_become_metadata(folder: Path) -> None:
    pattern = r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<index>\d+)"
    rows = items(folder, name_pattern=pattern, label="digit")
    found = [(row["digit"], row["speaker"], row["index"]) for row in rows]
    assert found == [("7", "ada", "0"), ("3", "bo", "11"), ("4", "bo", "2")]


def test_a_group_that_is_not_there_is_missing(folder: Path) -> None:
    rows = items(folder, name_pattern=r"(?P<digit>\d)_((?P<who>ada)|bo)_\d+")
    assert [row["who"] for row in rows] == ["ada", None, None]


def test_a_name_that_does_not_match_is_an_error_and_can_be_left_out(folder: Path) -> None:
    pattern = r"\d_(?P<speaker>bo)_\d+"
    with pytest.raises(InputError, match=r"1 of 3 files .* 7_ada_0.wav: its name does not match"):
        items(folder, name_pattern=pattern)
    assert len(items(folder, name_pattern=pattern, skip_unreadable=True)) == 2


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<digit>", "no regular expression"),
        (r"(\d)_.*", "no named group"),
        (r"(?P<rate>\d)", "a group rate, which is taken"),
        (r"(?P<id>\d)", "a group id, which is taken"),
        (r"(?P<folder>\d)", "a group folder, which is taken"),
    ],
)
def test_patterns_are_checked(pattern: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Audio("somewhere", name_pattern=pattern)


def test_a_tar_archive(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "sounds.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("low/4_bo_2.ogg", "7_ada_0.wav"):
            archive.add(folder / name, name)
    rows = items(path, name_pattern=r"(?P<digit>\d)_.*")
    assert [(row["id"], row["digit"]) for row in rows] == [
        ("low/4_bo_2.ogg", "4"),
        ("7_ada_0.wav", "7"),
    ]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "sounds.parquet"
    audio = [{"bytes": sound(seed=seed), "path": None} for seed in range(3)]
    pq.write_table(pa.table({"audio": audio, "rate": ["a", "b", "c"]}), path)
    rows = items(path, label="rate_")
    assert [row["rate_"] for row in rows] == ["a", "b", "c"]
    assert [row["rate"] for row in rows] == [8000] * 3
    assert len({row["id"] for row in rows}) == 3


def test_a_label_that_is_no_column(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="no metadata column `digit`"):
        items(folder, label="digit")


def test_unreadable_files_are_counted_named_and_skipped_when_told(folder: Path) -> None:
    whole = (folder / "low" / "3_bo_11.FLAC").read_bytes()
    (folder / "bad.wav").write_bytes(b"RIFF nonsense")
    (folder / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.ogg").write_bytes(b"")
    (folder / "zero.wav").write_bytes(sound(0))
    with pytest.raises(InputError) as raised:
        items(folder)
    assert "4 of 7 files in" in raised.value.what
    assert "cannot be read as sounds; the first are bad.wav: " in raised.value.what
    assert "skip_unreadable=True" in raised.value.remedy
    source = Audio(folder, skip_unreadable=True)
    assert sum(batch.num_rows for batch in source.batches()) == 3
    assert source.facts() == {"files": 7, "unreadable": 4}


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_a_wav_of_zero_length_holds_no_samples(tmp_path: Path, rate: int) -> None:
    (tmp_path / "zero.wav").write_bytes(sound(0, rate))
    with pytest.raises(InputError, match="1 of 1 files .* zero.wav: .*it holds no samples"):
        items(tmp_path)


FORMATS = [
    ("WAV", "PCM_U8", 0.01),
    ("WAV", "PCM_16", 1e-4),
    ("WAV", "PCM_24", 1e-6),
    ("WAV", "FLOAT", 1e-7),
    ("WAV", "DOUBLE", 1e-7),
    ("WAV", "ULAW", 0.03),
    ("FLAC", "PCM_16", 1e-4),
    ("FLAC", "PCM_24", 1e-6),
    ("AIFF", "PCM_16", 1e-4),
    ("AU", "PCM_16", 1e-4),
    ("CAF", "PCM_16", 1e-4),
    ("W64", "PCM_16", 1e-4),
]


@pytest.mark.parametrize(("format", "subtype", "error"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_format_gives_the_mean_of_its_channels(
    format: str, subtype: str, error: float, channels: int
) -> None:
    found = read(sound(0.1, 8000, channels, format, subtype))
    wanted = np.random.default_rng(0).uniform(-0.5, 0.5, (800, channels)).mean(axis=1)
    assert (found.rate, found.channels, found.seconds) == (8000, channels, 0.1)
    assert found.samples.dtype == np.float32
    assert np.abs(found.samples - wanted).max() < error


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_is_near(subtype: str) -> None:
    t = np.arange(8000) / 8000
    with io.BytesIO() as file:
        soundfile.write(
            file, 0.5 * np.sin(2 * np.pi * 440 * t), 8000, format="OGG", subtype=subtype
        )
        found = read(file.getvalue())
    spectrum = np.abs(np.fft.rfft(found.samples[:8000]))
    assert found.rate == 8000
    assert spectrum.argmax() == 440
    assert spectrum[440] ** 2 / (spectrum**2).sum() > 0.9


def test_samples_that_are_not_numbers_are_refused() -> None:
    with io.BytesIO() as file:
        soundfile.write(file, np.array([0.5, np.nan, np.inf]), 8000, format="WAV", subtype="FLOAT")
        with pytest.raises(InputError, match="it holds NaN or infinity"):
            read(file.getvalue())


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_a_header_with_an_absurd_rate_is_refused(rate: int) -> None:
    data = bytearray(sound())
    data[24:28] = struct.pack("<I", rate)
    with pytest.raises(InputError, match=f"its sampling rate is {rate:,} Hz"):
        read(bytes(data))


def test_what_lasts_too_long_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sound, "LONGEST", 3600)
    data = sound(4000, 1000, subtype="PCM_U8")
    with pytest.raises(InputError, match="it lasts longer than 1 hours"):
        read(data)


def test_a_wav_that_is_cut_off_gives_what_is_there() -> None:
    data = sound(0.1)
    assert np.array_equal(read(data[: 44 + 1000]).samples, read(data).samples[:500])


@pytest.mark.parametrize("part", [0.02, 0.3, 0.9, 0.99])
def test_a_flac_that_is_cut_off_is_refused(part: float) -> None:
    data = sound(1, format="FLAC")
    with pytest.raises(InputError, match="flac decoder"):
        read(data[: int(part * len(data))])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sound(0.5, channels=3)
    whole = read(data).samples
    monkeypatch.setattr(_sound, "_VALUES", 100)
    assert np.array_equal(read(data).samples, whole)


def test_spoken_digits(data: Path) -> None:
    pattern = r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<index>\d+)"
    source = Audio(data / "spoken-digits" / "recordings.tar.gz", name_pattern=pattern)
    found = pa.Table.from_batches(source.batches())
    assert found.num_rows == 2000
    assert sorted(set(found.column("speaker").to_pylist())) == [
        "george",
        "jackson",
        "nicolas",
        "theo",
    ]
    assert set(found.column("rate").to_pylist()) == {8000}
    assert sum(found.column("seconds").to_pylist()) == pytest.approx(848.11, abs=0.01)
