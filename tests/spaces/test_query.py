"""A search may ask with a row of a table, with a file, or with what makes neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import InputError, NotFoundError


@pytest.fixture
def birds(tmp_path: Path) -> sp.Version:
    """Gulls are large and grey, wrens small and brown."""
    rng = np.random.default_rng(0)
    lines = ["id,kind,size,color"]
    for row in range(60):
        gull = row % 2 == 0
        size = rng.normal(50 if gull else 10, 1)
        lines.append(
            f"b{row},{'gull' if gull else 'wren'},{size:.2f},{'grey' if gull else 'brown'}"
        )
    (tmp_path / "birds.csv").write_text("\n".join(lines) + "\n")
    source = sp.sources.table(tmp_path / "birds.csv", id="id", label="kind")
    store = sp.open(tmp_path / "store")
    return store.build("birds", sp.encoders.mixed(dimension=2), source, metric="euclidean")


@pytest.fixture
def squares(tmp_path: Path) -> sp.Version:
    """Pictures of a bright square in one of four corners."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row in range(24):
        picture = np.random.default_rng(row).integers(0, 40, (12, 12, 3), dtype=np.uint8)
        top, left = 6 * (row % 4 // 2), 6 * (row % 2)
        picture[top : top + 6, left : left + 6] += 200
        (folder / f"{row % 4}_{row:02}.ppm").write_bytes(b"P6 12 12 255\n" + picture.tobytes())
    source = sp.sources.images(folder)
    return sp.open(tmp_path / "store").build("squares", sp.encoders.pixels(dimension=4), source)


def test_a_row_asks_as_a_mapping_or_as_json(birds: sp.Version) -> None:
    found = birds.nearest({"size": 10.5, "color": "brown"}, k=5)
    assert set(found.columns.column("kind").to_pylist()) == {"wren"}
    assert birds.nearest('{"size": 10.5, "color": "brown"}', k=5).ids == found.ids
    assert birds.nearest("b0", k=1).columns.column("kind").to_pylist() == ["gull"]


def test_rows_of_a_table_are_kept_beside_the_vectors(birds: sp.Version) -> None:
    assert birds.columns == ["size", "color", "kind"]
    assert birds.record.notes["content"] == ["size", "color"]


def test_a_file_asks_by_its_path_or_its_bytes(squares: sp.Version, tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "2_06.ppm"
    by_path = squares.nearest(path, k=3)
    assert by_path.ids[0] == "2_06.ppm"
    assert {name[0] for name in by_path.ids} == {"2"}
    assert squares.nearest(path.read_bytes(), k=3).ids == by_path.ids
    assert squares.nearest(str(path), k=3).ids == by_path.ids
    assert np.array_equal(squares.encode([path]), squares.encode([path.read_bytes()]))


def test_what_names_nothing_is_two_lines(birds: sp.Version, squares: sp.Version) -> None:
    with pytest.raises(NotFoundError, match="no id 'nowhere.ppm'"):
        squares.nearest("nowhere.ppm")
    with pytest.raises(InputError, match="cannot be read"):
        squares.nearest(Path("nowhere.ppm"))
    with pytest.raises(InputError, match="no JSON object"):
        birds.nearest('{"size": }')
    with pytest.raises(NotFoundError, match="no id 'wren'"):
        birds.nearest("wren")
