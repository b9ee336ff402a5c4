"""`spaceport drift` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import spaceport as sp
from spaceport.cli.main import app
from spaceport.errors import SpaceportError

CENTERS = 6 * np.random.default_rng(0).standard_normal((8, 16))


def rows_of(count: int, seed: int, where: tuple[float, ...] = (1 / 8,) * 8) -> pa.Table:
    """Rows of eight well separated clusters, with their cluster as a column."""
    rng = np.random.default_rng(seed)
    clusters = rng.choice(8, count, p=where)
    X = (CENTERS[clusters] + rng.standard_normal((count, 16))).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(X.ravel(), 16)
    names = [f"{seed}-{i}" for i in range(count)]
    return pa.table({"id": names, "vector": vectors, "cluster": clusters})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    more = (0.3, *(0.1,) * 7)
    for name, table in {
        "then": rows_of(600, 1),
        "same": rows_of(400, 2),
        "more": rows_of(400, 3, more),
    }.items():
        pq.write_table(table, f"{name}.parquet")
    return tmp_path


def told(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["drift", *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


def test_no_drift_is_exit_code_0(folder: Path) -> None:
    code, text = told("then.parquet", "same.parquet")
    assert code == 0
    assert text.splitlines()[0] == "then.parquet → same.parquet"
    assert text.splitlines()[1].startswith("no drift")


def test_drift_is_exit_code_3_and_names_the_cell(folder: Path) -> None:
    code, text = told("then.parquet", "more.parquet", "--items", "look.parquet", "--json")
    assert code == 3
    found = json.loads(text)
    assert found["drift"]
    assert found["p"] <= 0.01
    first = found["where"]["cells"][0]
    assert first["kind"] == "more"
    kept = pq.read_table("look.parquet")
    of_first = [row for row in kept.to_pylist() if row["cell"] == first["cell"]]
    assert {row["cluster"] for row in of_first} == {0}
    assert "id_" not in kept.column_names


def test_a_tolerance_lets_small_drift_pass(folder: Path) -> None:
    assert told("then.parquet", "more.parquet", "--tolerance", "0.05")[0] == 3
    code, text = told("then.parquet", "more.parquet", "--tolerance", "0.5")
    assert code == 0
    assert "no more than 50.0%" in text


def test_a_condition_picks_the_rows(folder: Path) -> None:
    assert told("then.parquet", "more.parquet", "--where", "cluster > 0",
                "--reference-where", "cluster > 0")[0] == 0  # fmt: skip
    assert told("then.parquet", "same.parquet", "--where", "cluster == 0")[0] == 3


def test_a_version_gives_cells_and_picture(folder: Path) -> None:
    pytest.importorskip("umap", reason="the extra maps is not installed")
    then = rows_of(600, 1)
    X = np.stack(then.column("vector").to_numpy(zero_copy_only=False))
    sp.open("spaceport-store").publish(
        "points", then.column("id").to_pylist(), X, metric="euclidean"
    )
    code, text = told("points@1", "more.parquet", "-o", "drift.png")
    assert code == 3
    assert "points@1.0.0 → more.parquet" in text
    assert Path("drift.png").read_bytes().startswith(b"\x89PNG")
    assert told("then.parquet", "more.parquet", "-o", "drift.html")[0] == 3
    page = Path("drift.html").read_text()
    assert "then.parquet → more.parquet" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("then.parquet", "lost.parquet"), "no file lost.parquet"),
        (("then.parquet", "same.parquet", "--where", "colour == 1"), "colour"),
        (("then.parquet", "same.parquet", "--where", "cluster > 99"), "None of the 400 rows"),
        (("then.parquet", "same.parquet", "--alpha", "0"), "alpha"),
        (("then.parquet", "same.parquet", "--test", "magic"), "magic"),
        (("then.parquet", "same.parquet", "-o", "drift.pdf"), "drift.pdf"),
        (("then.parquet", "few.parquet"), "rows"),
        (("then.parquet", "other.parquet"), "dimension"),
        (("then.parquet", "nan.parquet"), "NaN"),
        (("equal.parquet", "equal.parquet"), "same"),
    ],
)
def test_what_is_wrong_is_told_in_two_lines(
    folder: Path, arguments: tuple[str, ...], wrong: str
) -> None:
    few, nan = rows_of(3, 5), np.ones((50, 16), np.float32)
    pq.write_table(few, "few.parquet")
    nan[7, 3] = np.nan
    for name, X in (("nan", nan), ("equal", np.ones((50, 16))), ("other", np.eye(50, 17))):
        vectors = pa.FixedSizeListArray.from_arrays(X.astype(np.float32).ravel(), X.shape[1])
        pq.write_table(pa.table({"vector": vectors}), f"{name}.parquet")
    with pytest.raises(SpaceportError) as raised:
        told(*arguments)
    assert str(raised.value).count("\n") == 1
    assert wrong in str(raised.value)


def test_broken_rows_are_left_out_only_when_told(folder: Path) -> None:
    X = np.stack(rows_of(400, 2).column("vector").to_numpy(zero_copy_only=False)).copy()
    X[7, 3] = np.nan
    np.save("nan.npy", X)
    with pytest.raises(SpaceportError, match="1 of 400 rows"):
        told("then.parquet", "nan.npy")
    code, text = told("then.parquet", "nan.npy", "--drop-broken")
    assert code == 0
    assert "1 broken rows left out" in text


def test_what_does_not_fit_in_memory_is_streamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = told("then.parquet", "more.parquet", "--json")
    monkeypatch.setattr("spaceport.monitoring.drifting.HELD", 1000)
    code, text = told("then.parquet", "more.parquet", "--json")
    assert code == held[0] == 3
    streamed = json.loads(text)
    assert streamed["rows"] == json.loads(held[1])["rows"] == [600, 400]
    assert told("then.parquet", "same.parquet")[0] == 0
