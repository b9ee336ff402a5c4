"""Buckets and databases that refuse, go away and come back: two lines, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest

from buckets import S3, missing, s3_server
from spaceport.errors import SpaceportError, StoreError
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, open_store

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}


@pytest.fixture
def store(bucket_uri: str, tmp_path: Path) -> Store:
    return open_store(bucket_uri, f"sqlite:///{tmp_path}/catalog.sqlite")


def said(attempt: Callable[[], object]) -> str:
    """The two lines of the error; no key and no address in them."""
    with pytest.raises(StoreError) as caught:
        attempt()
    lines = str(caught.value).split("\n")
    assert len(lines) == 2
    assert all(lines)
    for secret in ("not-a-secret", "tester", "127.0.0.1", "Signature"):
        assert secret not in str(caught.value)
    return str(caught.value)


def test_a_bucket_that_there_is_not(s3: S3, tmp_path: Path, first: Publish) -> None:
    store = open_store("s3://no-such-bucket/x", f"sqlite:///{tmp_path}/catalog.sqlite")
    for attempt in (store.spaces, lambda: first(store)):
        assert "there is no such bucket" in said(attempt)
    assert not (tmp_path / "caches").exists()


class Refusing(BaseHTTPRequestHandler):
    """Answers everything as Amazon answers who may not."""

    def _refuse(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _refuse  # noqa: N815 - the base class's words

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_bucket_without_permission(
    store: Store, first: Publish, minor: Publish, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = first(store)
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", refusing)
        fresh = Store(store.place, store._foundation.database)
        for attempt in (
            fresh.spaces,
            lambda: store.read(record, "card.json"),
            lambda: store.verify(record),
            lambda: minor(store, "words", [], ["king"]),
            lambda: Store(store.place, store._foundation.database).gc(),
        ):
            assert "permission was refused" in said(attempt)
    assert store.versions("words") == [record]
    assert minor(store, "words", [], ["king"]).rows == 4


def test_wrong_credentials_and_a_bucket_that_may_only_be_read(
    tmp_path: Path, first: Publish, minor: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server checks keys and policies here, as Amazon does."""
    if lacking := missing():
        pytest.skip(lacking)
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SPACEPORT_CACHE", str(tmp_path / "caches"))
        bucket = server.bucket()
        owner, reader = user(server, "owner", "s3:*"), user(server, "reader", "s3:Get*", "s3:List*")
        server.enforce()
        url = f"sqlite:///{tmp_path}/catalog.sqlite"
        as_user(monkeypatch, *owner)
        record = first(open_store(f"s3://{bucket}/x", url))
        as_user(monkeypatch, *reader)
        reading = open_store(f"s3://{bucket}/x", url)
        assert reading.verify(record) == []
        assert reading.vectors(record).ids() == ["cat", "dog", "queen"]
        assert "permission was refused" in said(lambda: minor(reading, "words", [], ["king"]))
        as_user(monkeypatch, owner[0], "wrong")
        assert "refused" in said(open_store(f"s3://{bucket}/x", url).spaces)
        as_user(monkeypatch, *owner)
        again = open_store(f"s3://{bucket}/x", url)
        assert minor(again, "words", [], ["king"]).reference == "words@1.1.0"
        assert again.gc() == []


def as_user(monkeypatch: pytest.MonkeyPatch, key: str, secret: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def user(server: S3, name: str, *actions: str) -> tuple[str, str]:
    """Key and secret of a user of the server who may do `actions`."""
    import json

    client = server.client("iam")
    client.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    client.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
    made = client.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def test_a_server_that_is_down_at_the_start_and_in_the_middle(
    tmp_path: Path, first: Publish, minor: Publish, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacking := missing():
        pytest.skip(lacking)
    monkeypatch.setenv("SPACEPORT_CACHE", str(tmp_path / "caches"))
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = open_store(f"s3://{server.bucket()}/x", f"sqlite:///{tmp_path}/catalog.sqlite")
        record = first(store)
        table = store.vectors(record)
        assert table.count == 3

        def write() -> None:
            with store.writing("words") as writer:
                (writer.folder / "card.json").write_text("{}")
                writer.extend_vectors(record, ["cat"], [rows(["king"])])
                server.stop()
                writer.publish(Number(1, 1), **FIELDS)

        assert "the server cannot be reached" in said(write)
        for attempt in (
            lambda: table.take(["cat"]),
            lambda: store.read(record, "card.json"),
            lambda: open_store(str(store.place), str(store._foundation.database)).spaces(),
            lambda: first(store, "other"),
        ):
            assert "the server cannot be reached" in said(attempt)
    assert store.versions("words") == [record]
    assert store.spaces() == ["words"]


@pytest.mark.parametrize("uri", ["gs://b/x", "http://host/x", "s3://B/x", "s3://bucket/a//b",
                                 "s3://bucket/../x", "s3://bucket/a%2e", "s3://bucket/é", "s3://b\0c/x",
                                 "s3:///x", "s3://bucket/a?versionId=1", "s3://k:s@bucket/x"])  # fmt: skip
def test_a_uri_that_holds_no_store(uri: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceportError, match="neither a folder nor a bucket"):
        open_store(uri, f"sqlite:///{tmp_path}/catalog.sqlite")
