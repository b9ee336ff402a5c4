"""The autoencoder of tables: its losses against constants, its bottleneck against planted answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from encoders.tables import Rows  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.encoders.table_autoencoder import TableAutoencoder  # noqa: E402
from spaceport.errors import CorruptError, InputError, ParameterError  # noqa: E402
from spaceport.networks.cells import AutoencoderTraining, Cells, Shape  # noqa: E402
from spaceport.progress import using  # noqa: E402

SHAPE = Shape(widths=(2, 1), gaps=(True, False), categories=(4, 3))
KINDS = ("gull", "wren", "crow", "tern")


def cells(rows: int = 400, seed: int = 0) -> Cells:
    """A number with gaps, a number, two columns of categories; the code 0 does not come up."""
    rng = np.random.default_rng(seed)
    missing = rng.random(rows) < 0.2
    first = np.where(missing, 0, rng.normal(size=rows))
    numbers = np.stack([first, missing, rng.normal(size=rows)], axis=1).astype(np.float32)
    codes = np.stack([rng.choice(3, rows, p=[0.6, 0.3, 0.1]), rng.choice(2, rows)], axis=1) + 1
    return Cells(numbers, codes.astype(np.int32))


def training(given: Cells, **told: Any) -> AutoencoderTraining:
    plan = {
        "dimension": 3,
        "hidden": 8,
        "swap": 0.3,
        "batch_size": 32,
        "validation": 0.1,
        "seed": 0,
    }
    return AutoencoderTraining(given, SHAPE, **{**plan, **told})


def birds(count: int = 400, noise: float = 0.1, seed: int = 0) -> tuple[list[dict[str, Any]], Any]:
    """Rows of four kinds that no column names: each of six columns tells it but for some noise."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(4, size=count)
    codes = [np.where(rng.random(count) < noise, rng.integers(4, size=count), kind) for _ in "abcd"]
    sizes = rng.normal(size=(2, count)) + np.array([[0, 4, 8, 12], [9, 3, 6, 0]])[:, kind]
    rows = [
        {**{f"c{k}": KINDS[code[i]] for k, code in enumerate(codes)}, "x": sizes[0, i], "y": sizes[1, i]}
        for i in range(count)
    ]  # fmt: skip
    return rows, kind


def told_right(A: np.ndarray, labels: np.ndarray, B: np.ndarray, truth: np.ndarray) -> float:
    """Share of B whose nearest row of A has the right label."""
    nearest = ((B[:, None] - A) ** 2).sum(axis=2).argmin(axis=1)
    return float((labels[nearest] == truth).mean())


def test_telling_every_row_the_same_costs_one() -> None:
    given = cells()
    feed = training(given, validation=0.5)
    rows = feed._kept
    layer = feed.network.back
    with torch.no_grad():
        layer.weight.zero_()
        shares = [np.bincount(given.codes[rows, c], minlength=n) / len(rows) + 1e-9
                  for c, n in enumerate(SHAPE.categories)]  # fmt: skip
        constant = [given.numbers[rows].mean(axis=0), *map(np.log, shares)]
        layer.bias.copy_(torch.from_numpy(np.concatenate(constant).astype(np.float32)))
    feed._held = rows
    with torch.inference_mode():
        figures = feed.held_out()
    assert figures["loss"] == pytest.approx(1, abs=1e-3)
    commonest = np.mean([(given.codes[rows, c] == s.argmax()).mean() for c, s in enumerate(shares)])
    assert figures["categories_right"] == pytest.approx(commonest)


def test_a_columns_loss_is_the_formula() -> None:
    given = cells(rows=64)
    feed = training(given)
    rows = torch.arange(64)
    rng = np.random.default_rng(1)
    told = rng.normal(size=(64, 3)).astype(np.float32)
    logits = [rng.normal(size=(64, n)).astype(np.float32) for n in SHAPE.categories]
    found = feed._columns(rows, torch.from_numpy(told), tuple(map(torch.from_numpy, logits)))
    apart = np.abs(told - given.numbers)
    huber = np.where(apart < 1, apart**2 / 2, apart - 0.5)
    huber[:, 0] *= 1 - given.numbers[:, 1]  # a missing number is not to be told
    wanted = [huber[:, :2].sum() / 64, huber[:, 2].sum() / 64]
    for c, part in enumerate(logits):
        exponents = np.exp(part.astype(float))
        shares = exponents / exponents.sum(axis=1, keepdims=True)
        wanted.append(-np.log(shares[np.arange(64), given.codes[:, c]]).mean())
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4)


