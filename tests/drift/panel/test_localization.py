"""The place that changed is named, first, and few others are; its items show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drift.panel.worlds import BASIS, CENTERS, clustered
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import compare
from spaceport.drift.panel.localization import Localization, _kind, localize

RUNS = 40


def window(seed: int, far: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    (X, _), (Y, whose) = clustered(rng, 500), clustered(rng, 300)
    Y[whose == 3, 2] += far
    return X, Y


def located(seed: int, far: float) -> Localization:
    return localize(Pooled.of_rows(*window(seed, far), 399, seed, basis=BASIS))


def test_the_planted_cell_comes_first_and_few_others_come() -> None:
    first, false, found = [], [], 0
    for seed in range(RUNS):
        where = located(seed, 0.9)
        named = [cell.cell for cell in where.named()]
        found += bool(named)
        if named:
            first.append(named[0] == 3)
        false.append(sum(cell != 3 for cell in named) / max(len(named), 1))
    assert found >= 0.9 * RUNS
    assert np.mean(first) >= 0.95
    assert np.mean(false) <= 0.1 + 2 * np.std(false) / np.sqrt(RUNS)


def test_without_drift_a_cell_is_named_as_often_as_the_rate() -> None:
    named = np.mean([bool(located(seed, 0.0).named()) for seed in range(100, 100 + 2 * RUNS)])
    assert named <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / (2 * RUNS))


def test_uncorrected_p_values_would_name_too_many() -> None:
    """The saboteur: every cell with p <= .1 is named."""
    named = [any(c.p <= 0.1 for c in located(seed, 0).cells if c.level == 1) for seed in range(20)]
    assert np.mean(named) > 0.4


def test_shares_are_counted_and_kinds_told() -> None:
    rng = np.random.default_rng(0)
    after = np.full(12, 0.75 / 11)
    after[5] = 0.25
    (X, x), (Y, y) = clustered(rng, 1000), clustered(rng, 1000, after)
    Y[y == 7] += 0.6
    where = localize(Pooled.of_rows(X, Y, 399, 0, basis=BASIS))
    by_cell = {cell.cell: cell for cell in where.cells if cell.level == 1}
    grown, moved = by_cell[5], by_cell[7]
    assert grown.kind == "more"
    assert moved.kind == "moved"
    assert grown.rows == ((x == 5).sum(), (y == 5).sum())
    assert grown.before[0] == pytest.approx((x == 5).mean())
    assert grown.after[1] <= (y == 5).mean() <= grown.after[2]
    assert moved.shift[0] == pytest.approx(0.6 / 0.5, rel=0.15)
    assert moved.shift[1] < moved.shift[0] < moved.shift[2]
    assert "cell 5 more" in where.line(9)
    assert "cell 7 moved" in where.line(9)


@pytest.mark.parametrize(
    ("counted", "after", "kind"),
    [
        (True, (0.2, 0.15, 0.25), "more"),
        (True, (0.05, 0.02, 0.08), "fewer"),
        (False, (0.12, 0.08, 0.16), "moved"),
        (False, (0.2, 0.15, 0.25), "moved and more"),
        (False, (0.05, 0.02, 0.08), "moved and fewer"),
    ],
)
def test_a_cell_may_have_moved_and_grown(
    counted: bool, after: tuple[float, float, float], kind: str
) -> None:
    assert _kind(counted, (0.1, 0.09, 0.11), after) == kind


def test_items_are_old_new_and_novel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (X, _), (Y, _) = clustered(rng, 600), clustered(rng, 300)
    Y[:20] = CENTERS[4] + 2.5 + 0.1 * rng.standard_normal((20, 6))
    names = [f"then {i}" for i in range(600)], [f"now {i}" for i in range(300)]
    tables = None, pa.table({"id": names[1], "year": range(300)})
    verdict = compare(X, Y, ids=names, cells=BASIS.cells, metadata=tables, items=5)
    assert verdict.where is not None
    cell = verdict.where.named()[0]
    assert cell.cell == 4
    assert cell.kind in ("more", "moved")
    by_why = {why: [i for i in cell.items if i.why == why] for why in ("old", "new", "novel")}
    assert all(item.id.startswith("then ") and item.novelty is None for item in by_why["old"])
    assert all(item.place < 20 for item in by_why["novel"])
    assert all(item.novelty < 0.01 for item in by_why["novel"] if item.novelty is not None)
    assert by_why["novel"][0].metadata["year"] == by_why["novel"][0].place
    distances = np.linalg.norm(X - CENTERS[4], axis=1)
    assert by_why["old"][0].place == np.argmin(distances)

    table = pq.read_table(verdict.where.write_items(tmp_path / "items.parquet"))
    assert table.column_names == ["id", "cell", "level", "why", "novelty", "id_", "year"]
    assert table.num_rows == sum(len(each.items) for each in verdict.where.named())
    assert table["id"][0].as_py() == cell.items[0].id
