"""The report of a monitor: inert whatever it holds, and its picture shows what it is given."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spaceport.errors import InputError, MissingExtra
from spaceport.maps.page import _heat, _timeline
from spaceport.maps.page._sheet import canvas
from spaceport.maps.page.watch import (
    Heat,
    Track,
    Watch,
    Worst,
    render,
    write_page,
    write_picture,
)

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=http://x.y/z onerror=alert(2)> $a_b$ {x} \x00 \ud800"
)
WINDOWS = ["2012-01", "2012-02", "2012-03", "2012-04"]
TRACK = Track(
    segment="",
    rows=[100, 0, 5, 90],
    p=[0.4, None, None, 0.001],
    alpha=[0.01, None, None, 0.01],
    effect=[0.02, None, None, 0.3],
    low=[0.0, None, None, 0.25],
    high=[0.05, None, None, 0.35],
    alarms=["", "", "", "open"],
    again=[True, False, False, False],
)
HEAT = Heat(
    ["goats", "ships"],
    np.array([[0.0, np.nan, np.nan, 0.2], [0.01, np.nan, np.nan, -0.2]]),
    np.array([[False, False, False, True], [False, False, False, False]]),
)


def watch(text: str = "plain", **changed: Any) -> Watch:
    told = Watch(
        title=text,
        findings=[text],
        windows=[text, *WINDOWS[1:]],
        tracks=[replace(TRACK, segment=text), TRACK],
        effect=text,
        tolerance=0.1,
        heat=replace(HEAT, cells=[text, "ships"]),
        worst=[Worst(text, text, text, 0.1, 0.3, 0.004, [text], [text, text], [])],
        tables=[(text, ("window", text), [(text, text)])],
        notes=[text],
    )
    return replace(told, **changed)


class Tags(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_texts_reach_the_page_as_text() -> None:
    tags = Tags(render(watch(HOSTILE)))
    names = {tag for tag, _ in tags.seen}
    assert names.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    (image,) = (attributes for tag, attributes in tags.seen if tag == "img")
    assert (image["src"] or "").startswith("data:image/png;base64,")
    assert not any(name.startswith("on") for _, told in tags.seen for name in told)
    assert tags.text.count("<script>alert(1)</script>") == 14


def test_saboteur_an_unescaped_text_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spaceport.maps.page.watch.safe", lambda text: text)
    assert "script" in {tag for tag, _ in Tags(render(watch(HOSTILE))).seen}


def test_the_page_refuses_requests_by_its_policy() -> None:
    assert b"default-src 'none'" in render(watch())


def test_worst_cells_with_their_shares_and_examples() -> None:
    long = "kernel " * 60
    cell = Worst("2012-04", "goats", "more", 0.031, 0.114, 0.0021, ["old one"], [long], ["odd one"])
    text = Tags(render(watch(worst=[cell]))).text
    assert "3.1% → 11.4%" in text
    assert "0.0021" in text
    assert "old one" in text
    assert "odd one" in text
    assert "…" in text
    assert long not in text


@pytest.mark.parametrize(("name", "head"), [("d.png", b"\x89PNG"), ("d.svg", b"<?xml")])
def test_the_picture_alone(name: str, head: bytes, tmp_path: Path) -> None:
    write_picture(tmp_path / name, watch(HOSTILE))
    assert (tmp_path / name).read_bytes().startswith(head)
    with pytest.raises(InputError, match=r"as \.png or \.svg"):
        write_picture(tmp_path / "d.pdf", watch())


def test_a_monitor_that_saw_nothing_yet(tmp_path: Path) -> None:
    bare = Watch("a@1.0.0", ["No window yet."], [], [], "effect")
    write_page(tmp_path / "d.html", bare)
    assert "No window yet." in (tmp_path / "d.html").read_text()
    assert "<img" not in (tmp_path / "d.html").read_text()
    write_picture(tmp_path / "d.png", bare)


def test_one_window_and_hundreds(tmp_path: Path) -> None:
    for count in (1, 400):
        chosen = [3] * count
        track = Track("", *([[getattr(TRACK, name)[i] for i in chosen] for name in FIELDS]))
        names = [f"w{i}" for i in range(count)]
        heat = Heat(["goats"], np.full((1, count), 0.1), np.ones((1, count), bool))
        write_picture(tmp_path / "d.png", Watch("a", [], names, [track], "e", heat=heat))


FIELDS = ("rows", "p", "alpha", "effect", "low", "high", "alarms", "again")


def axes() -> Any:
    return canvas((6, 3)).subplots()


def test_p_values_stand_where_they_belong_and_alarms_by_their_state() -> None:
    states = ["open", "acknowledged", "resolved", "open"]
    tested = replace(TRACK, p=[0.1, 0.01, 0.001, 0.5], alarms=states)
    here = axes()
    _timeline.chances(here, WINDOWS, [tested])
    marks = [line for line in here.lines if line.get_markersize() == 9]
    assert [(m.get_xdata()[0], m.get_ydata()[0]) for m in marks] == [
        *((0, 0.1), (1, 0.01), (2, 0.001), (3, 0.5))
    ]
    fills = [mark.get_markerfacecolor() for mark in marks]
    assert fills[0] == fills[3]
    assert len(set(fills)) == 3
    assert here.get_yscale() == "log"
    assert here.yaxis_inverted()
    told = [text.get_text() for text in here.get_legend().get_texts()]
    assert told[:3] == ["alarm, open", "alarm, acknowledged", "alarm, resolved"]


def test_windows_without_rows_and_without_a_test_are_shaded_apart() -> None:
    here = axes()
    _timeline.chances(here, WINDOWS, [TRACK])
    spans = {round(p.get_x() + 0.5): p.get_hatch() for p in here.patches}
    assert spans == {1: "//", 2: None}
    shades = {round(p.get_x() + 0.5): p.get_alpha() for p in here.patches}
    assert shades[1] > shades[2]
    assert [t.get_text() for t in here.get_legend().get_texts()] == [
        "alarm, open",
        "judged again: rows came late",
        "no rows",
    ]
    (again,) = (line for line in here.lines if line.get_marker() == "^")
    assert list(again.get_xdata()) == [0]


def test_a_segment_beyond_the_named_ones_still_shows_its_alarm() -> None:
    quiet = replace(TRACK, alarms=[""] * 4)
    many = [replace(quiet, segment=str(i)) for i in range(11)] + [replace(TRACK, segment="last")]
    here = axes()
    _timeline.chances(here, WINDOWS, many)
    assert len([line for line in here.lines if line.get_markersize() == 9]) == 1
    row = axes()
    _timeline.strip(row, WINDOWS, many)
    assert [t.get_text() for t in row.get_yticklabels()][-1] == "last"


def test_p_values_of_zero_and_hostile_segments_can_be_drawn() -> None:
    here = axes()
    _timeline.chances(here, WINDOWS, [replace(TRACK, segment=HOSTILE, p=[0.0, None, None, 0.0])])
    here.figure.canvas.draw()
    here = axes()
    _timeline.strip(here, WINDOWS, [replace(TRACK, p=[0.0, None, None, 1.0], alpha=[1.0] * 4)] * 2)
    here.figure.canvas.draw()


def test_the_effect_with_its_interval_and_the_tolerance() -> None:
    here = axes()
    _timeline.effects(here, WINDOWS, [TRACK], "share", 0.1)
    drawn = next(line for line in here.lines if line.get_marker() == "o")
    assert np.array_equal(drawn.get_ydata(), [0.02, np.nan, np.nan, 0.3], equal_nan=True)
    assert any(set(line.get_ydata()) == {0.1} for line in here.lines)
    assert here.get_ylim()[0] <= 0


def test_the_cells_that_are_drawn_are_the_significant_and_the_large() -> None:
    rng = np.random.default_rng(0)
    changes = rng.normal(0, 0.01, (60, 4))
    changes[50] = 0.3
    significant = np.zeros((60, 4), bool)
    significant[7, 2] = True
    changes[7] = 1e-6
    rows = _heat.shown(Heat([str(i) for i in range(60)], changes, significant))
    assert len(rows) == 24
    assert {7, 50} <= set(rows.tolist())
    assert rows.tolist() == sorted(rows.tolist())


def test_the_heat_map_says_percentage_points_and_marks_what_is_no_chance() -> None:
    here = axes()
    _heat.draw(here, WINDOWS, HEAT)
    grid = here.images[0].get_array()
    assert grid[0, 3] == pytest.approx(20)
    assert grid.mask[:, 1:3].all()
    assert here.images[0].get_clim() == pytest.approx((-20, 20))
    assert here.collections[0].get_offsets().tolist() == [[3.0, 0.0]]


def test_values_of_another_number_are_refused() -> None:
    with pytest.raises(InputError, match="`p` must hold 4 values"):
        watch(tracks=[replace(TRACK, p=[0.1])])
    with pytest.raises(InputError, match="cannot be 'closed'"):
        watch(tracks=[replace(TRACK, alarms=["closed"] * 4)])
    with pytest.raises(InputError, match=r"`changes` must have shape \(2, 4\)"):
        watch(heat=replace(HEAT, changes=np.zeros((4, 2))))


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"spaceport\[maps\]"):
        render(watch())