def test_cells_are_swapped_as_often_as_told_and_within_their_column() -> None:
    rng = np.random.default_rng(0)
    numbers = np.arange(3000, dtype=np.float32).reshape(1000, 3)
    codes = np.stack([1 + np.arange(1000) % 3, 1 + np.arange(1000) % 2], axis=1).astype(np.int32)
    feed = training(Cells(numbers, codes), swap=0.4)
    batch = torch.from_numpy(rng.permutation(feed._kept)[:512])
    torch_state = torch.random.get_rng_state()
    try:
        torch.manual_seed(0)
        swapped, coded = feed._swapped(batch)
    finally:
        torch.random.set_rng_state(torch_state)
    assert (swapped % 3 == torch.arange(3)).all(), "a value left its column"
    assert set((swapped[:, 2] // 3).int().tolist()) <= set(feed._kept.tolist()), "held-out values"
    wrong = swapped != feed.numbers[batch]
    assert (wrong[:, 0] == wrong[:, 1]).all(), "a number and its indicator are one cell"
    share = wrong[:, 1:].float().mean().item()
    assert abs(share - 0.4) < 4 * math.sqrt(0.24 / 1024)
    unknown = (coded == 0).float().mean().item()
    assert abs(unknown - 0.04) < 4 * math.sqrt(0.04 / 1024)


def test_what_no_column_names_is_told_by_all_of_them() -> None:
    rows, kind = birds()
    encoder = TableAutoencoder(3, 32, epochs=30, batch_size=32, learning_rate=0.01).fit(Rows(rows))
    spoiled = [
        {**row, "c0": KINDS[(k + 1) % 4], "y": None} for row, k in zip(rows, kind, strict=True)
    ]
    A, B = encoder.encode(rows[:200]), encoder.encode(spoiled[200:])
    assert told_right(A, kind[:200], B, kind[200:]) > 0.9
    shuffled = np.random.default_rng(0).permutation(A)  # a saboteur
    assert told_right(shuffled, kind[:200], B, kind[200:]) < 0.5


def test_numbers_on_a_plane_come_back_from_two_dimensions_and_not_from_one() -> None:
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5))
    rows = [dict(zip("abcde", map(float, row), strict=True)) for row in X]

    def missed(dimension: int) -> float:
        encoder = TableAutoencoder(
            dimension, 32, swap=0.0, epochs=15, batch_size=32, learning_rate=0.01
        ).fit(Rows(rows))
        back = encoder.network_.decode(torch.from_numpy(encoder.encode(rows)))[0].detach().numpy()
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        return float(((back - Z) ** 2).mean())

    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    one = 1 - PCA(1).fit(Z).explained_variance_ratio_.sum()
    assert missed(2) < 0.02 < one / 2 < missed(1)


def test_a_category_never_seen_has_a_learnt_vector_of_its_own() -> None:
    rows, _ = birds()
    told = {"dimension": 3, "hidden": 16, "batch_size": 32}
    tables = []
    for epochs in (1, 8):
        encoder = TableAutoencoder(**told, epochs=epochs).fit(Rows(rows))
        tables.append(encoder.state()[0]["network.embeddings.0.weight"])
    assert not np.allclose(tables[0][0], tables[1][0])
    known, emu, other = encoder.encode(
        [rows[0], {**rows[0], "c0": "emu"}, {**rows[0], "c0": "ibis"}]
    )
    np.testing.assert_array_equal(emu, other)
    assert not np.allclose(known, emu)


def test_the_card_has_the_curve_and_the_columns() -> None:
    rows, _ = birds()
    encoder = TableAutoencoder(3, 16, epochs=4).fit(Rows([{**row, "same": 1} for row in rows]))
    facts = encoder.facts()
    assert len(facts["curve"]) == facts["epochs"] == 4
    assert {"loss", "held_out_loss", "categories_right"} <= facts["curve"][0].keys()
    assert facts["curve"][-1]["held_out_loss"] < facts["curve"][0]["held_out_loss"]
    assert facts["columns"]["same"] == "constant"
    assert facts["rows"] == 400


