"""The house: no import of a later layer, no circle, no method that knows its sibling."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from imports import Import, imports, modules

ORDER = [
    "errors",
    "arrays",
    "hashes",
    "safe",
    "methods",
    "progress",
    "threads",
    "tokens",
    "geometry",
    "sources",
    "vocabulary",
    "phrases",
    "networks",
    "encoders",
    "adapters",
    "quality",
    "drift",
    "maps",
    "storage",
    "spaces",
    "monitoring",
    "cli",
    "testing",
]
FAMILIES = ("adapters", "drift", "encoders", "maps", "sources")


def layer(module: str) -> str:
    return module.partition(".")[0]


def wrong_layers(found: list[Import]) -> list[str]:
    """Imports of a later layer; what is imported for types only is counted too."""
    return [
        f"{i.importer}:{i.line} imports {i.imported}"
        for i in found
        if i.importer
        and i.imported
        and ORDER.index(layer(i.importer)) < ORDER.index(layer(i.imported))
    ]


def siblings(found: list[Import]) -> list[str]:
    """Methods of a family that import another method of it."""
    wrong = []
    for i in found:
        family, _, method = i.importer.partition(".")
        other_family, _, other = i.imported.partition(".")
        if family not in FAMILIES or family != other_family or not method or not other:
            continue
        is_method = not other.startswith(
            ("base", "_", "kernels", "formats", "page", "panel", "sketches")
        )
        if is_method and other != method:
            wrong.append(f"{i.importer}:{i.line} imports {i.imported}")
    return wrong


def circle(found: list[Import]) -> list[str] | None:
    """One circle of imports made at run time, if there is any."""
    edges: dict[str, set[str]] = {}
    for i in found:
        if not i.typing_only and i.importer != i.imported:
            edges.setdefault(i.importer, set()).add(i.imported)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def test_every_layer_has_a_place() -> None:
    assert {layer(name) for name in modules() if name} == set(ORDER)


def test_no_import_of_a_later_layer() -> None:
    assert wrong_layers(imports()) == []


def test_no_method_imports_its_sibling() -> None:
    assert siblings(imports()) == []


def test_no_circle() -> None:
    assert circle(imports()) is None


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name in (
        "errors",
        "storage/store",
        "encoders/lsa",
        "encoders/onehot",
        "geometry/a",
        "geometry/b",
    ):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    return tmp_path


def test_saboteur_late_import_of_a_later_layer(house: Path) -> None:
    (house / "errors.py").write_text("def f():\n    from spaceport.storage import store\n")
    assert wrong_layers(imports(house)) == ["errors:2 imports storage.store"]


def test_saboteur_sibling(house: Path) -> None:
    (house / "encoders/lsa.py").write_text("from spaceport.encoders.onehot import OneHot\n")
    assert siblings(imports(house)) == ["encoders.lsa:1 imports encoders.onehot"]


def test_saboteur_circle(house: Path) -> None:
    (house / "geometry/a.py").write_text("import spaceport.geometry.b\n")
    (house / "geometry/b.py").write_text("def f():\n    import spaceport.geometry.a\n")
    assert circle(imports(house)) is not None
