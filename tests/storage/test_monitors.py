"""What monitors keep, the same in folder and bucket, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from spaceport.errors import CorruptError, NotFoundError, ParameterError, StoreError
from spaceport.storage import monitors as module
from spaceport.storage.monitors import Changes, Tick, Verdict, Watch
from spaceport.storage.store import Record, Store


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


@pytest.fixture
def record(store: Store, first) -> Record:
    made: Record = first(store)
    return made


@pytest.fixture
def watch(store: Store, record: Record) -> Watch:
    with store.watched.recording("words") as recorder:
        recorder.put("basis", b"basis")
        return recorder.create(record, "default", {"every": "month"})


def update(
    store: Store,
    watch: Watch,
    days: dict[str, bytes],
    edition: int = 1,
    verdicts: tuple[Verdict, ...] = (),
    notify: bool = False,
) -> None:
    with store.watched.recording("words") as recorder:
        ticks = [
            Tick(
                day,
                None,
                edition,
                len(data),
                recorder.put(day, data),
                recorder.put(f"{day}.ids", b""),
            )
            for day, data in days.items()
        ]
        recorder.commit(watch, Changes({"rows": len(days)}, ticks, verdicts, notify))


def said(window: str, state: str, edition: int = 1, segment: str | None = None) -> Verdict:
    return Verdict(
        window, f"{window}-01", f"{window}-31", segment, edition, state, 5, 0.5, 0.01, 0.1
    )


def test_a_monitor_comes_back_with_its_files(store: Store, record: Record, watch: Watch) -> None:
    assert store.watched.monitors("words") == [watch]
    assert store.watched.monitor(record, "default") == watch
    assert store.watched.monitor(record, "other") is None
    assert (watch.of, dict(watch.settings)) == ("words@1.0.0", {"every": "month"})
    assert store.watched.read(watch, f"{watch.folder}/basis") == b"basis"
    with pytest.raises(NotFoundError, match="has no file"):
        store.watched.read(watch, f"{watch.folder}/basics")
    with (
        pytest.raises(ParameterError, match="has a monitor default already"),
        store.watched.recording("words") as recorder,
    ):
        recorder.create(record, "default", {})


def test_a_day_s_new_edition_replaces_its_files(store: Store, watch: Watch) -> None:
    update(store, watch, {"2026-03-01": b"one", "2026-03-02": b"two"})
    update(store, watch, {"2026-03-01": b"one and more"}, edition=2)
    first, second = store.watched.ticks(watch)
    assert (first.edition, first.rows, second.edition) == (2, 12, 1)
    assert store.watched.read(watch, first.sketch) == b"one and more"
    assert len(store.watched.files(watch)) == 1 + 4
    on_disk = set((store.place / "monitors").listing())
    assert {f"monitors/{name}" for name in on_disk} == set(store.watched.files(watch))
    assert [dict(each.facts) for each in store.watched.updates(watch)] == [{"rows": 2}, {"rows": 1}]


def test_gc_leaves_what_is_listed_and_removes_what_is_not(store: Store, watch: Watch) -> None:
    update(store, watch, {"2026-03-01": b"one"})
    assert store.gc() == []
    (store.place / f"{watch.folder}").write("left", b"over")
    assert [removed.path for removed in store.gc()] == [f"{watch.folder}/left"]
    assert store.gc() == []
    assert store.watched.read(watch, f"{watch.folder}/basis") == b"basis"


def test_gc_leaves_a_monitor_at_work_alone(store: Store, watch: Watch) -> None:
    with store.watched.recording("words") as recorder:
        path = recorder.put("day", b"one")
        assert store.gc() == []
        recorder.commit(watch, Changes({}, [Tick("2026-03-01", None, 1, 3, path)]))
    assert store.watched.read(watch, path) == b"one"


def test_watching_and_building_do_not_wait_for_each_other(
    store: Store, watch: Watch, minor
) -> None:
    with store.watched.recording("words") as recorder:
        minor(store, "words", [], ["king"])
        recorder.commit(watch, Changes({}))
    with store.writing("words"):
        update(store, watch, {"2026-03-01": b"one"})


def test_what_is_not_committed_is_gone(store: Store, watch: Watch) -> None:
    before = set((store.place / "monitors").listing())
    with store.watched.recording("words") as recorder:
        recorder.put("day", b"one")
    assert set((store.place / "monitors").listing()) == before
    assert store.watched.updates(watch) == []


def test_an_update_that_fails_changes_nothing(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(store, watch, {"2026-03-01": b"one"}, verdicts=(said("2026-03", "alarm"),))
    before = (
        store.watched.ticks(watch),
        store.watched.verdicts(watch),
        store.watched.alarms("words"),
    )
    files = set((store.place / "monitors").listing())

    def fail(*told: object) -> None:
        raise StoreError("The catalog went away.", "Run it again.")

    monkeypatch.setattr(module.alarms, "follow", fail)
    with pytest.raises(StoreError, match="went away"):
        update(store, watch, {"2026-03-01": b"more"}, 2, (said("2026-03", "alarm", 2),))
    assert before == (
        store.watched.ticks(watch),
        store.watched.verdicts(watch),
        store.watched.alarms("words"),
    )
    assert len(store.watched.updates(watch)) == 1
    assert set((store.place / "monitors").listing()) == files


def test_verify_hashes_what_monitors_keep(store: Store, record: Record, watch: Watch) -> None:
    update(store, watch, {"2026-03-01": b"one"})
    assert store.verify(record) == []
    (tick,) = store.watched.ticks(watch)
    folder, _, name = tick.sketch.rpartition("/")
    (store.place / folder).write(name, b"two")
    assert any("SHA-256" in line and tick.sketch in line for line in store.verify(record))
    with pytest.raises(CorruptError, match="SHA-256"):
        store.watched.read(watch, tick.sketch)


def test_a_clock_that_went_back_writes_nothing(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "now", lambda: "2001-01-01T00:00:00Z")
    with pytest.raises(StoreError, match="clock says 2001"):
        update(store, watch, {"2026-03-01": b"one"})
    assert store.watched.ticks(watch) == []


def test_an_update_of_a_clock_ahead_holds_back_those_after_it(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "now", lambda: "2999-01-01T00:00:00Z")
        update(store, watch, {"2026-03-01": b"one"})
    with pytest.raises(StoreError, match="was made at 2999"):
        update(store, watch, {"2026-03-02": b"two"})
    assert [tick.begins for tick in store.watched.ticks(watch)] == ["2026-03-01"]