def test_the_label_is_no_input(tmp_path) -> None:
    import spaceport as sp

    rows, _ = birds(100)
    lines = ["kind,size", *(f"{row['c0']},{row['x']}" for row in rows)]
    (tmp_path / "birds.csv").write_text("\n".join(lines))
    source = sp.sources.table(tmp_path / "birds.csv", label="kind")
    assert [*TableAutoencoder(2, 8, epochs=1).fit(source).facts()["columns"]] == ["size"]


def test_a_seed_repeats_to_the_byte_and_another_differs() -> None:
    rows, _ = birds(120)
    one, again, other = (
        TableAutoencoder(3, 8, epochs=2, seed=seed).fit(Rows(rows)).encode(rows)
        for seed in (0, 0, 1)
    )
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_a_fit_that_was_killed_goes_on(tmp_path) -> None:
    rows, _ = birds(200)

    def made() -> TableAutoencoder:
        encoder = TableAutoencoder(3, 8, epochs=6, batch_size=32)
        encoder.checkpoints = tmp_path
        return encoder

    def kill(report: Any) -> None:
        if report.name == "training" and report.done == 20:  # in the fourth epoch of six batches
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), using(kill):
        made().fit(Rows(rows))
    seen: list[float] = []
    with using(lambda report: seen.append(report.done) if report.name == "training" else None):
        second = made().fit(Rows(rows))
    whole = TableAutoencoder(3, 8, epochs=6, batch_size=32).fit(Rows(rows))
    assert seen[1] == 18
    assert second.fingerprint == whole.fingerprint
    other = made().fit(Rows([{**row, "x": row["y"]} for row in rows]))
    assert other.fingerprint != whole.fingerprint


def test_weights_that_do_not_fit_are_refused(tmp_path) -> None:
    rows, _ = birds(60)
    encoder = TableAutoencoder(3, 8, epochs=1).fit(Rows(rows))
    arrays, values = encoder.state()
    del arrays["network.back.bias"]
    with pytest.raises(CorruptError, match="do not fit"):
        TableAutoencoder(3, 8).restore(arrays, values)
    encoder.save(tmp_path)
    assert load(tmp_path).encode(rows).tobytes() == encoder.encode(rows).tobytes()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "swap": ({"swap": 1.0}, r"`swap` must be in \[0, 1\)"),
    "validation": ({"validation": 0.0}, r"`validation` must be a share in \(0, 1\)"),
    "scaling": ({"scaling": "ranks"}, r"no scaling `ranks`\.\nDid you mean rank"),
    "rate": ({"learning_rate": 0.0}, "`learning_rate` must be a number above 0"),
    "kinds": ({"kinds": {"a": "texts"}}, r"no kind of column `texts`.*\nDid you mean text"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_parameters(what: str) -> None:
    told, message = WRONG[what]
    with pytest.raises(ParameterError, match=message):
        TableAutoencoder(**told)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"None of the 1 columns varies.*\n"):
        TableAutoencoder().fit(Rows([{"kind": "a"}, {"kind": "a"}]))
    with pytest.raises(InputError, match="There are 2 rows, of which 2 are held out"):
        TableAutoencoder(validation=0.9).fit(Rows([{"size": 1}, {"size": 2}]))
    with pytest.raises(InputError, match="`c0` was learnt from text; got numbers"):
        TableAutoencoder(2, 8, epochs=1).fit(Rows(birds(40)[0])).encode([{"c0": 3}])
    with pytest.raises(InputError, match="has not learnt anything"):
        TableAutoencoder().encode([{}])


def test_adult_reads_as_well_as_from_main_directions(data) -> None:
    """A logistic probe on 36 dimensions, not worse than on those of `mixed`; the first 8,192 rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import spaceport as sp
    from spaceport.encoders.base import contents

    def read(part: str) -> tuple[Any, np.ndarray]:
        path = data / "adult" / f"adult_{part}.csv.gz"
        batch = next(sp.sources.table(path, label="class", missing=["NA"]).batches())
        return contents(batch), np.array([k.rstrip(".") for k in batch.column("class").to_pylist()])

    (train, y), (test, truth) = read("train"), read("test")

    def score(encoder: Any) -> float:
        encoder.fit(Rows(train))
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        return probe.fit(encoder.encode(train), y).score(encoder.encode(test), truth)

    ours, directions = (
        score(encoder) for encoder in (TableAutoencoder(36, 128, epochs=10), sp.encoders.mixed(36))
    )
    assert ours > directions - 0.01
    assert ours > 0.82
