"""A short siege on both databases, and sieges of stores that are broken on purpose, which must be noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture.saboteurs import SABOTEURS
from torture.siege import Plan, Siege

FOUND_BY = {
    "row first": ("is missing", "cannot be read"),
    "two transactions": ("history", "moved from", "rolled back"),
    "gc forgets artifacts": ("the artifact",),
    "no lock": ("",),
    "verdicts later": ("was judged on", "has no verdict", "alarms in one place"),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.mark.slow
def test_a_short_siege_finds_nothing(tmp_path: Path, catalog: str | None) -> None:
    report = Siege(Plan(tmp_path, catalog, kills=20, writers=4, seed=1)).run()
    print(report)
    assert report.findings == []
    assert sum(report.kills.values()) == 20
    assert len({work for work, _ in report.kills}) >= 6
    assert report.counts["versions"] > 10
    assert report.counts["moves"] > 10
    assert report.counts["updates of monitors"] > 5
    assert report.counts["reads of a whole version"] > 10


@pytest.mark.slow
@pytest.mark.parametrize("saboteur", sorted(SABOTEURS))
def test_a_siege_notices_a_saboteur(tmp_path: Path, saboteur: str) -> None:
    """One siege of three must: what a kill or a reader meets is chance, a sound store never gives any."""

    def notices(seed: int) -> bool:
        folder = tmp_path / str(seed)
        folder.mkdir()
        report = Siege(Plan(folder, kills=20, writers=3, seed=seed, saboteur=saboteur)).run()
        print(report)
        return any(sign in finding for finding in report.findings for sign in FOUND_BY[saboteur])

    assert any(notices(seed) for seed in (2, 3, 4))
