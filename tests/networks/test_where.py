"""The short text that says which values of a network are wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import NotFoundError, ParameterError
from spaceport.networks.where import Where, parse

COUNTS = st.integers(1, 40)
INDICES = st.lists(st.integers(-30, 30), min_size=1, max_size=5, unique=True).map(tuple)
SIDES = st.sampled_from(["", "encoder", "decoder"])
JOINS = st.sampled_from(["mean", "concatenate"])
WHERES = st.one_of(
    st.builds(Where, last=COUNTS, join=JOINS, side=SIDES),
    st.builds(Where, first=COUNTS, join=JOINS, side=SIDES),
    st.builds(Where, layers=INDICES, side=SIDES, join=st.just("mean")),
    st.builds(Where, layers=INDICES.filter(lambda i: len(i) > 1), side=SIDES, join=JOINS),
    st.builds(Where, kind=st.just("table"), side=SIDES),
    st.builds(
        Where, kind=st.just("module"), name=st.sampled_from(["layer4.1.relu", "encoder.b-1"])
    ),
    st.builds(Where, kind=st.just("output"), name=st.just("image_embeds"), side=SIDES),
)


@given(WHERES)
def test_it_round_trips(where: Where) -> None:
    assert parse(str(where)) == where
    assert str(parse("  ".join(str(where).split()))) == str(where)


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("last", (12,)),
        ("first", (1,)),
        ("0", (0,)),
        ("-1", (12,)),
        ("-13", (0,)),
        ("mean of last 4", (9, 10, 11, 12)),
        ("mean of first 2", (1, 2)),
        ("concatenate of last 2", (11, 12)),
        ("mean of 5, 1", (5, 1)),
        ("decoder last", (12,)),
        ("table", ()),
        ("h.3.mlp", ()),
    ],
)
def test_the_layers_that_it_means(text: str, indices: tuple[int, ...]) -> None:
    assert parse(text).indices(12) == indices


@pytest.mark.parametrize(
    "text",
    ["", "mean", "mean of", "mean of 4", "mean of last 0", "concatenate 1", "1, 2", "last 4", "mean of 1, 1",
     "decoder", "decoder layer4.relu", "output", "a..b", "4.5", "layer one", "mean of last -2"],
)  # fmt: skip
def test_what_it_does_not_mean(text: str) -> None:
    with pytest.raises(ParameterError, match="which layers are wanted"):
        parse(text)


@pytest.mark.parametrize("text", ["13", "-14", "mean of last 13", "concatenate 1, 13"])
def test_a_layer_that_is_not_there(text: str) -> None:
    with pytest.raises(NotFoundError, match="the network has 12"):
        parse(text).indices(12)
