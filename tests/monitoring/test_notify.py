"""Delivery against a real server that fails, dies, dawdles and redirects; nothing lost, nothing told."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitoring.receiver import receiver
from spaceport.errors import ParameterError
from spaceport.monitoring import notify
from spaceport.monitoring.notify import Delivery, deliver, send
from spaceport.storage.outbox import Message

QUICK = {"pause": 0.001}


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Kept:
    """An outbox's memory."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = {message.key: message for message in messages}
        self.said: dict[str, str] = {}

    def pending(self) -> list[Message]:
        return list(self.waiting.values())

    def delivered(self, key: str) -> None:
        del self.waiting[key]

    def failed(self, key: str, said: str) -> None:
        self.said[key] = said


def test_it_arrives_as_it_was_sent() -> None:
    with receiver() as server:
        done = deliver(server.url, '{"text": "drift · é"}'.encode(), "alarm:7")
    assert done == Delivery("alarm:7", True, 200, 1)
    (got,) = server.got
    assert (got.path, got.key, got.kind) == (
        "/hooks/s3cr3t?token=t0k3n",
        "alarm:7",
        "application/json",
    )
    assert got.body == {"text": "drift · é"}


@pytest.mark.parametrize("script", [(500, 503), ("die", "die"), ("half", 429), (408, "die")])
def test_what_fails_twice_is_sent_a_third_time_with_the_same_key(script: tuple[object]) -> None:
    with receiver(*script) as server:
        done = deliver(server.url, b"{}", "a1", **QUICK)
    assert (done.delivered, done.status, done.tries) == (True, 200, 3)
    assert [got.key for got in server.got] == ["a1"] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 301, 307])
def test_a_refusal_is_not_repeated(status: int) -> None:
    with receiver(status, status) as server:
        done = deliver(server.url, b"{}", "a1", **QUICK)
    assert done == Delivery("a1", False, status, 1, f"answered {status}")
    assert len(server.got) == 1


def test_a_redirect_is_not_followed() -> None:
    with receiver() as elsewhere, receiver(302, 307, 308, Location=elsewhere.url) as server:
        for _ in range(3):
            assert not deliver(server.url, b"{}", "a1", **QUICK).delivered
    assert elsewhere.got == []
    assert [got.kind for got in server.got] == ["application/json"] * 3


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_who_is_too_slow_is_asked_again(kind: str) -> None:
    with receiver(kind) as server:
        done = deliver(server.url, b"{}", "a1", timeout=0.3, **QUICK)
    assert (done.delivered, done.tries) == (True, 2)


def test_nobody_there() -> None:
    done = deliver(f"http://127.0.0.1:{closed_port()}/x", b"{}", "a1", tries=3, **QUICK)
    assert (done.delivered, done.status, done.tries) == (False, None, 3)
    assert done.reason.startswith("no answer")


def test_the_receiver_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(notify, "sleep", slept.append)
    with receiver(503, 503, Retry_After="7") as server:
        deliver(server.url, b"{}", "a1")
    with receiver(503, 503, 503, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT") as server:
        deliver(server.url, b"{}", "a1", pause=1.0)
    with receiver(503, Retry_After="86400") as server:
        deliver(server.url, b"{}", "a1")
    assert slept[:2] == [7.0, 7.0]
    assert [1 <= slept[2] <= 1.5, 2 <= slept[3] <= 3, 4 <= slept[4] <= 6] == [True] * 3
    assert slept[5:] == [60.0]


def test_after_the_last_try_there_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(notify, "sleep", slept.append)
    with receiver(500, 500, 500) as server:
        assert deliver(server.url, b"{}", "a1", tries=2).tries == 2
    assert len(slept) == 1


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "file:///etc/passwd", "hooks.example.org", "", "http://", "https://u:pw@h/x", 7],
)
def test_other_addresses_are_refused_unshown(url: str) -> None:
    with pytest.raises(ParameterError) as told:
        deliver(url, b"{}", "a1")
    assert "pw" not in str(told.value)
    assert "passwd" not in str(told.value)
    with pytest.raises(ParameterError):
        send(Kept(), url)


@pytest.mark.parametrize("key", ["", "a\r\nX-Evil: 1", "é", "a" * 201])
def test_a_key_that_is_no_header(key: str) -> None:
    with pytest.raises(ParameterError, match="key is 1 to 200"):
        deliver("http://127.0.0.1:1/", b"{}", key)


