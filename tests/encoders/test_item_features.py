"""What is told of items as a matrix: each rule against figures worked out beside it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders._item_features import ItemFeatures
from spaceport.errors import InputError, NotFoundError

MOVIES = pa.table(
    {
        "item": ["1", "2", "3", "4"],
        "title": ["The Sea", "The Sea Again", "Hill, a story", "the hill"],
        "genres": ["Drama|Comedy", "Drama", "Comedy | Horror", None],
        "year": [1990, 1991, 2000, None],
        "color": [True, True, False, True],
    }
)


def learnt(names: list[str] | None = None, **kinds: str) -> ItemFeatures:
    return ItemFeatures.learn(MOVIES, names, kinds, 0)


def test_cells_with_separators_are_several_categories() -> None:
    features = learnt(["genres"])
    assert features.labels == ["genres has Comedy", "genres has Drama"]  # Horror stands once
    half = np.sqrt(0.5)
    found = features.of_items(["1", "3", "4", "elsewhere"], MOVIES).toarray()
    np.testing.assert_allclose(found, [[half, half], [1, 0], [0, 0], [0, 0]], rtol=1e-6)


def test_titles_are_bags_of_words_as_scikit_learn_weighs_them() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    titles = [
        f"{a} of the {b} {n}" for n, (a, b) in enumerate([("bay", "sea"), ("top", "hill")] * 60)
    ]
    table = pa.table({"item": list(map(str, range(120))), "title": titles})
    features = ItemFeatures.learn(table, None, {}, 0)
    peer = TfidfVectorizer(min_df=2)
    wanted = peer.fit_transform(titles).toarray()
    order = [peer.vocabulary_[label.removeprefix("title has ")] for label in features.labels]
    found = features.of_items(table["item"].to_pylist(), table).toarray()
    np.testing.assert_allclose(found, wanted[:, order], rtol=1e-5)


def test_numbers_truth_values_and_gaps_by_the_rules_of_tables() -> None:
    features = learnt(["year", "color"])
    assert features.labels == ["year", "year is missing", "color = true", "color is another"]
    found = features.of_items(["1", "2", "3", "4"], MOVIES).toarray()
    assert (np.diff(found[:3, 0]) > 0).all()
    np.testing.assert_array_equal(found[:, 1:], [[0, 1, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


def test_kinds_say_what_a_column_is() -> None:
    assert learnt(["genres"], genres="nothing").labels == []
    assert learnt(["title"], title="text").labels == [
        f"title has {w}" for w in ("the", "hill", "sea")
    ]
    assert learnt(["title"]).facts() == {"title": "constant"}  # few values, each in one item


def test_no_columns_give_an_empty_matrix() -> None:
    assert learnt([]).of_items(["1", "2"], MOVIES).shape == (2, 0)


def test_the_rules_are_plain_data() -> None:
    features = learnt()
    again = ItemFeatures.restore(json.loads(json.dumps(features.told())))
    items = MOVIES["item"].to_pylist()
    difference = again.of_items(items, MOVIES) - features.of_items(items, MOVIES)
    assert again.labels == features.labels
    assert not difference.toarray().any()


def test_what_is_refused() -> None:
    with pytest.raises(
        NotFoundError, match="The items have no column `genre`.\nDid you mean genres"
    ):
        learnt(["genre"])
    with pytest.raises(NotFoundError, match="The items have no column `yeer`"):
        learnt(yeer="category")
    with pytest.raises(InputError, match="`genres` was learnt from text; got numbers"):
        learnt(["genres"]).sparse([{"genres": 3}])
