"""Registering consumers: every kind of task, every bad one in two lines with nothing stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from spaceport.errors import (
    InputError,
    MismatchError,
    NotFoundError,
    ParameterError,
    SpaceportError,
)
from spaceport.quality.linear import LinearClassifier, learn
from spaceport.quality.paired import compare
from spaceport.quality.retrieval import retrieval
from spaceport.spaces.compatibility.classifiers import (
    open_classifier,
    read_classifier,
    write_classifier,
)
from spaceport.spaces.compatibility.derived import (
    keep_centroids,
    keep_probe,
    keep_thresholds,
    use,
)
from spaceport.spaces.spaceport import Spaceport
from spaces.compatibility.consuming import (
    COUNT,
    IDS,
    LABELS,
    only,
    opened,
    planted,
    publish,
    register,
    task_file,
    turned,
)


@pytest.fixture
def store(tmp_path: Path) -> Spaceport:
    return opened(tmp_path)


@pytest.mark.parametrize(
    ("labels", "told", "says"),
    [
        (["spam"] * COUNT, {}, "1 class of 4 items"),
        ([0.5 + row for row in range(COUNT)], {}, "measurements"),
        (LABELS[:12], {}, "12 labeled items"),
        (LABELS, {"label": "missing"}, "no column `missing`"),
        (LABELS, {"pin": "3"}, "No version of mail satisfies the pin 3"),
        (LABELS, {"pin": "production"}, "`pin` must be the number"),
        (LABELS, {"pin": ""}, "`pin` must be the number"),
        (LABELS, {"tolerance": -0.1}, "tolerance"),
        (LABELS, {"tolerance": 1.0}, "tolerance"),
        (LABELS, {"tolerance": float("nan")}, "tolerance"),
        (LABELS, {"name": "../x"}, "not a consumer's name"),
        (LABELS, {"owner": "a\nb"}, "one line"),
        (LABELS, {"label": None}, "needs a task"),
        (LABELS, {"by_id": None, "column": "item"}, "without an encoder"),
        (LABELS, {"by_id": "spam", "label": "item"}, "class"),
    ],
)
def test_a_bad_task_is_two_lines_and_nothing_is_stored(
    store: Spaceport, tmp_path: Path, labels: Sequence[object], told: dict[str, object], says: str
) -> None:
    path = task_file(tmp_path, labels)
    wanted = {"name": "x", "pin": "1", "label": "spam", "by_id": "item", **told}
    with pytest.raises(SpaceportError, match=says) as raised:
        store.add_consumer("mail", wanted.pop("name"), path, **wanted)  # type: ignore[arg-type]
    assert str(raised.value).count("\n") == 1
    assert store.consumers("mail") == []
    assert store.store.artifacts("mail") == []


def test_ids_that_the_pinned_version_lacks_are_named(store: Spaceport, tmp_path: Path) -> None:
    path = task_file(tmp_path)
    path.write_text(path.read_text().replace("item-7,", "item-x,"))
    with pytest.raises(InputError, match=r"1 of the 400 ids .* 'item-x'"):
        store.add_consumer("mail", "x", path, pin="1", label="spam", by_id="item")


def test_a_name_is_taken_once(tmp_path: Path, catalog_url: str) -> None:
    store = opened(tmp_path, catalog_url)
    made = register(store, tmp_path)
    assert (made.owner, made.pin, made.task["on"]) == ("mail-team", "1", "mail@1.0.0")
    with pytest.raises(ParameterError, match="already"):
        register(store, tmp_path)
    store.remove_consumer("mail", "spam-filter")
    register(store, tmp_path)
    told = [(event.action, event.subject) for event in store.history("mail")]
    assert told.count(("add", "consumer spam-filter")) == 2
    assert told.count(("remove", "consumer spam-filter")) == 1
    assert told[0] == ("publish", "1.0.0")
    assert told.index(("remove", "consumer spam-filter")) > told.index(
        ("add", "consumer spam-filter")
    )


# -- a classifier of the consumer's own


def test_weights_survive_however_they_lie_in_memory(tmp_path: Path) -> None:
    """Scikit-learn's weights may lie column after column; safetensors writes bytes as they lie."""
    X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    labels = ["a", "b", "c"] * 20
    learnt = learn(X, labels)
    fortran = LinearClassifier(np.asfortranarray(learnt.coef), learnt.intercept, learnt.classes)
    write_classifier(tmp_path, fortran)
    back = read_classifier(lambda name: (tmp_path / name).read_bytes())
    assert np.array_equal(back.coef, learnt.coef)
    assert back.answers(X) == learnt.answers(X)