def test_an_outbox_keeps_what_was_not_delivered() -> None:
    kept = Kept(*(Message(f"a{number}", {"number": number}) for number in range(3)))
    with receiver(200, 404, 200) as server:
        done = send(kept, server.url, **QUICK)
    assert [each.delivered for each in done] == [True, False, True]
    assert list(kept.waiting) == ["a1"]
    assert kept.said == {"a1": "answered 404"}
    with receiver() as server:
        send(kept, server.url)
    assert kept.waiting == {}
    assert [got.body["number"] for got in server.got] == [1]


def test_where_nobody_answers_the_round_ends() -> None:
    kept = Kept(Message("a", {}), Message("b", {}))
    done = send(kept, f"http://127.0.0.1:{closed_port()}/", tries=2, **QUICK)
    assert [each.key for each in done] == ["a"]
    assert list(kept.waiting) == ["a", "b"]


def test_one_that_is_put_off_holds_up_no_other() -> None:
    kept = Kept(Message("a", {}), Message("b", {}), Message("c", {}))
    with receiver(500, 500, 500, 503) as server:
        done = send(kept, server.url, tries=3, **QUICK)
    assert [(each.delivered, each.tries) for each in done] == [(False, 3), (False, 1), (True, 1)]


def test_nothing_of_the_address_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kept = Kept(Message("a1", {}))
    with receiver(500, 404) as server:
        done = send(kept, server.url, **QUICK)
    told = repr(done) + caplog.text + repr(kept.said) + notify.address(server.url)
    assert "s3cr3t" not in told
    assert "t0k3n" not in told


BODY = {"number": 1, "text": ""}
SENDER = """
import json, os, sys, time
from pathlib import Path
from spaceport.monitoring.notify import send
from spaceport.storage.outbox import Message

class Folder:
    def __init__(self, folder):
        self.folder = folder

    def pending(self):
        found = sorted(self.folder.iterdir())
        return [Message(path.name, json.loads(path.read_text())) for path in found]

    def delivered(self, key):
        if sys.argv[3] == "die":
            Path(sys.argv[4]).write_text("sent")
            time.sleep(60)
        (self.folder / key).unlink()

send(Folder(Path(sys.argv[1])), sys.argv[2])
"""


def test_killed_between_the_answer_and_the_note_it_is_sent_again(tmp_path: Path) -> None:
    box, sign = tmp_path / "box", tmp_path / "sign"
    box.mkdir()
    (box / "alarm-1").write_text(json.dumps(BODY))
    with receiver() as server:
        words = [sys.executable, "-c", SENDER, str(box), server.url]
        first = subprocess.Popen([*words, "die", str(sign)])
        while not sign.exists():
            assert first.poll() is None
            time.sleep(0.02)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert (box / "alarm-1").exists()
        subprocess.run([*words, "live", str(sign)], check=True)
    assert [(got.key, {**got.body, "text": ""}) for got in server.got] == [("alarm-1", BODY)] * 2
    assert list(box.iterdir()) == []


def test_saboteur_noting_before_sending_would_lose_it() -> None:
    """The order that the test above is there for: a note first, then the answer is missing."""

    class Hasty(Kept):
        def pending(self) -> list[Message]:
            return [self.waiting.pop(key) for key in list(self.waiting)]

    kept = Hasty(Message("a1", {}))
    with receiver(404) as server:
        assert not send(kept, server.url, **QUICK)[0].delivered
    assert kept.waiting == {}  # gone, undelivered: what `test_an_outbox_keeps...` would see


def test_a_sentence_for_chats() -> None:
    body = {"space": "news", "alarm": 3, "segment": "DE", "window": "2012-03", "p": 0.00123}
    whole = {**body, "segment": None, "alpha": 0.0083, "effect": None}
    with receiver() as server:
        send(
            Kept(Message("a", body), Message("b", whole), Message("c", {"text": "mine"})),
            server.url,
        )
    told = [got.body["text"] for got in server.got]
    assert told == [
        "Drift in news, window 2012-03, segment DE (p 0.00123). Alarm 3.",
        "Drift in news, window 2012-03 (p 0.00123, alpha 0.0083). Alarm 3.",
        "mine",
    ]
