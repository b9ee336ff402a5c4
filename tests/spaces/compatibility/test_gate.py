"""The gate: planted candidates get the right verdict, nothing moves in between, refusals are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spaceport.errors import BusyError, ParameterError, RefusedError
from spaceport.quality.probe import split
from spaceport.spaces.compatibility import gate as gates
from spaceport.spaces.compatibility import replaying
from spaceport.spaces.compatibility.gate import cut_over
from spaceport.spaces.spaceport import Spaceport
from spaces.compatibility.consuming import (
    COUNT,
    only,
    opened,
    planted,
    publish,
    register,
    turned,
    without_label,
)


@pytest.fixture
def store(tmp_path: Path) -> Spaceport:
    return opened(tmp_path)


def test_a_space_without_consumers_just_moves(store: Spaceport) -> None:
    assert store.promote("mail@1", "production").reference == "mail@1.0.0"
    assert store.aliases("mail") == {"production": "mail@1.0.0"}


def test_the_version_that_the_consumer_was_registered_on_changes_nothing(
    store: Spaceport, tmp_path: Path
) -> None:
    register(store, tmp_path)
    found = only(store, "mail@1")
    assert found.verdict == "raw"
    assert found.raw is not None
    assert (found.raw.change, found.raw.low, found.raw.high) == (0, 0, 0)
    assert found.raw.value == found.baseline


def test_the_baseline_is_that_of_a_classifier_learnt_elsewhere(
    store: Spaceport, tmp_path: Path
) -> None:
    """Scikit-learn itself, on the split that is documented."""
    from sklearn.linear_model import LogisticRegression

    consumer = register(store, tmp_path)
    X, labels = planted(), np.array(["ham", "spam"] * (COUNT // 2))
    train, test = split(labels, 0.3)
    theirs = LogisticRegression().fit(X[train], labels[train]).score(X[test], labels[test])
    assert consumer.task["baseline"] == pytest.approx(theirs, abs=0.03)
    assert consumer.task["baseline"] == pytest.approx(0.933, abs=0.05)  # Φ(3 / 2)


def test_a_rotation_fails_raw_and_passes_through_the_adapter(
    store: Spaceport, tmp_path: Path
) -> None:
    register(store, tmp_path)
    publish(store, turned(planted()))
    before = only(store, "mail@2")
    assert before.verdict == "fails"
    assert before.adapted is None
    store.align("mail@2", "mail@1")
    after = only(store, "mail@2")
    assert (after.verdict, after.adapter is None) == ("adapter", False)
    assert after.raw is not None
    assert after.raw.high < -0.2
    assert after.adapted is not None
    assert after.adapted.change == pytest.approx(0, abs=0.01)
    assert after.anew == pytest.approx(after.baseline, abs=0.05)


def test_a_label_that_is_gone_fails_through_the_adapter_too(
    store: Spaceport, tmp_path: Path
) -> None:
    register(store, tmp_path)
    publish(store, turned(without_label(planted())))
    store.align("mail@2", "mail@1", force=True)
    found = only(store, "mail@2")
    assert found.verdict == "fails"
    assert found.adapted is not None
    assert found.adapted.high < -0.2
    assert found.anew is not None
    assert found.anew < 0.65


def test_another_dimension_is_said_and_fails_without_an_adapter(
    store: Spaceport, tmp_path: Path
) -> None:
    register(store, tmp_path)
    publish(store, np.hstack([turned(planted()), np.zeros((COUNT, 4), np.float32)]))
    found = only(store, "mail@2")
    assert (found.verdict, found.raw) == ("fails", None)
    assert "20 dimensions" in found.note


def test_a_loss_of_exactly_the_tolerance_is_permitted(store: Spaceport, tmp_path: Path) -> None:
    """Twelve of the 120 held-out items are gone, and count as failed where they had been right."""
    register(store, tmp_path, tolerance=0.0)
    keep = [row for row in range(COUNT) if row not in range(40)]
    publish(store, planted()[keep], [f"item-{row}" for row in keep])
    lost = only(store, "mail@1.1")
    assert lost.raw is not None
    assert lost.raw.change < 0
    assert "are gone" in lost.note
    assert lost.verdict == "fails"
    store.remove_consumer("mail", "spam-filter")
    register(store, tmp_path, tolerance=-lost.raw.change, pin="1.0.0")
    assert only(store, "mail@1.1").verdict == "raw"
    store.remove_consumer("mail", "spam-filter")
    register(store, tmp_path, tolerance=-lost.raw.change - 0.001, pin="1.0.0")
    assert only(store, "mail@1.1").verdict == "fails"


def test_noise_within_the_tolerance_passes_over_many_seeds(
    store: Spaceport, tmp_path: Path
) -> None:
    """Of candidates that move nothing but by 1 % of noise, none may be refused at 5 %."""
    register(store, tmp_path, tolerance=0.05)
    X = planted()
    verdicts = []
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(size=X.shape).astype(np.float32)
        reference = publish(store, X + 0.01 * noise)
        verdicts.append(only(store, reference).verdict)
    assert verdicts == ["raw"] * 5


def test_a_refusal_moves_nothing_and_is_in_the_history(store: Spaceport, tmp_path: Path) -> None:
    register(store, tmp_path)
    store.promote("mail@1", "production")
    publish(store, turned(planted()))
    with pytest.raises(RefusedError, match="would break spam-filter") as raised:
        store.promote("mail@2", "production", "faster")
    assert "spaceport align mail@2.0.0 --onto mail@1.0.0" in raised.value.remedy
    assert store.aliases("mail") == {"production": "mail@1.0.0"}
    last = store.history("mail")[-1]
    assert (last.action, last.subject) == ("refuse", "production")
    assert "faster" in last.note
    assert last.evidence["consumers"][0]["verdict"] == "fails"


def test_an_override_moves_and_the_history_says_so_for_ever(
    store: Spaceport, tmp_path: Path
) -> None:
    register(store, tmp_path)
    store.promote("mail@1", "production")
    publish(store, turned(planted()))
    with pytest.raises(ParameterError, match="must say why"):
        store.promote("mail@2", "production", override=" ")
    store.promote("mail@2", "production", override="the filter learns anew tonight")
    assert store.aliases("mail") == {"production": "mail@2.0.0"}
    last = store.history("mail", "production")[-1]
    assert "override of spam-filter: the filter learns anew tonight" in last.note
    assert last.evidence["override"] == "the filter learns anew tonight"
    assert store.consumers("mail")[0].pin == "1"


def test_pins_move_with_the_alias_and_back(store: Spaceport, tmp_path: Path) -> None:
    register(store, tmp_path, tolerance=0.05, pin="1.0")
    store.promote("mail@1", "production")
    scaled = planted() * np.float32(1.5)
    publish(store, scaled)
    assert store.promote("mail@2", "production").reference == "mail@2.0.0"
    assert store.consumers("mail")[0].pin == "2.0"
    assert store.rollback("mail", "production", "slow").reference == "mail@1.0.0"
    assert store.consumers("mail")[0].pin == "1.0"
    assert [event.action for event in store.history("mail", "production")] == [
        "promote",
        "promote",
        "rollback",
    ]


def test_every_consumer_is_asked(store: Spaceport, tmp_path: Path) -> None:
    register(store, tmp_path)
    noise = np.random.default_rng(3).choice(["a", "b"], COUNT).tolist()
    register(store, tmp_path, "coin", tolerance=0.5, labels=noise)
    publish(store, turned(planted()))
    found = store.gate("mail@2", "production")
    assert [(result.consumer, result.verdict) for result in found.results] == [
        ("coin", "raw"),
        ("spam-filter", "fails"),
    ]
    assert found.failing == ["spam-filter"]
    assert found.pins == {"coin": "2"}
    assert "FAILS" in str(found)


def test_an_alias_that_moved_meanwhile_is_looked_at_again(tmp_path: Path, catalog_url: str) -> None:
    store = opened(tmp_path, catalog_url)
    register(store, tmp_path, tolerance=0.05)
    publish(store, planted() * np.float32(1.5))
    found = store.gate("mail@2", "production")
    store.store.promote("mail@1", "production")
    with pytest.raises(BusyError, match="moved"):
        cut_over(store, found)
    assert store.aliases("mail") == {"production": "mail@1.0.0"}


def test_a_consumer_that_came_meanwhile_is_not_passed_over(
    tmp_path: Path, catalog_url: str
) -> None:
    store = opened(tmp_path, catalog_url)
    register(store, tmp_path, tolerance=0.05)
    publish(store, planted() * np.float32(1.5))
    found = store.gate("mail@2", "production")
    register(store, tmp_path, "late")
    with pytest.raises(BusyError, match="added or removed"):
        cut_over(store, found)
    store.remove_consumer("mail", "late")
    store.remove_consumer("mail", "spam-filter")
    register(store, tmp_path, tolerance=0.05)  # the same name, another task
    with pytest.raises(BusyError, match="added or removed"):
        cut_over(store, found)
    assert store.aliases("mail") == {}


def test_an_alias_named_like_a_version_is_refused_before_anything_runs(
    store: Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(store, tmp_path)
    monkeypatch.setattr(gates, "replay", None)
    for name in ("1", "1.0", "1.0.0", "latest", "../x", "V2"):
        with pytest.raises(ParameterError, match="not an alias's name"):
            store.promote("mail@1", name)


# -- saboteurs: what the tests above must catch


def breaks(store: Spaceport, tmp_path: Path) -> bool:
    """Whether a candidate that breaks the consumer gets through."""
    register(store, tmp_path)
    publish(store, turned(planted()))
    try:
        store.promote("mail@2", "production")
    except RefusedError:
        return False
    return True


def test_saboteur_a_gate_that_ignores_a_consumer(
    store: Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates.Gate, "failing", property(lambda self: []))
    assert breaks(store, tmp_path)


def test_saboteur_a_gate_that_uses_a_classifier_learnt_anew(
    store: Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = replaying._result

    def generous(*args: object) -> object:
        found = result(*args)  # type: ignore[arg-type]
        fine = found.anew is not None and found.anew >= found.baseline - found.tolerance
        return replace(found, verdict="raw") if fine else found

    monkeypatch.setattr(replaying, "_result", generous)
    assert breaks(store, tmp_path)


def test_saboteur_a_gate_that_compares_with_the_candidates_own_baseline(
    store: Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = replaying.compare
    monkeypatch.setattr(replaying, "compare", lambda before, after: compare(after, after))
    assert breaks(store, tmp_path)


def test_the_task_file_may_go_once_it_is_registered(store: Spaceport, tmp_path: Path) -> None:
    register(store, tmp_path)
    (tmp_path / "spam-filter.csv").unlink()
    assert only(store, "mail@1").verdict == "raw"


def test_an_adapter_tells_what_the_consumers_keep_through_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    register(store, tmp_path)
    publish(store, turned(planted()))
    rotation = store.align("mail@2", "mail@1", "procrustes()")
    kept = rotation.facts["tasks"]["spam-filter"]
    assert kept["baseline"] == kept["adapted"] > 0.9
    publish(store, without_label(planted()))
    forced = store.align("mail@3", "mail@1", "procrustes()", bar=1.0, force=True)
    assert forced.facts["tasks"]["spam-filter"]["adapted"] < 0.7
