"""Two towers: parts against plain arithmetic, cold items and rankings against planted answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from scipy.sparse import csr_array  # noqa: E402
from scipy.special import ndtr  # noqa: E402

from encoders.planted import Histories, tastes  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.encoders.two_tower import TwoTower  # noqa: E402
from spaceport.errors import CorruptError, InputError, NotFoundError, ParameterError  # noqa: E402
from spaceport.networks.towers import TowerTraining, _product, _shares  # noqa: E402
from spaceport.progress import using  # noqa: E402

ITEMS, COLD = 60, 10
QUICK: dict[str, Any] = {"dimension": 8, "hidden": 16, "epochs": 25, "batch_size": 16}


class Described(Histories):
    """Planted tastes, and a table that says of each item which taste it is of."""

    def __init__(self, matrix: Any = None, telling: bool = True) -> None:
        super().__init__(tastes(items=ITEMS) if matrix is None else matrix)
        self.telling = telling

    def item_features(self) -> pa.Table:
        """`ITEMS` known items and `COLD` more, which stand in no history."""
        kinds = [("even|all", "odd|all")[item % 2] for item in range(ITEMS + COLD)]
        told = kinds if self.telling else ["all|all"] * len(kinds)
        return pa.table({"item": [f"i{item}" for item in range(len(kinds))], "kind": told})


@pytest.fixture(scope="module")
def encoder() -> TwoTower:
    return TwoTower(**QUICK).fit(Described())


def share_of_own_taste(encoder: TwoTower, among: range) -> float:
    """How many of each user's best items of `among` are of the user's taste; 1/2 by chance."""
    places = np.array([encoder.items_.index(f"i{item}") for item in among])
    scores = encoder.user_vectors_ @ encoder.item_vectors_[places].T
    best = np.argsort(-scores, axis=1)[:, : len(among) // 2]
    users = np.array([int(user[1:]) for user in encoder.users_])
    return float((np.array(among)[best] % 2 == users[:, None] % 2).mean())


def test_known_items_of_the_own_taste_come_first(encoder: TwoTower) -> None:
    assert share_of_own_taste(encoder, range(ITEMS)) > 0.9


def test_items_that_nobody_has_are_ranked_by_their_features(encoder: TwoTower) -> None:
    cold = range(ITEMS, ITEMS + COLD)
    assert share_of_own_taste(encoder, cold) > 0.9
    blind = TwoTower(**QUICK).fit(Described(telling=False))  # a saboteur: features that say nothing
    assert share_of_own_taste(blind, range(ITEMS)) > 0.9
    assert 0.3 < share_of_own_taste(blind, cold) < 0.7


def test_cold_items_are_entities_and_are_found(encoder: TwoTower) -> None:
    ids, vectors = encoder.entities()
    columns = encoder.entity_columns()
    place = ids.index("item:i63")
    assert len(ids) == len(vectors) == 120 + ITEMS + COLD
    assert columns["kind"][place] == "item"
    assert columns["events"][place] == 0
    near, cosines = encoder.similar("i63", k=12)
    assert sum(int(item[1:]) % 2 for item in near) >= 11
    assert (np.diff(cosines) <= 0).all()
    everything, _ = encoder.recommend("u3", k=1000)
    assert "i63" in everything
    assert encoder.explain("u3", "i63", k=3)[0][1] >= encoder.explain("u3", "i63", k=3)[2][1]


def test_items_that_are_not_in_the_table_get_vectors_from_their_features(encoder: TwoTower) -> None:
    vectors = encoder.encode_items([{"kind": "even|all"}, {"kind": "odd|all"}, {"kind": None}])
    cold = encoder.item_vectors_[[encoder.items_.index(item) for item in ("i62", "i63")]]
    np.testing.assert_allclose(vectors[:2], cold, rtol=1e-4, atol=1e-5)
    assert vectors.shape == (3, 8)
    table = pa.array([{"kind": "odd|all"}])
    np.testing.assert_allclose(encoder.encode_items(table), vectors[1:2], rtol=1e-4)
    with pytest.raises(InputError, match="Row 0 has none of the columns"):
        encoder.encode_items([{"genre": "odd"}])


def test_a_history_is_folded_in_as_the_formula_says() -> None:
    encoder = TwoTower(**{**QUICK, "epochs": 2}, layers=1).fit(Described())
    history = {"i1": 2.0, "i5": 4.0, "i63": 1.0}
    rows = [encoder.items_.index(item) for item in history]
    inputs = encoder.network_.inputs(encoder._described).detach().numpy().astype(float)
    weights = {k: v.astype(float) for k, v in encoder.state()[0].items() if "user." in k}
    x = inputs[rows].mean(axis=0)
    a, b = (weights[f"network.user.bent.{k}.weight"] for k in (0, 2))
    inner = a @ x + weights["network.user.bent.0.bias"]
    wanted = (
        weights["network.user.straight.weight"] @ x
        + b @ (inner * ndtr(inner))
        + weights["network.user.straight.bias"]
    )
    given = encoder.encode([[{"item": item, "value": value} for item, value in history.items()]])
    np.testing.assert_allclose(given[0], wanted, rtol=1e-4, atol=1e-5)
    assert not encoder.encode([[]]).any()


def test_values_count_where_they_are_to() -> None:
    matrix = csr_array(np.array([[1, 3, 0], [0, 0, 0], [2, 2, 4]], np.float32))
    shares = [[0.25, 0.75, 0], [0, 0, 0], [0.25, 0.25, 0.5]]
    np.testing.assert_allclose(_shares(matrix).toarray(), shares)
    rows = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    np.testing.assert_allclose(_product(matrix, rows), matrix @ rows.numpy())
    one, other = ({"i1": 5.0, "i2": 1.0}, {"i1": 1.0, "i2": 5.0})
    for weighting, same in (("binary", True), ("value", False)):
        encoder = TwoTower(4, 8, epochs=1, weighting=weighting).fit(Described())
        vectors = encoder.encode(
            [[{"item": i, "value": v} for i, v in h.items()] for h in (one, other)]
        )
        assert np.allclose(*vectors) == same


@pytest.mark.parametrize("extra", [0.0, 1.0])
def test_a_batch_loses_what_the_formula_says(extra: float) -> None:
    """With no others, the batch's own items are the candidates; with all, all known items are."""
    matrix = tastes(users=12, items=40, each=5)
    features = csr_array((40, 0), dtype=np.float32)
    feed = TowerTraining(matrix, features, 8, 4, 1, 0.0, 1000, 12, 0.1, 0)
    feed._extra, batch = extra, feed._users
    torch_state = torch.random.get_rng_state()
    try:
        torch.manual_seed(1)
        found = feed.loss(batch).item()
        torch.manual_seed(1)
        given = torch.rand(feed._train[batch].nnz).numpy() < 0.5
    finally:
        torch.random.set_rng_state(torch_state)
    train = feed._train[batch].toarray()
    rows, columns = feed._train[batch].nonzero()
    half = np.zeros_like(train)
    half[rows[given], columns[given]] = train[rows[given], columns[given]]
    with torch.no_grad():
        inputs = feed.network.inputs(features)
        means = torch.from_numpy(half / np.maximum(half.sum(axis=1, keepdims=True), 1e-12))
        scores = (feed.network.user(means @ inputs) @ feed.network.item(inputs).T).numpy()
    missed = (1 - feed._popular) ** (~given).sum() * (1 - extra)
    scores = scores.astype(float) - np.log(np.maximum(1 - missed, 1e-12))
    candidates = feed.known if extra else np.isin(np.arange(40), columns[~given])
    scores = np.where(candidates & (half == 0), scores, -np.inf)
    told = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    losses = np.array([-told[r, c] for r, c in zip(rows[~given], columns[~given], strict=True)])
    counts = np.bincount(rows[~given], minlength=12)[rows[~given]]
    assert found == pytest.approx((losses * counts**-0.5).sum() / (counts**-0.5).sum(), rel=1e-4)


