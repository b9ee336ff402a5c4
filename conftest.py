"""What the tests need to know of the whole project: which modules cannot be imported here, and why."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "src"
OPTIONAL = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


def _imported_at_once(path: Path) -> set[str]:
    """The modules that a file imports as soon as it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _out_of_reach(missing: set[str]) -> set[Path]:
    """The files of the package that need one of `missing`, themselves or through one another."""
    files = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in SOURCE.rglob("*.py")
    }
    imports = {name: _imported_at_once(path) for name, path in files.items()}
    lost = {
        name
        for name, needed in imports.items()
        if {need.partition(".")[0] for need in needed} & missing
    }
    while more := {name for name, needed in imports.items() if needed & lost} - lost:
        lost |= more
    return {files[name] for name in lost}


MISSING = {name for name in OPTIONAL if find_spec(name) is None}
UNREACHABLE = _out_of_reach(MISSING) if MISSING else set()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the examples of modules that cannot be imported here."""
    return True if collection_path in UNREACHABLE else None


def pytest_report_header() -> list[str]:
    """Say what is left out."""
    if not MISSING:
        return []
    told = ", ".join(sorted(MISSING))
    return [f"not installed: {told}; the examples of {len(UNREACHABLE)} modules are left out"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again where it is read."""
    for line in pytest_report_header():
        terminalreporter.write_line(line, yellow=True)