def test_a_learnt_classifier_answers_as_the_probe_does() -> None:
    from spaceport.quality.probe import linear_probe_answers

    X = planted() * 100 + 1000
    assert learn(X[:300], LABELS[:300]).answers(X[300:]) == list(
        linear_probe_answers(X[:300], LABELS[:300], X[300:])
    )


def test_a_saved_classifier_is_scored_on_every_item(store: Spaceport, tmp_path: Path) -> None:
    weights = np.zeros((1, 16))
    weights[0, 0] = 1
    save_file(
        {"coef": weights, "intercept": np.array([-1.5])},
        tmp_path / "own.safetensors",
        metadata={"classes": '["ham", "spam"]'},
    )
    made = store.add_consumer(
        "mail", "own", task_file(tmp_path), pin="1", label="spam", by_id="item",
        classifier=tmp_path / "own.safetensors",
    )  # fmt: skip
    right = (planted()[:, 0] > 1.5) == (np.array(LABELS) == "spam")
    assert made.task["baseline"] == pytest.approx(right.mean())
    assert made.task["scored"] == COUNT
    publish(store, planted()[40:], IDS[40:])
    gone = only(store, "mail@1.1")
    assert gone.raw is not None
    assert gone.raw.value == pytest.approx(right[40:].sum() / COUNT), (
        "what is gone counts as failed"
    )
    publish(store, turned(planted()))
    assert only(store, "mail@2").verdict == "fails"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"coef": [[1, 2]], "intercept": [0], "classes": ["ham"]}', "two classes or more"),
        ('{"coef": [[1, 2]], "intercept": [0]}', "no linear classifier"),
        ('{"coef": [[1, 2]], "intercept": [0], "classes": "ab"}', "no linear classifier"),
        ('{"coef": [[1], [2, 3]], "intercept": [0, 1], "classes": ["a", "b"]}', "no linear"),
        ('{"coef": [[1, 2]], "coef": [[1]], "intercept": [0], "classes": ["a", "b"]}', "twice"),
        ('{"coef": [[NaN, 2]], "intercept": [0], "classes": ["a", "b"]}', "NaN"),
        ('{"coef": [[1, 2], [3, 4], [5, 6]], "intercept": [0], "classes": ["a", "b"]}', "shape"),
        ('{"coef": [[1, 2]], "intercept": [0], "classes": ["a", "a"]}', "each once"),
    ],
)
def test_a_broken_classifier_is_two_lines(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(SpaceportError, match=says):
        open_classifier(tmp_path / "own.json")


def test_a_classifier_of_another_dimension_or_other_classes(
    store: Spaceport, tmp_path: Path
) -> None:
    told = {"coef": [[1.0] * 16], "intercept": [0.0], "classes": ["cat", "dog"]}
    for wrong, says in (
        (told, "none of the items' labels"),
        ({**told, "coef": [[1.0]]}, "takes 1"),
    ):
        (tmp_path / "own.json").write_text(json.dumps(wrong))
        with pytest.raises(InputError, match=says):
            store.add_consumer(
                "mail", "own", task_file(tmp_path), pin="1", label="spam", by_id="item",
                classifier=tmp_path / "own.json",
            )  # fmt: skip


# -- searches and commands


def test_retrieval_against_its_definition() -> None:
    random = np.random.default_rng(0)
    index, queries = random.normal(size=(50, 6)), random.normal(size=(20, 6))
    relevant = [set(random.choice(50, 3, replace=False).tolist()) for _ in range(20)]
    X, Q = index.astype(np.float32), queries.astype(np.float32)
    ndcg, recall = (retrieval(X, Q, relevant, 5, measure) for measure in ("ndcg", "recall"))
    for row, (query, wanted) in enumerate(zip(queries, relevant, strict=True)):
        cosines = index @ query / np.linalg.norm(index, axis=1)
        best = np.argsort(-cosines)[:5].tolist()
        gains = sum(1 / np.log2(place + 2) for place, item in enumerate(best) if item in wanted)
        assert ndcg[row] == pytest.approx(gains / sum(1 / np.log2(p + 2) for p in range(3)))
        assert recall[row] == pytest.approx(len(wanted & set(best)) / 3)


def test_the_paired_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    """400 pairs of 200 answers that differ by 0.1 in truth: about 95 % of the intervals hold it."""
    random = np.random.default_rng(0)
    held = 0
    for seed in range(400):
        before = random.random(200) < 0.8
        after = before & ~(random.random(200) < 0.125)
        found = compare(before, after, seed)
        held += found.low <= -0.1 <= found.high
    assert 0.91 <= held / 400 <= 0.985


def command(store: Spaceport, name: str, code: str, timeout: float = 60.0) -> None:
    store.add_consumer("mail", name, command=[sys.executable, "-c", code], pin="1", timeout=timeout)


def test_a_command_decides_and_sees_what_is_promoted(store: Spaceport, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import os, sys; told = [os.environ['SPACEPORT_' + n] for n in ('VERSION', 'BASELINE', 'ADAPTER')];"
        f"open({str(log)!r}, 'a').write(' '.join(told) + chr(10)); print('looked at', told[0]);"
        "sys.exit(0 if told[0] == told[1] or told[2] else 3)"
    )
    command(store, "check", code)
    publish(store, turned(planted()))
    with pytest.raises(ParameterError, match="would run here: check"):
        store.gate("mail@2", "production")
    (found,) = store.gate("mail@2", "production", run_commands=True).results
    assert found.verdict == "fails"
    assert "exit code 3" in found.note
    assert "looked at mail@2.0.0" in found.note
    adapter = store.align("mail@2", "mail@1")
    (found,) = store.gate("mail@2", "production", run_commands=True).results
    assert found.verdict == "adapter"
    assert log.read_text().splitlines()[-1] == f"mail@2.0.0 mail@1.0.0 {adapter.artifact.id}"


def test_a_command_that_fails_hangs_or_is_not_there(store: Spaceport, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="said: no good"):
        command(store, "fails", "print('no good'); raise SystemExit(1)")
    with pytest.raises(InputError, match="more than 0.5 s"):
        command(store, "hangs", "import time; time.sleep(60)", timeout=0.5)
    with pytest.raises(InputError, match="cannot be started"):
        store.add_consumer("mail", "none", command=["/nowhere/at-all"], pin="1")
    with pytest.raises(ParameterError, match="list of arguments"):
        store.add_consumer("mail", "shell", command="true; rm -rf x", pin="1")
    assert store.consumers("mail") == []


def test_no_shell_reads_a_commands_arguments(store: Spaceport, tmp_path: Path) -> None:
    out = tmp_path / "pwned"
    store.add_consumer(
        "mail", "echo", command=[sys.executable, "-c", "pass", f"; touch {out}", "$(id)"], pin="1"
    )
    assert not out.exists()


# -- derived artifacts


def test_derived_artifacts_are_stamped_and_refuse_other_coordinates(
    tmp_path: Path, catalog_url: str
) -> None:
    store = opened(tmp_path, catalog_url)
    X = planted()
    classifier = learn(X, LABELS)
    keep_probe(store, "mail@1", "spam", classifier.coef, classifier.intercept, classifier.classes)
    means = np.stack([X[0::2].mean(axis=0), X[1::2].mean(axis=0)])
    keep_centroids(store, "mail@1", "kinds", means, ["ham", "spam"])
    keep_thresholds(store, "mail@1", "twins", {"same": 0.9})
    publish(store, turned(X))
    assert [(each.kind, each.fits) for each in store.derived("mail@1")] == [
        ("probe", True),
        ("centroids", True),
        ("thresholds", True),
    ]
    assert not any(each.fits for each in store.derived("mail@2"))
    own, other = store["mail@1"].vectors(IDS[:50]), store["mail@2"].vectors(IDS[:50])
    assert use(store, "mail", "probe", "spam", own) == classifier.answers(X[:50])
    cosines = (X[:50] @ means.T) / np.linalg.norm(means, axis=1)
    wanted = [["ham", "spam"][place] for place in cosines.argmax(axis=1)]
    assert use(store, "mail", "centroids", "kinds", own) == wanted
    assert use(store, "mail", "thresholds", "twins", own) == {"same": 0.9}
    for kind, name in (("probe", "spam"), ("centroids", "kinds"), ("thresholds", "twins")):
        with pytest.raises(MismatchError):
            use(store, "mail", kind, name, other)
        with pytest.raises(ParameterError, match="do not say"):
            use(store, "mail", kind, name, X)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError, match="no probe nothing"):
        use(store, "mail", "probe", "nothing", own)
    with pytest.raises(MismatchError):
        keep_centroids(store, "mail@1", "wrong", other[:2], ["a", "b"])
