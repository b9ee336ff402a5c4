"""A real HTTP server on loopback that answers as OpenAI's ``/v1/embeddings`` does, or as badly as told."""

from __future__ import annotations

import base64
import json
import time
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np

__all__ = ["Provider", "given_by", "hangs_up", "says", "serving", "sleeps", "url", "well"]


def given_by(text, dimension=6, model="small"):
    """What the model behind the endpoint gives for a text."""
    seed = blake2b(f"{model} {text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(seed, "little")).normal(size=dimension).astype("f4")


class Provider(ThreadingHTTPServer):
    """Answers each request by the next of `moods`, a function of (handler, told), then as it should.

    Attributes
    ----------
    moods : list of callable
        Misbehaviors still to come; each gives true if it has answered.
    heard : list of dict
        The bodies of all requests, in order.
    headers : list of dict
        Their headers.
    dimension, model, key : what it gives, as which model, to whom (None: to everyone)
    change : callable
        What becomes of a right answer before it is sent.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.moods, self.heard, self.headers = [], [], []
        self.dimension, self.model, self.key = 6, "small", None
        self.change = lambda answer: answer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, told):
        """The right answer, its vectors in another order than the texts, each with its index."""
        width = told.get("dimensions", self.dimension)
        data = []
        for index, text in enumerate(told["input"]):
            vector = given_by(text, width, self.model)
            base64_asked = told.get("encoding_format") == "base64"
            shown = base64.b64encode(vector.tobytes()).decode() if base64_asked else vector.tolist()
            data.append({"object": "embedding", "index": index, "embedding": shown})
        tokens = sum(len(text.split()) for text in told["input"])
        return {
            "object": "list",
            "data": data[::-1],
            "model": f"{told['model']}-0001",
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        server.heard.append(told)
        server.headers.append(dict(self.headers))
        if server.moods and server.moods.pop(0)(self, told):
            return
        shown = self.headers.get("Authorization")
        if server.key and shown != f"Bearer {server.key}":
            self.say(401, {"error": {"message": f"Incorrect API key provided: {shown}"}})
        elif self.path != "/v1/embeddings":
            self.say(404, {"detail": "Not Found"})
        else:
            self.say(200, server.change(server.answer(told)))

    def say(self, status, answer, **headers):
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def says(status, answer, **headers):
    """A mood: this status and body."""

    def mood(handler, told):
        handler.say(status, answer, **headers)
        return True

    return mood


def sleeps(seconds):
    """A mood: nothing is said for so long."""

    def mood(handler, told):
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return mood


def hangs_up(handler, told):
    """A mood: the connection is closed in the middle of the answer."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    handler.close_connection = True
    return True


def well(handler, told):
    """No bad mood."""
    return False


@contextmanager
def serving():
    """A provider in a thread of its own, as long as the block lasts."""
    with Provider() as provider:
        Thread(target=provider.serve_forever, args=(0.01,), daemon=True).start()
        yield provider
        provider.shutdown()


@cache
def url():
    """The address of a provider that behaves, for as long as the process runs."""
    provider = Provider()
    Thread(target=provider.serve_forever, daemon=True).start()
    return provider.url
