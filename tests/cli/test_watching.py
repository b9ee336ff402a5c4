"""`spaceport watch` and `alarms`: exit codes, files, the webhook; the same log twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import spaceport as sp
from monitoring.receiver import receiver
from spaceport.cli.main import app
from spaceport.cli.watching import DRIFT

Run = Callable[..., Result]
CENTERS = np.random.default_rng(7).normal(size=(4, 6)) * 6


def rows(count: int, seed: int, shares: tuple[float, ...] = (1, 1, 1, 1)) -> np.ndarray:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    kinds = rng.choice(4, count, p=np.array(shares) / sum(shares))
    return (CENTERS[kinds] + rng.normal(size=(count, 6))).astype(np.float32)


def write_log(path: Path, *months: tuple[str, np.ndarray]) -> Path:  # type: ignore[type-arg]
    times = [f"{month}-15T12:00:00Z" for month, part in months for _ in part]
    ids = [f"{month}-{row}" for month, part in months for row in range(len(part))]
    vectors = np.concatenate([part for _, part in months])
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    pq.write_table(pa.table({"id": ids, "date": times, "vector": column}), path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    opened = sp.open(tmp_path / "store")
    opened.publish("mine", [f"i{row}" for row in range(300)], rows(300, 0), metric="euclidean")
    return tmp_path / "store"


@pytest.fixture
def run(store: Path) -> Run:
    def invoke(command: str, *words: object) -> Result:
        return CliRunner().invoke(app, [command, "mine", *map(str, words), "--store", str(store)])

    return invoke


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    return write_log(tmp_path / "calm.parquet", ("2012-01", rows(80, 1)))


@pytest.fixture
def stormy(tmp_path: Path) -> Path:
    months = (("2012-01", rows(80, 1)), ("2012-02", rows(80, 2, (1, 1, 12, 1))))
    return write_log(tmp_path / "stormy.parquet", *months)


OPTIONS = ("--time", "date", "--id", "id", "--every", "month", "--budget", "1 per year")


def test_no_drift_then_an_alarm_then_nothing_new(run: Run, calm: Path, stormy: Path) -> None:
    first = run("watch", "--log", calm, *OPTIONS)
    assert first.exit_code == 0, first.output
    assert "2012-01" in first.stdout
    assert "none" in first.stdout
    assert run("alarms").stdout == "mine has no alarms.\n"
    second = run("watch", "--log", stormy, *OPTIONS)
    assert second.exit_code == DRIFT == 3
    assert "ALARM 1 of mine: 2012-02." in second.stdout
    again = run("watch", "--log", stormy, *OPTIONS)
    assert again.exit_code == 0
    assert again.stdout == "No window is over that was not judged before.\n"


def predicted(path: Path) -> pa.Table:
    """A log with predictions and labels: nine of ten are right, and from February on six of ten."""
    table = pq.read_table(path)
    right = np.arange(len(table)) % 10 > 0
    right[80:] = np.arange(len(table) - 80) % 10 > 3
    labels = np.where(np.arange(len(table)) % 2, "cat", "dog")
    said = np.where(right, labels, "emu")
    return table.append_column("y", pa.array(labels)).append_column("p", pa.array(said))


def test_predictions_are_told_as_tables(run: Run, stormy: Path, tmp_path: Path) -> None:
    pq.write_table(predicted(stormy), tmp_path / "told.parquet")
    names = ("--prediction", "p", "--label", "y")
    told = run("watch", "--log", tmp_path / "told.parquet", *OPTIONS, *names).stdout
    for words in (
        "Performance",
        "accuracy 0.600",
        "-0.300",
        "worst accuracy in 2012-02",
        "emu 10.0% → 40.0%",
    ):
        assert words in told
    plain = run("watch", "--log", stormy, *OPTIONS, "--monitor", "plain").stdout
    assert "Performance" not in plain


def test_labels_that_come_later_are_told_once(run: Run, stormy: Path, tmp_path: Path) -> None:
    whole = predicted(stormy)
    pq.write_table(whole, tmp_path / "told.parquet")
    pq.write_table(whole.drop_columns(["y"]), tmp_path / "before.parquet")
    first = run("watch", "--log", tmp_path / "before.parquet", *OPTIONS, "--prediction", "p")
    assert "Performance" not in first.stdout
    assert "Predicted classes" in first.stdout
    words = (
        "watch",
        "--log",
        tmp_path / "told.parquet",
        *OPTIONS,
        "--prediction",
        "p",
        "--label",
        "y",
    )
    late = run(*words)
    assert (late.exit_code, late.stdout.splitlines()[0]) == (
        0,
        "No window is over that was not judged before.",
    )
    assert "accuracy 0.600" in late.stdout
    again = run(*words)
    assert again.stdout == "No window is over that was not judged before.\n"
    other = json.loads(run(*words, "--monitor", "other", "--json").stdout)[0]
    told = {each["window"]: each["whole"]["value"] for each in other["performance"]}
    assert told == {"2012-01": 0.9, "2012-02": 0.6}


def test_the_files_and_the_webhook(run: Run, stormy: Path, tmp_path: Path) -> None:
    page, gauges = tmp_path / "r.html", tmp_path / "drift.prom"
    told = ("watch", "--log", stormy, *OPTIONS, "-o", page, "--prometheus", gauges)
    with receiver(404) as hook:
        refused = run(*told, "--webhook", hook.url)
    assert refused.exit_code == DRIFT
    assert "did not take an alarm: answered 404" in refused.stderr
    assert "s3cr3t" not in refused.output
    assert page.read_bytes().startswith(b"<!doctype html>")
    assert (
        'spaceport_drift_open_alarms{monitor="default",segment="",space="mine"} 1.0'
        in gauges.read_text()
    )
    with receiver(404) as hook:
        assert run(*told, "--webhook", hook.url).exit_code == 1
    with receiver() as hook:
        assert run(*told, "--webhook", hook.url).exit_code == 0
        assert run(*told, "--webhook", hook.url).exit_code == 0
    (got,) = hook.got
    assert (got.body["event"], got.body["space"], got.body["window"]) == (
        "alarm",
        "mine",
        "2012-02",
    )
    assert got.body["text"].startswith("Drift in mine, window 2012-02 (p ")


def test_json_and_the_life_of_an_alarm(run: Run, stormy: Path) -> None:
    (told,) = json.loads(run("watch", "--log", stormy, *OPTIONS, "--json").stdout)
    assert [each["window"] for each in told["windows"]] == ["2012-01", "2012-02"]
    assert [each["state"] for each in told["windows"]] == ["none", "alarm"]
    assert told["alarms"][0]["windows"] == ["2012-02"]
    assert "acknowledged" in run("alarms", "--acknowledge", 1).stdout
    with pytest.raises(sp.SpaceportError, match="none was given"):
        raise run("alarms", "--resolve", 1).exception or AssertionError
    assert "resolved" in run("alarms", "--resolve", 1, "--note", "a new source").stdout
    (listed,) = json.loads(run("alarms", "--json").stdout)
    assert listed["state"] == "resolved"
    assert [event["action"] for event in listed["events"]] == ["open", "acknowledge", "resolve"]
    with pytest.raises(sp.SpaceportError, match="has no alarm 9"):
        raise run("alarms", "--acknowledge", 9).exception or AssertionError


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "r.pdf"), "A report is written as"),
        (("--prometheus", "drift.txt"), "end in .prom"),
        (("--webhook", "ftp://h/x"), "http or https"),
        (("--budget", "none"), "how many false alarms"),
        (("--time", "when"), "when"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_kept(
    run: Run, calm: Path, words: tuple[str, str], told: str
) -> None:
    with pytest.raises(sp.SpaceportError, match=told):
        raise run("watch", "--log", calm, *OPTIONS, *words).exception or AssertionError
    assert json.loads(run("alarms", "--json").stdout) == []
    assert run("watch", "--log", calm, *OPTIONS).exit_code == 0


def test_both_at_once_is_refused(run: Run) -> None:
    with pytest.raises(sp.SpaceportError, match="Choose one"):
        raise run("alarms", "--acknowledge", 1, "--resolve", 1).exception or AssertionError


def test_canaries_go_to_production_and_back(tmp_path: Path) -> None:
    """What runs elsewhere encodes them; where it gives other vectors, that is told beside the drift."""

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, [*map(str, words), "--store", str(tmp_path / "store")])

    def texts(seed: int) -> list[str]:
        words = np.random.default_rng(seed).choice(["cat", "dog", "emu", "yak", "fox"], (200, 3))
        return [" ".join(each) for each in words.tolist()]

    def production(contents: list[str], turn: float) -> np.ndarray:  # type: ignore[type-arg]
        """The same encoder, or one that turns a plane by an angle."""
        X = encoder.encode(contents)
        one, two = X[:, 0].copy(), X[:, 1].copy()
        X[:, 0] = np.cos(turn) * one - np.sin(turn) * two
        X[:, 1] = np.sin(turn) * one + np.cos(turn) * two
        return X

    def verdict(turn: float) -> str:
        given, log = tmp_path / f"{turn}.npz", tmp_path / f"{turn}.parquet"
        ids = np.array([each["id"] for each in inputs])
        np.savez(given, ids=ids, vectors=production([each["content"] for each in inputs], turn))
        write_log(log, ("2012-01", production(texts(1), turn)))
        words = ("--log", log, *OPTIONS, "--canaries", given, "--monitor", f"by-{turn}", "--json")
        windows = json.loads(invoke("watch", "talk", *words).stdout)[0]["windows"]
        return str(windows[0]["evidence"]["cause"]["verdict"])

    encoder, path = sp.encoders.hashing(dimension=8), tmp_path / "canaries.jsonl"
    (tmp_path / "texts.txt").write_text("\n".join(texts(0)) + "\n")
    source = sp.sources.texts(tmp_path / "texts.txt", format="lines")
    sp.open(tmp_path / "store").build("talk", encoder, source)
    told = invoke("canaries", "talk", "-o", path)
    inputs = [json.loads(line) for line in path.read_text().splitlines()]
    assert told.stdout == f"Wrote {len(inputs)} canaries of talk@1.0.0 to {path}.\n"
    assert verdict(0.0) == "neither"
    assert verdict(1.5) == "unclear"  # the model moved; without contents nobody knows of the data