def test_the_chance_of_being_a_candidate_is_how_often_it_happens() -> None:
    matrix = tastes(users=60, items=30)
    feed = TowerTraining(matrix, csr_array((30, 0), dtype=np.float32), 8, 4, 1, 0.0, 6, 16, 0.1, 0)
    rng = np.random.default_rng(0)
    times = np.zeros(30)
    torch_state = torch.random.get_rng_state()
    try:
        torch.manual_seed(0)
        for _ in range(4000):
            wanted = rng.choice(30, 12, p=feed._popular)
            times[feed._candidates(wanted)] += 1
    finally:
        torch.random.set_rng_state(torch_state)
    chances = np.exp(feed._log_chances(np.arange(30), 12).numpy())
    apart = np.abs(times / 4000 - chances) / np.sqrt(chances * (1 - chances) / 4000 + 1e-9)
    assert apart.max() < 4.5


def test_what_is_held_out_is_learnt_from_by_nobody() -> None:
    matrix = tastes()
    feed = TowerTraining(matrix, csr_array((60, 0), dtype=np.float32), 8, 4, 1, 0.0, 6, 16, 0.1, 0)
    users, items = feed._judged
    assert len(users) == round(0.1 * matrix.nnz)
    assert not feed._train.toarray()[users, items].any()
    assert matrix.toarray()[users, items].all()
    assert feed._train.nnz + len(users) == matrix.nnz


def test_without_a_table_the_ids_alone_are_learnt() -> None:
    encoder = TwoTower(**QUICK).fit(Histories(tastes()))
    assert len(encoder.items_) == ITEMS
    assert share_of_own_taste(encoder, range(ITEMS)) > 0.9
    with pytest.raises(InputError, match=r"learnt without features of items.\nGive the source"):
        encoder.encode_items([{"kind": "odd"}])
    bare = TwoTower(4, 8, features=[], epochs=1).fit(Described())
    assert not bare._features.labels


