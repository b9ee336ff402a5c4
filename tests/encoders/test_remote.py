"""The encoder behind an address, against a real server that misbehaves as told."""

from __future__ import annotations

import json
import logging
import socket

import numpy as np
import pytest

import spaceport as sp
from encoders.endpoint import given_by, hangs_up, says, serving, sleeps, well
from spaceport.encoders import _endpoint
from spaceport.encoders._pace import Pace
from spaceport.encoders.base import load
from spaceport.encoders.remote import Remote
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.spaces.reading import read_canaries

SECRET = "sk-very-secret-0815"


@pytest.fixture
def provider(monkeypatch):
    monkeypatch.setattr(_endpoint, "BACKOFF", 0.01)
    with serving() as provider:
        yield provider


def remote(provider, **told):
    return Remote(provider.url, "small", **told)


def right(texts, **told):
    return np.array([given_by(text, **told) for text in texts])


def test_vectors_come_back_in_the_order_of_the_texts(provider):
    texts = [f"text {i}" for i in range(150)]
    assert np.array_equal(remote(provider, batch=64).encode(texts), right(texts))
    assert [len(told["input"]) for told in provider.heard] == [64, 64, 22]
    assert {told["encoding_format"] for told in provider.heard} == {"base64"}


def test_lists_of_numbers_are_understood_too(provider):
    def as_lists(answer):
        asked = {"model": "small", "input": ["a", "b"], "encoding_format": "float"}
        return provider.answer(asked)

    provider.change = as_lists
    assert np.array_equal(remote(provider).encode(["a", "b"]), right(["a", "b"]))


def test_without_an_index_the_order_is_that_of_the_answer(provider):
    def unindexed(answer):
        data = sorted(answer["data"], key=lambda part: part.pop("index"))
        return {"data": data}

    provider.change = unindexed
    assert np.array_equal(remote(provider).encode(["a", "b", "c"]), right(["a", "b", "c"]))


def test_prompts_are_those_of_the_role(provider):
    encoder = remote(provider, query_prompt="query: ", document_prompt="passage: ")
    assert np.array_equal(encoder.encode(["a"]), right(["passage: a"]))
    assert np.array_equal(encoder.encode(["a"], role="query"), right(["query: a"]))


def test_an_empty_text_is_sent_as_one_space(provider):
    remote(provider).encode(["", "a"])
    assert provider.heard[0]["input"] == [" ", "a"]


def test_the_dimension_is_asked_for(provider):
    assert remote(provider, dimension=4).encode(["a"]).shape == (1, 4)
    assert provider.heard[0]["dimensions"] == 4
    remote(provider).encode(["a"])
    assert "dimensions" not in provider.heard[1]


def test_what_was_used_is_counted(provider):
    encoder = remote(provider, batch=2, price=2.0)
    assert encoder.facts() == {}
    provider.moods = [says(500, {}), says(503, {})]
    encoder.encode(["one two", "three", "four five six"])
    facts = encoder.facts()
    assert facts["requests"] == 2
    assert facts["repeated requests"] == 2
    assert facts["tokens"] == 6
    assert facts["cost"] == pytest.approx(12e-6)
    assert facts["model told by the endpoint"] == "small-0001"


@pytest.mark.parametrize(
    "moods",
    [
        [says(500, {}), says(500, {})],
        [says(429, {}, Retry_After="0")],
        [says(429, {}, Retry_After="soon")],
        [sleeps(0.6)],
        [hangs_up],
    ],
    ids=["500 twice", "429", "a bad Retry-After", "slow", "hangs up"],
)
def test_what_passes_is_tried_again(provider, moods):
    provider.moods = list(moods)
    encoder = remote(provider, timeout=0.3)
    assert np.array_equal(encoder.encode(["a", "b"]), right(["a", "b"]))
    assert len(provider.heard) == len(moods) + 1


def test_retry_after_is_waited_for_but_not_for_hours(provider, monkeypatch):
    slept = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    provider.moods = [says(429, {}, Retry_After="7"), says(429, {}, Retry_After="86400")]
    remote(provider).encode(["a"])
    assert slept == [7, 120]


@pytest.mark.parametrize(
    ("mood", "said", "remedy"),
    [
        (sleeps(0.5), r"did not answer for texts 3 to 4 of this run: Read timed out", "timeout"),
        (says(429, {"error": {"message": "Slow down"}}), "429 .*Slow down", "requests_per_minute"),
        (says(503, b"<html>busy"), "answered 503 .*<html>busy", "Try later"),
        (says(400, {"error": {"message": "too long"}}), "400 .*: too long", "Mend what it names"),
        (says(404, {"detail": "no"}), "answered 404", "`url`"),
        (says(302, b"", Location="http://evil.example/"), "answered 302", "elsewhere"),
        (says(200, b"<html>"), "no JSON object", "OpenAI-compatible"),
    ],
)
def test_what_does_not_pass_names_the_texts(provider, mood, said, remedy):
    encoder = remote(provider, batch=2, timeout=0.2, retries=1)
    provider.moods = [well, mood, mood]
    with pytest.raises(InputError, match=said) as raised:
        encoder.encode(["a", "b", "c", "d"])
    assert "texts 3 to 4" in raised.value.what
    assert remedy in raised.value.remedy


