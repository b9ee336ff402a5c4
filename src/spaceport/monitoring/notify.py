"""Telling a webhook of alarms: at least once, and once where the receiver heeds the key.

An alarm is first written down (in the outbox), then sent, then noted as delivered. A process that is
killed between the last two sends it again at the next run, with the same ``Idempotency-Key``: so the
receiver may see it twice and can tell, and never misses it.

The address of a webhook is often itself a secret. It is given at each run, is kept nowhere, and no
more of it than scheme, host and port is in any message; the connection is urllib3's own, below the
pool that would log the path.
"""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from threading import Timer
from time import sleep
from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from spaceport.arrays import integer, positive
from spaceport.errors import ParameterError

__all__ = ["Box", "Delivery", "Waiting", "address", "deliver", "send"]

AGAIN = frozenset({408, 425, 429})
"""Refusals that say "later"; these and all from 500 on are tried again, other refusals are not."""

_KEY = re.compile(r"[A-Za-z0-9._:@/-]{1,200}")
_LONGEST = 60.0  # seconds between two tries, whatever the receiver asks for


class Waiting(Protocol):
    """A message that waits: what is to be told, and the key by which a receiver knows it again."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def body(self) -> Mapping[str, Any]: ...  # noqa: D102


class Box(Protocol):
    """Messages that are written down and not yet known to be delivered: the store's outbox."""

    def pending(self) -> Sequence[Waiting]:
        """Give the messages that wait, the oldest first."""

    def delivered(self, key: str) -> None:
        """Note that one arrived; when it returns, the note is on the disk."""

    def failed(self, key: str, said: str) -> None:
        """Note why one did not; it stays."""


@dataclass(frozen=True)
class Delivery:
    """How a message fared.

    Attributes
    ----------
    key : str
    delivered : bool
        The receiver answered 200 to 299.
    status : int or None
        What it answered last; None where it did not.
    tries : int
    reason : str
        Why it was not delivered, without the address; empty where it was.
    """

    key: str
    delivered: bool
    status: int | None
    tries: int
    reason: str = ""


def deliver(
    url: str, body: bytes, key: str, tries: int = 5, timeout: float = 10.0, pause: float = 0.5
) -> Delivery:
    """POST a JSON document; repeat it while there is no answer or the receiver says "later".

    Tries follow each other after `pause` seconds, twice that, four times that …, each lengthened by
    up to a half at random, or after what ``Retry-After`` asks for, a minute at most. Redirects are
    not followed: they count as refusals.

    Parameters
    ----------
    url : str
        An http or https address.
    body : bytes
        JSON.
    key : str
        Sent as ``Idempotency-Key``.
    tries : int
    timeout : float
        Seconds for a try, from the connection to the answer's head.
    pause : float

    Returns
    -------
    Delivery

    Raises
    ------
    ParameterError
        An address that is not http or https, or a key with other than letters, digits and ``._:@/-``.
    """
    target = _parsed(url)
    if not _KEY.fullmatch(key):
        raise ParameterError(
            f"A message's key is 1 to 200 letters, digits and ._:@/-. Got {key!r}.",
            "Give such a key, one for each alarm.",
        )
    positive(timeout, "timeout")
    last = Delivery(key, False, None, 0)
    for number in range(1, integer(tries, "tries", 1) + 1):
        last, asked = _try(target, body, key, number, timeout)
        if last.delivered or not _later(last.status):
            break
        if number < tries:
            sleep(max(pause * 2 ** (number - 1) * random.uniform(1, 1.5), asked))
    return last


def send(
    box: Box, url: str, tries: int = 5, timeout: float = 10.0, pause: float = 0.5
) -> list[Delivery]:
    """Deliver what waits; gives how each message fared. What was not delivered stays.

    A message's body gets a sentence as its ``text``, which chats show. Where nobody answers, the
    round ends; where one message is put off by an answer, the next ones are tried once each, so that
    one which the receiver cannot take holds up no other.

    Parameters
    ----------
    box : Box
    url, tries, timeout, pause
        As in `deliver`.
    """
    _parsed(url)
    done: list[Delivery] = []
    for message in box.pending():
        found = deliver(url, _json(message.body), message.key, tries, timeout, pause)
        done.append(found)
        if found.delivered:
            box.delivered(message.key)
            continue
        box.failed(message.key, found.reason)
        if found.status is None:
            break
        if _later(found.status):
            tries = 1
    return done


def address(url: str) -> str:
    """As much of an address as may be shown: scheme, host and port.

    Examples
    --------
    >>> address("https://hooks.example.org:8443/T123/secret?token=9")
    'https://hooks.example.org:8443'
    """
    target = _parsed(url)
    return f"{target.scheme}://{target.host}" + (f":{target.port}" if target.port else "")


def _parsed(url: object) -> Url:
    """Take an address apart; what came is not shown, it may be a secret."""
    target = None
    with suppress(LocationParseError):
        target = parse_url(url) if isinstance(url, str) else None
    if target is None or target.scheme not in ("http", "https") or not target.host:
        raise ParameterError(
            "A webhook is an http or https address (what came is not shown).",
            "Give it whole, for example https://hooks.example.org/T123.",
        )
    if target.auth:
        raise ParameterError(
            "A webhook's address with a name and password is not understood.",
            "Give one without: https://hooks.example.org/T123.",
        )
    return target


def _try(target: Url, body: bytes, key: str, number: int, timeout: float) -> tuple[Delivery, float]:
    """One try; gives how it went and the seconds that the receiver asks to wait."""
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "User-Agent": "spaceport",
        "Connection": "close",
    }
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind((target.host or "").strip("[]"), target.port, timeout=timeout)
    try:
        connection.connect()
        limit = Timer(timeout, _cut, [connection.sock])
        limit.daemon = True
        limit.start()
        try:
            connection.request("POST", target.request_uri, body, headers, preload_content=False)
            answer = connection.getresponse()
        finally:
            limit.cancel()
        status, asked = answer.status, _seconds(answer.headers.get("Retry-After"))
    except (HTTPError, HTTPException, OSError) as error:
        return Delivery(key, False, None, number, f"no answer ({type(error).__name__})"), 0.0
    finally:
        connection.close()
    fine = 200 <= status < 300
    return Delivery(key, fine, status, number, "" if fine else f"answered {status}"), asked


def _cut(connected: Any) -> None:
    """End a connection from outside: a receiver that sends a byte now and then is too slow, too."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _later(status: int | None) -> bool:
    return status is None or status >= 500 or status in AGAIN


def _seconds(asked: str | None) -> float:
    return min(float(asked), _LONGEST) if asked and asked.isascii() and asked.isdigit() else 0.0


def _json(body: Mapping[str, Any]) -> bytes:
    told = {"text": _sentence(body), **body}
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _sentence(body: Mapping[str, Any]) -> str:
    """What happened, in a line; of what the message does not say, nothing."""
    segment = body.get("segment")
    rows = "" if segment is None else f", segment {segment}"
    figures = [
        f"{name} {body[name]:.3g}"
        for name in ("p", "alpha", "effect")
        if isinstance(body.get(name), int | float)
    ]
    told = f" ({', '.join(figures)})" if figures else ""
    number = f" Alarm {body['alarm']}." if "alarm" in body else ""
    return f"Drift in {body.get('space')}, window {body.get('window')}{rows}{told}.{number}"
