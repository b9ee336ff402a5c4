"""The commands of consumers, the gate, history and migration, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spaceport.cli.main import app
from spaceport.errors import RefusedError, SpaceportError
from spaces.compatibility.migrating import NEW, ready


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ready(tmp_path)
    monkeypatch.setenv("SPACEPORT_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


ADD = (
    "consumers", "add", "notes", "--name", "heating", "--owner", "house", "--pin", "1",
    "--task", "notes.csv", "--column", "text", "--label", "kind", "--tolerance", "0.25",
)  # fmt: skip


def test_a_consumer_is_added_listed_shown_and_removed(here: Path) -> None:
    assert "heating of house: accuracy on kind" in run(*ADD).output
    (row,) = json.loads(run("consumers", "list", "notes", "--json").output)
    assert (row["name"], row["owner"], row["pin"], row["tolerance"]) == (
        "heating",
        "house",
        "1",
        0.25,
    )
    assert "accuracy on kind" in run("consumers", "show", "notes", "heating").output
    assert "task" in run("derived", "notes").output
    assert run("consumers", "remove", "notes", "heating").exit_code == 0
    assert "no consumers" in run("consumers", "list", "notes").output


def test_a_command_is_printed_before_it_runs_and_runs_only_when_told(here: Path) -> None:
    told = ("consumers", "add", "notes", "--name", "ok", "--pin", "1", "--command", "true 'a b'")
    assert 'Runs now and at each promotion: ["true", "a b"]' in run(*told).output
    assert isinstance(run("promote", "notes@1", "--as", "staging").exception, SpaceportError)
    assert run("promote", "notes@1", "--as", "staging", "--run-commands").exit_code == 0


def test_migrate_is_planned_refused_overridden_and_rolled_back(here: Path) -> None:
    run(*ADD)
    plan = run("migrate", "notes", "--method", NEW, "--as", "production", "--plan").output
    assert "to be learnt" in plan
    told = ("migrate", "notes", "--method", NEW, "--as", "production", "--no-adapter")
    refused = run(*told)
    assert isinstance(refused.exception, RefusedError)
    assert "FAILS" in refused.output
    dry = run("promote", "notes@2", "--as", "production", "--dry-run")
    assert (dry.exit_code, "FAILS" in dry.output) == (1, True)
    moved = run("promote", "notes@2", "--as", "production", "--override", "tonight", "--json")
    assert json.loads(moved.output)[0]["moved"] is True
    history = run("history", "notes").output
    for line in ("refuse", "override of heating: tonight", "heating: accuracy on kind"):
        assert line in history
    events = json.loads(run("history", "notes", "--as", "production", "--json").output)
    assert [event["action"] for event in events] == ["promote", "refuse", "promote"]
    assert run("rollback", "notes", "--as", "production", "--note", "late").exit_code == 0
    assert isinstance(run("rollback", "notes", "production").exception, SpaceportError)
    assert isinstance(run("rollback", "notes").exception, SpaceportError)
