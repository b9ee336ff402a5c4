from __future__ import annotations

import io
import sys

import pytest

from spaceport import progress


def test_a_callback_hears_every_step_with_its_total() -> None:
    heard: list[progress.Report] = []
    with progress.using(heard.append), progress.task("training", 10, "words") as work:
        work.advance(4)
        work.advance(6)
    assert [(r.done, r.total, r.unit) for r in heard] == [
        (0, 10, "words"),
        (4, 10, "words"),
        (10, 10, "words"),
    ]


def test_it_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track(range(3), "counting")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_bars_also_within_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress.task("outer", 2) as outer:
        outer.advance()
        assert list(progress.track(range(3), "inner")) == [0, 1, 2]
        outer.advance()
    assert "outer" in screen.getvalue()
    with progress.task("after", 1) as again:
        again.advance()
    assert "after" in screen.getvalue()


def test_the_listener_is_forgotten_after_the_block() -> None:
    heard: list[progress.Report] = []
    with progress.using(heard.append):
        pass
    with progress.task("quiet"):
        pass
    assert heard == []