def test_nobody_there():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
    with pytest.raises(InputError, match="did not answer for texts 1 to 1 .*refused") as raised:
        Remote(url, "small", retries=0).encode(["a"])
    assert "Check that it runs" in raised.value.remedy


def drop(answer):
    return answer | {"data": answer["data"][1:]}


def double(answer):
    return answer | {"data": [answer["data"][0] | {"index": 0}, answer["data"][1] | {"index": 0}]}


def with_vector(vector):
    def change(answer):
        first, *rest = sorted(answer["data"], key=lambda part: part["index"])
        return answer | {"data": [first, rest[0] | {"embedding": vector}]}

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop, "1 vectors came for 2 texts"),
        (double, "does not index each text once"),
        (lambda answer: {"error": "none"}, "holds no vectors"),
        (with_vector([0.0, 1, float("nan"), 0, 0, 0]), "1 of 2 vectors hold NaN .*'second text'"),
        (with_vector([1e60] * 6), "1 of 2 vectors hold NaN or infinity"),
        (with_vector([1.0, 2.0]), "vectors of 2 and 6 numbers"),
        (with_vector("not base64!"), "neither base64"),
        (with_vector("AAA="), "neither base64"),
        (with_vector([None] * 6), "neither base64|NaN"),
        (with_vector(None), "neither base64"),
        (with_vector([[1.0]] * 6), "neither base64"),
    ],
)
def test_a_wrong_answer_is_refused(provider, change, said):
    provider.change = change
    with pytest.raises(InputError, match=said):
        remote(provider).encode(["first text", "second text"])


def test_a_dimension_that_changes_in_the_middle(provider):
    encoder = remote(provider, batch=2)
    assert encoder.encode(["a", "b"]).shape == (2, 6)
    provider.dimension = 5
    with pytest.raises(InputError, match="gave 5 numbers .* 6 were given before .*texts 3 to 3"):
        encoder.encode(["c"])


def test_a_dimension_other_than_asked_for(provider):
    provider.change = lambda answer: provider.answer({"model": "small", "input": ["a"]})
    with pytest.raises(InputError, match="gave 6 numbers a text, and 8 were wanted"):
        remote(provider, dimension=8).encode(["a"])


