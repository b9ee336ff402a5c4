"""A webhook's receiver on the loopback that answers as it is told to."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Received:
    path: str
    key: str
    body: Any
    kind: str


@dataclass
class Receiver:
    """`script` holds what is done at each request in turn; after its end all is answered 200.

    A number is a status; ``"die"`` closes the connection without a word, ``"half"`` in the middle of
    the head, ``"slow"`` answers after a second, ``"drip"`` sends a byte of the head now and then.
    """

    script: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Received] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    """Does what the receiver's script says next."""

    told: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key, kind = self.headers["Idempotency-Key"], self.headers["Content-Type"]
        self.told.got.append(Received(self.path, key, json.loads(body), kind))
        act = self.told.script.pop(0) if self.told.script else 200
        if isinstance(act, int):
            self.answer(act)
        else:
            getattr(self, act)()

    def do_GET(self) -> None:
        self.told.got.append(Received(self.path, "", None, "GET"))
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        for name, value in self.told.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def die(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def half(self) -> None:
        self.wfile.write(b"HTTP/1.1 20")
        self.wfile.flush()
        self.die()

    def slow(self) -> None:
        time.sleep(1.0)
        self.answer(200)

    def drip(self) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n\r\n":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.2)

    def handle(self) -> None:
        with suppress(OSError):  # the sender gave up on us
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiver(*script: Any, **headers: str) -> Iterator[Receiver]:
    told = Receiver(list(script), headers)
    handler = type("Told", (Handler,), {"told": told})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cr3t?token=t0k3n"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
