"""What the package imports, read from its source: for the tests that hold the house."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "spaceport"
ROOT = Path(__file__).resolve().parents[1] / "src" / PACKAGE


@dataclass(frozen=True)
class Import:
    """One import of a module of the project: who, whom, where, and whether only for types."""

    importer: str
    imported: str
    line: int
    typing_only: bool


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the package by its dotted name without the package's own."""
    named = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imports(root: Path = ROOT) -> list[Import]:
    """Every import of the project's modules, those inside functions too."""
    known = modules(root)
    found: list[Import] = []
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typed = {id(n) for block in ast.walk(tree) if _is_typing(block) for n in ast.walk(block)}
        for node in ast.walk(tree):
            found += [
                Import(name, t, node.lineno, id(node) in typed) for t in _targets(node, known)
            ]
    return found


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _targets(node: ast.AST, known: dict[str, Path]) -> list[str]:
    if isinstance(node, ast.Import):
        return [
            alias.name[len(PACKAGE) + 1 :]
            for alias in node.names
            if alias.name.startswith(PACKAGE + ".")
        ]
    if not isinstance(node, ast.ImportFrom):
        return []
    assert node.level == 0, f"relative import in line {node.lineno}: write it whole"
    if node.module != PACKAGE and not (node.module or "").startswith(PACKAGE + "."):
        return []
    base = (node.module or "")[len(PACKAGE) + 1 :]
    joined = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
    return [name if name in known else base for name in joined]