def test_the_key_goes_into_the_header_and_nowhere_else(provider, monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    provider.key = SECRET
    monkeypatch.setenv("MY_API_KEY", SECRET)
    encoder = remote(provider, key="MY_API_KEY")
    assert np.array_equal(encoder.encode(["a"]), right(["a"]))
    assert provider.headers[0]["Authorization"] == f"Bearer {SECRET}"
    fingerprint = encoder.fingerprint
    monkeypatch.setenv("MY_API_KEY", "another")
    assert encoder.fingerprint == fingerprint
    written = "".join(path.read_bytes().decode("latin-1") for path in encoder.save(tmp_path))
    state = repr((encoder, encoder.params(), encoder.state(), encoder.facts(), vars(encoder)))
    state += repr(vars(encoder._endpoint)) + repr(provider.heard)
    assert SECRET not in written + state + caplog.text
    provider.key = "other"
    monkeypatch.setenv("MY_API_KEY", SECRET)
    with pytest.raises(InputError, match=r"401 .*Incorrect API key provided: Bearer …") as raised:
        encoder.encode(["a"])
    assert "Check the key in MY_API_KEY" in raised.value.remedy
    assert SECRET not in str(raised.value) + str(raised.value.__cause__)


def test_a_key_that_is_wanted_and_not_told(provider, monkeypatch):
    provider.key = SECRET
    with pytest.raises(InputError, match="answered 401") as raised:
        remote(provider).encode(["a"])
    assert "none is sent" in raised.value.remedy
    monkeypatch.delenv("MY_API_KEY", raising=False)
    with pytest.raises(NotFoundError, match="variable MY_API_KEY is not set"):
        remote(provider, key="MY_API_KEY").encode(["a"])
    monkeypatch.setenv("MY_API_KEY", f"{SECRET} \r\nX-Evil: 1")
    with pytest.raises(InputError, match="holds characters that no key has") as broken:
        remote(provider, key="MY_API_KEY").encode(["a"])
    assert SECRET not in str(broken.value)


def test_an_encoder_from_a_store_sends_no_key_unasked(provider, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_API_KEY", SECRET)
    remote(provider, key="MY_API_KEY").save(tmp_path)
    loaded = load(tmp_path)
    host = f"127.0.0.1:{provider.server_port}"
    with pytest.raises(ParameterError, match=rf"would send \$MY_API_KEY to {host}"):
        loaded.encode(["a"])
    assert provider.heard == []
    monkeypatch.setenv("SPACEPORT_REMOTE_HOSTS", f"api.example.com, {host}")
    assert np.array_equal(loaded.encode(["a"]), right(["a"]))


def test_limits_hold_in_every_minute():
    now, sent = [0.0], []

    def sleep(seconds):
        assert seconds > 0
        now[0] += seconds

    rng = np.random.default_rng(0)
    pace = Pace(5, 1000, lambda: now[0], sleep)
    for tokens in rng.integers(1, 600, 200).tolist():
        pace.wait(tokens // 2)
        sent.append((now[0], tokens))
        pace.correct(tokens)
        now[0] += rng.exponential(1)
    times, counts = np.array(sent).T
    for start in times:
        within = (times >= start) & (times < start + 60)
        assert within.sum() <= 5
        # the last of a window was let in by its estimate, half of what it came to
        assert counts[within][:-1].sum() + counts[within][-1] // 2 <= 1000
    assert times[-1] > 60 * 200 / 5 - 60


def test_a_request_above_the_limit_waits_for_an_empty_minute():
    now = [0.0]
    pace = Pace(None, 10, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert [pace.wait(50), pace.wait(1), pace.wait(50)] == [0, 60, 60]


def test_without_limits_nothing_is_waited_for():
    pace = Pace(None, None, lambda: 0.0, pytest.fail)
    assert [pace.wait(10**9) for _ in range(100)] == [0.0] * 100


def test_a_silent_change_of_the_model_makes_a_new_major(provider, tmp_path):
    store = sp.open(tmp_path / "store")
    path = tmp_path / "texts.csv"

    def built(rows):
        path.write_text("id,text\n" + "".join(f"{i},text number {i}\n" for i in range(rows)))
        encoder = remote(provider)
        return store.build("remote", encoder, sp.sources.texts(str(path), column="text", id="id"))

    canaries = read_canaries(store.store, built(40).record)
    heard = len(provider.heard)
    assert str(built(41).reference) == "remote@1.1.0"
    again = {text for told in provider.heard[heard:] for text in told["input"]}
    assert again == {*canaries.items, "text number 0", "text number 40"}
    provider.model = "another behind the same name"
    changed = built(41)
    assert str(changed.reference) == "remote@2.0.0"
    wanted = right(["text number 7"], model=provider.model)
    assert np.allclose(changed.vectors(["7"]), wanted, atol=1e-6)


def test_a_build_that_was_cut_off_asks_only_for_what_it_lacks(provider, tmp_path):
    store = sp.open(tmp_path / "store")
    path = tmp_path / "texts.csv"
    path.write_text("id,text\n" + "".join(f"{i},text number {i}\n" for i in range(30)))
    source = sp.sources.texts(str(path), column="text", id="id")
    provider.moods = [*[well] * 5, says(400, {"error": {"message": "no more"}})]
    with pytest.raises(InputError, match="no more"):
        store.build("remote", remote(provider, batch=4), source)
    kept = {text for told in provider.heard[:-1] for text in told["input"]}
    assert len(kept) > 8
    heard = len(provider.heard)
    version = store.build("remote", remote(provider, batch=4), source)
    canaries = {*read_canaries(store.store, version.record).items}
    again = {text for told in provider.heard[heard:] for text in told["input"]}
    assert not again & kept - canaries - {"text number 0"}
    assert np.allclose(version.vectors(["29"]), right(["text number 29"]), atol=1e-6)


def test_another_address_is_the_same_model():
    one, other = (Remote(f"https://{host}/v1", "m") for host in ("a.example", "b.example"))
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != Remote("https://a.example/v1", "n").fingerprint
    assert one.fingerprint != Remote("https://a.example/v1", "m", query_prompt="q: ").fingerprint


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"url": "ftp://a.example"}, "`url` must be an http or https address"),
        ({"url": "a.example/v1"}, "`url` must be an http or https address"),
        ({"url": "file:///etc/passwd"}, "`url` must be an http or https address"),
        ({"url": "http://"}, "`url` must be an http or https address"),
        ({"url": 7}, "`url` must be an http or https address"),
        ({"url": "https://me:secret@a.example/v1"}, "no password"),
        ({"url": "https://a.example/v1?key=secret"}, "no query"),
        ({"model": ""}, "`model` is empty"),
        ({"key": SECRET}, "must be an environment variable's name"),
        ({"batch": 0}, "`batch` must be an int"),
        ({"dimension": 0}, "`dimension` must be an int"),
        ({"timeout": 0}, "`timeout` must be a number above 0"),
        ({"retries": -1}, "`retries` must be an int"),
        ({"requests_per_minute": 0}, "`requests_per_minute` must be an int"),
        ({"tokens_per_minute": 1.5}, "`tokens_per_minute` must be an int"),
        ({"price": -1.0}, "`price` must be a number at least 0"),
    ],
)
def test_parameters_are_checked(told, said):
    with pytest.raises(ParameterError, match=said) as raised:
        Remote(**{"url": "http://127.0.0.1/v1", "model": "m", **told})
    assert "secret" not in str(raised.value)


def test_it_is_written_down_and_read_back(provider, tmp_path):
    encoder = remote(provider, dimension=4, query_prompt="q: ")
    encoder.encode(["a"])
    encoder.save(tmp_path)
    saved = json.loads((tmp_path / "encoder.json").read_text())
    assert saved["facts"]["tokens"] == 1
    assert load(tmp_path).spec == encoder.spec
