"""An S3 server for the tests: moto's, as a process of its own on the loopback."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from databases import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


def missing() -> str | None:
    """What is not installed; None where all is there."""
    lacking = [name for name in ("moto", "boto3", "flask") if not importlib.util.find_spec(name)]
    return f"{', '.join(lacking)} not installed: pip install 'moto[s3]' flask" if lacking else None


class S3:
    """The server, and a client of its maker's that knows nothing of the code under test."""

    def __init__(self, **settings: str) -> None:
        self.port = free_port()
        self._settings = settings
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program must have in its environment to use the server."""
        return KEYS | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.endpoint}

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env=os.environ | self._settings
        )
        until = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < until, self._said()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, by its id; what was in its buckets is gone."""
        self._process.kill()
        self._process.wait()

    def client(self, service: str = "s3", key: str = "tester", secret: str = "not-a-secret") -> Any:
        import boto3

        session = boto3.session.Session(key, secret, region_name="us-east-1")
        return session.client(service, endpoint_url=self.endpoint)

    def enforce(self) -> None:
        """From now on hold every request to its user's keys and policies."""
        request = urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def bucket(self) -> str:
        """The name of a fresh bucket."""
        name = f"test-{os.urandom(6).hex()}"
        self.client().create_bucket(Bucket=name)
        return name

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/moto-api/data.json", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


@contextmanager
def s3_server(**settings: str) -> Iterator[S3]:
    """Start a server; stop it at the end."""
    started = S3(**settings)
    try:
        yield started
    finally:
        started.stop()
        started._log.close()