def test_an_item_that_is_only_held_out_has_no_vector_of_its_id() -> None:
    encoder = TwoTower(4, 8, epochs=1, validation=0.5).fit(Described())
    ids = encoder.state()[0]["network.ids"]
    cold = [encoder.items_.index(f"i{item}") for item in range(ITEMS, ITEMS + COLD)]
    assert not ids[cold].any()
    assert ids.any(axis=1).sum() > ITEMS // 2


def test_the_card_has_the_curve_and_the_features(encoder: TwoTower) -> None:
    facts = encoder.facts()
    assert len(facts["curve"]) == facts["epochs"]
    assert {"loss", "held_out_loss", "among_ten"} <= facts["curve"][0].keys()
    assert min(e["held_out_loss"] for e in facts["curve"]) < facts["curve"][0]["held_out_loss"]
    assert facts["items without a history"] == COLD
    assert facts["features"] == {"kind": "bag (3)"}
    assert (facts["users"], facts["items"]) == (120, ITEMS + COLD)


def test_saved_and_loaded_it_does_the_same(encoder: TwoTower, tmp_path) -> None:
    encoder.save(tmp_path)
    loaded = load(tmp_path)
    assert isinstance(loaded, TwoTower)
    assert loaded.recommend("u5")[0] == encoder.recommend("u5")[0]
    assert loaded.recommend(["i1", "i63"])[0] == encoder.recommend(["i1", "i63"])[0]
    rows = [{"kind": "odd|all"}]
    assert loaded.encode_items(rows).tobytes() == encoder.encode_items(rows).tobytes()
    arrays, values = encoder.state()
    del arrays["network.features"]
    with pytest.raises(CorruptError, match="do not fit"):
        TwoTower(**QUICK).restore(arrays, values)


def test_a_seed_repeats_to_the_byte_and_another_differs() -> None:
    told = {**QUICK, "epochs": 3}
    one, again, other = (
        TwoTower(**told, seed=seed).fit(Described()).item_vectors_.tobytes() for seed in (0, 0, 1)
    )
    assert one == again != other


def test_a_fit_that_was_killed_goes_on(tmp_path) -> None:
    def made() -> TwoTower:
        encoder = TwoTower(**{**QUICK, "epochs": 6})
        encoder.checkpoints = tmp_path
        return encoder

    def kill(report: Any) -> None:
        if report.name == "training" and report.done == 20:  # in the third epoch of eight batches
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), using(kill):
        made().fit(Described())
    seen: list[float] = []
    with using(lambda report: seen.append(report.done) if report.name == "training" else None):
        second = made().fit(Described())
    assert seen[1] == 16
    whole = TwoTower(**{**QUICK, "epochs": 6}).fit(Described())
    assert second.fingerprint == whole.fingerprint


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "id_dropout": ({"id_dropout": 1.0}, r"`id_dropout` must be in \[0, 1\)"),
    "validation": ({"validation": 1.0}, r"`validation` must be a share in \(0, 1\)"),
    "features": ({"features": "genres"}, r"`features` is one string.\nGive a list"),
    "weighting": ({"weighting": "values"}, r"no weighting `values`.\nDid you mean value"),
    "kinds": ({"kinds": {"a": "texts"}}, r"no kind of column `texts`"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_parameters(what: str) -> None:
    told, message = WRONG[what]
    with pytest.raises(ParameterError, match=message):
        TwoTower(**told)


def test_what_is_refused() -> None:
    with pytest.raises(NotFoundError, match="The items have no column `kinds`.\nDid you mean kind"):
        TwoTower(features=["kinds"]).fit(Described())
    with pytest.raises(InputError, match="There are 1 entries, of which 1 are held out"):
        TwoTower().fit(Histories(csr_array(np.eye(1, 3, dtype=np.float32))))
    with pytest.raises(InputError, match="has not learnt anything yet"):
        TwoTower().encode_items([{}])


def test_a_published_space_is_asked_for_items_that_nobody_rated(tmp_path) -> None:
    import spaceport as sp

    (tmp_path / "plays.csv").write_text(
        "user,item\n" + "\n".join(f"u{u},i{i}" for u, i in zip(*tastes().nonzero(), strict=True))
    )
    lines = [f"i{i},Item {i},{('even|all', 'odd|all')[i % 2]}" for i in range(ITEMS + COLD)]
    (tmp_path / "items.csv").write_text("item,title,kind\n" + "\n".join(lines))
    source = sp.sources.interactions(tmp_path / "plays.csv", titles_from=tmp_path / "items.csv")
    store = sp.open(tmp_path / "store")
    version = store.build("plays", TwoTower(**QUICK, features=["kind"]), source)
    near = version.nearest("item:i63", k=3)
    assert len(near.ids) == 3
    assert version.similar("Item 63", 5).titles[0].startswith("Item")
    assert len(version.recommend(["Item 1", "Item 3"], 5)) == 5
