"""The docs are true: reference pages are what the code says, each method and command has its place."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from spaceport import methods
from spaceport.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def generator():
    found = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["command_line.md", "python.md"])
def test_the_reference_pages_are_what_the_code_says(page: str) -> None:
    for extra in ("torch", "transformers", "tokenizers", "onnxruntime"):
        pytest.importorskip(extra, reason=f"the pages tell of every method: needs {extra}")
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == generator().pages()[page], "run: .venv/bin/python docs/generate.py"


@pytest.mark.parametrize("family", ["adapters", "drift", "encoders", "maps", "sources"])
def test_every_method_has_its_row(family: str) -> None:
    table = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for name in methods.names(family):
        assert f"| `{name}` |" in table, f"docs/methods.md has no row for {name}"


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


PAGES = ("README.md", "docs/changing_the_model.md")


def typed_commands() -> list[str]:
    found = [
        block
        for page in PAGES
        for language in ("console", "bash")
        for block in blocks(language, (ROOT / page).read_text(encoding="utf-8"))
    ]
    lines = "\n".join(found).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if re.match(r"(\$ )?spaceport ", line)]


def test_the_readme_shows_the_tour() -> None:
    assert len(typed_commands()) >= 8


@pytest.mark.parametrize("line", typed_commands())
def test_every_command_of_the_pages_can_be_typed(line: str) -> None:
    words = shlex.split(line.partition("#")[0])[1:]
    command, name = typer.main.get_command(app), "spaceport"
    while getattr(command, "commands", None) and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in command.commands, f"{line}: there is no command {name}"
        command = command.commands[name]
    if "--help" not in words:
        command.make_context(name, words)


def test_every_python_block_of_the_readme_is_python() -> None:
    assert blocks("python")
    for block in blocks("python"):
        ast.parse(block)


def test_no_number_is_left_to_be_filled_in() -> None:
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        assert not re.search(
            r"\b[A-Z0-9]+_HOW\b|\bTODO\b|\bXXX\b|\bTBD\b", page.read_text(encoding="utf-8")
        ), page


def test_links_within_the_project_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
