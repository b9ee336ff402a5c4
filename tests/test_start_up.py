"""What is imported when, looked at in fresh processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    *("torch", "ray", "litestar", "umap", "plotly", "matplotlib", "lance", "faiss"),
    *("numba", "sklearn", "scipy", "sqlalchemy", "alembic", "pyarrow"),
}


def loaded(code: str) -> set[str]:
    script = (
        f"{code}\nimport sys\nprint(' '.join(sorted(m.partition('.')[0] for m in sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import spaceport", "import spaceport.cli.main"])
def test_nothing_heavy_is_imported_early(code: str) -> None:
    assert loaded(code) & {*HEAVY, "numpy"} == set()


def test_the_check_sees_a_heavy_import() -> None:
    assert "numpy" in loaded("import spaceport, spaceport.arrays")


def test_a_family_imports_only_the_method_asked_for() -> None:
    here = loaded("import spaceport as sp\nsp.encoders.hashing(dimension=8)")
    assert here & {"numba", "sklearn", "faiss", "lance", "umap", "torch"} == set()


@pytest.mark.parametrize("missing", ["umap", "plotly", "matplotlib", "psycopg"])
def test_works_without_the_extras(missing: str, tmp_path) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
import spaceport as sp
store = sp.open({str(tmp_path)!r})
store.publish("colors", ["red", "green", "blue"], [[1, 0], [0, 1], [1, 1]])
assert store["colors"].nearest("red", k=1).ids == ["blue"]
"""
    assert "spaceport" in loaded(code)
