"""The Prometheus file, read back by Prometheus's own parser; whole or not there."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import pytest

from spaceport.errors import MissingExtra, ParameterError
from spaceport.monitoring import prometheus
from spaceport.monitoring.prometheus import GAUGES, Reading, render, write_file

parser = pytest.importorskip(
    "prometheus_client.parser", reason="the extra `watch` is not installed"
)

HOSTILE = 'new\nline "quoted" back\\slash {brace} é'
WHOLE = Reading("abstracts", "default", "", 512, 0.004, 0.01, 0.31, 2, 1, 1_356_998_400.0)


def parsed(data: bytes) -> dict[tuple[str, str, str, str], float]:
    families = list(parser.text_string_to_metric_families(data.decode()))
    assert {family.type for family in families} == {"gauge"}
    return {
        (s.name, s.labels["space"], s.labels["monitor"], s.labels["segment"]): s.value
        for family in families
        for s in family.samples
    }


def test_every_figure_is_a_gauge_with_its_value() -> None:
    found = parsed(render([WHOLE]))
    wanted = {
        "spaceport_drift_rows": 512,
        "spaceport_drift_p_value": 0.004,
        "spaceport_drift_alpha": 0.01,
        "spaceport_drift_effect": 0.31,
        "spaceport_drift_open_alarms": 2,
        "spaceport_drift_canaries_moved": 1,
        "spaceport_drift_window_end_timestamp_seconds": 1_356_998_400,
    }
    assert found == {(name, "abstracts", "default", ""): value for name, value in wanted.items()}
    assert {field.name for field in fields(Reading)} - {"space", "monitor", "segment"} == set(
        GAUGES
    )


def test_what_is_not_known_is_left_out_and_not_zero() -> None:
    found = parsed(render([Reading("a", "m", rows=0), Reading("a", "m", "de", p=0.0)]))
    assert found == {
        ("spaceport_drift_rows", "a", "m", ""): 0,
        ("spaceport_drift_p_value", "a", "m", "de"): 0,
    }


def test_labels_may_hold_anything() -> None:
    found = parsed(
        render([Reading("a", "m", HOSTILE, rows=1), Reading("a", "m", "\ud800", rows=2)])
    )
    assert found[("spaceport_drift_rows", "a", "m", HOSTILE)] == 1
    assert found[("spaceport_drift_rows", "a", "m", "?")] == 2


def test_two_of_one_segment_are_refused() -> None:
    with pytest.raises(ParameterError, match="two readings of segment 'de'"):
        render([Reading("a", "m", "de"), Reading("a", "m", "de")])


def test_the_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drift.prom"
    write_file(path, [WHOLE])
    before = path.read_bytes()
    assert parsed(before)

    def full(target: Path, data: bytes) -> None:
        target.write_bytes(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prometheus, "write", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, [Reading("a", "m", rows=1)])
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["drift.prom"]


def test_no_scrape_sees_the_file_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector reads ``*.prom``: nothing else in the folder may match while one is written."""
    seen: list[list[str]] = []
    honest = prometheus.write

    def watched(target: Path, data: bytes) -> None:
        honest(target, data)
        seen.append([each.name for each in tmp_path.glob("*.prom")])

    monkeypatch.setattr(prometheus, "write", watched)
    write_file(tmp_path / "drift.prom", [WHOLE])
    assert seen == [[]]
    assert (tmp_path / "drift.prom").exists()


def test_another_ending_and_a_missing_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParameterError, match=r"end in \.prom"):
        write_file(tmp_path / "drift.txt", [WHOLE])
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtra, match=r"spaceport\[watch\]"):
        render([WHOLE])
