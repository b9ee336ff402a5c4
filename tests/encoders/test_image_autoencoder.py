"""The network that learns from pictures alone: its loss, what it keeps, and that a kill costs one epoch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from encoders.planted_pictures import Pictures, bars, ppm, spots  # noqa: E402
from spaceport import progress  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.encoders.image_autoencoder import (  # noqa: E402
    ImageAutoencoder,
    _Mates,
    contrastive_loss,
)
from spaceport.errors import InputError, ParameterError  # noqa: E402
from spaceport.networks.training import seeded  # noqa: E402
from spaceport.quality.probe import nearest_neighbor_accuracy  # noqa: E402

FILES, KINDS = bars(300)
ASKED, WANTED = bars(150, seed=1)
SPOTS, PLACES = spots(300)


def contrastive(**params) -> ImageAutoencoder:
    told = {"dimension": 8, "size": 16, "channels": 8, "epochs": 10, "batch_size": 64}
    return ImageAutoencoder(**(told | {"learning_rate": 0.01} | params))


def reconstruction(**params) -> ImageAutoencoder:
    told = {"objective": "reconstruction", "dimension": 4, "augment": 0.0, "batch_size": 32}
    return contrastive(**(told | params))


def right(encoder) -> float:
    told = (encoder.encode(FILES), KINDS, encoder.encode(ASKED), WANTED)
    return nearest_neighbor_accuracy(*told, 1).value


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4], [0, 1, 0, 0, 2]])
def test_the_loss_is_that_of_the_paper_less_the_own_group(temperature, groups) -> None:
    """Equation 1, term by term."""
    z = np.random.default_rng(0).normal(size=(10, 4))
    cosine = (z @ z.T) / np.outer(np.linalg.norm(z, axis=1), np.linalg.norm(z, axis=1))
    terms = []
    for i in range(10):
        pair = (i + 5) % 10
        others = [k for k in range(10) if k == pair or groups[k % 5] != groups[i % 5]]
        below = sum(np.exp(cosine[i, k] / temperature) for k in others)
        terms.append(-np.log(np.exp(cosine[i, pair] / temperature) / below))
    found = contrastive_loss(torch.from_numpy(z), torch.tensor(groups), temperature).item()
    assert found == pytest.approx(np.mean(terms), rel=1e-9)


def test_pairs_are_drawn_evenly_from_the_own_group() -> None:
    groups = ["b", "a", "b", "c", "b", "a"]
    mates = _Mates.of(groups)
    rows = np.repeat(np.arange(6), 3000)
    with seeded(0):
        drawn = mates.drawn(rows)
    assert all(groups[one] == groups[other] for one, other in zip(rows, drawn, strict=True))
    times = np.bincount(drawn[rows == 0], minlength=6)[[0, 2, 4]]
    assert np.abs(times - 1000).max() < 5 * np.sqrt(3000 * 2 / 9)


def test_what_differs_within_groups_does_not_count() -> None:
    """Spots in nine fields, a group each: where in its field a spot is counts less than without groups."""
    places = [f"{round(y) // 3}/{round(x) // 3}" for y, x in PLACES]
    encoder = contrastive(group="track", augment=0.0).fit(Pictures(SPOTS, tracks=places))
    asked, _ = spots(300, seed=0)
    found = encoder.encode(asked)
    apart = 1 - (found @ found.T) / np.outer(*2 * [np.linalg.norm(found, axis=1)])
    same = np.equal.outer(np.array(places), np.array(places)) & ~np.eye(300, dtype=bool)
    alone = contrastive(augment=0.0).fit(Pictures(SPOTS)).encode(asked)
    lonely = 1 - (alone @ alone.T) / np.outer(*2 * [np.linalg.norm(alone, axis=1)])
    assert apart[same].mean() / apart.mean() < 0.7 * lonely[same].mean() / lonely.mean()


def test_planted_shapes_come_together_without_their_labels() -> None:
    encoder = contrastive().fit(Pictures(FILES))
    assert right(encoder) > 0.9
    untrained = contrastive(epochs=1, learning_rate=1e-9).fit(Pictures(FILES))
    assert right(untrained) < right(encoder) - 0.1
    losses = [epoch["held_out_loss"] for epoch in encoder.facts()["curve"]]
    assert min(losses) < 0.9 * losses[0]


def test_the_held_out_views_are_the_same_in_every_epoch() -> None:
    """With a network that does not change, every epoch's held-out loss would be one number."""
    encoder = contrastive(epochs=4, learning_rate=1e-9, patience=4).fit(Pictures(FILES))
    curve = encoder.facts()["curve"]
    training = {round(epoch["loss"], 4) for epoch in curve}
    assert len(training) == 4
    held = [epoch["held_out_loss"] for epoch in curve]
    assert abs(held[3] - held[2]) < 0.2  # only the running means of the normalization still move


def test_a_planted_place_can_be_read_off_the_bottleneck() -> None:
    encoder = reconstruction().fit(Pictures(SPOTS))
    asked, wanted = spots(100, seed=1)
    X, Q = (np.c_[encoder.encode(files), np.ones(len(files))] for files in (SPOTS, asked))

    def explained(places: np.ndarray) -> float:
        weights = np.linalg.lstsq(X, places, rcond=None)[0]
        missed = ((Q @ weights - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum()
        return float(1 - missed)

    assert explained(PLACES) > 0.9
    assert explained(np.random.default_rng(0).permutation(PLACES)) < 0.2  # the saboteur
    best = min(epoch["held_out_loss"] for epoch in encoder.facts()["curve"])
    assert best < 0.2  # the variance is 1


@pytest.mark.parametrize("make", [contrastive, reconstruction])
def test_only_the_way_to_the_bottleneck_is_saved(make, tmp_path) -> None:
    encoder = make(epochs=1).fit(Pictures(FILES))
    encoder.save(tmp_path)
    again = load(tmp_path)
    assert again.fingerprint == encoder.fingerprint
    assert np.array_equal(again.encode(ASKED), encoder.encode(ASKED))
    assert sum(array.size for array in encoder.state()[0].values()) < 40_000


@pytest.mark.parametrize("make", [contrastive, reconstruction])
def test_a_fit_that_was_killed_goes_on_and_ends_the_same(make, tmp_path) -> None:
    class Killed(BaseException):
        pass

    def listen(report) -> None:
        if report.name == "training" and report.done >= 10:
            raise Killed

    source = Pictures(FILES)
    whole, cut, second = make(epochs=3), make(epochs=3), make(epochs=3)
    cut.checkpoints = second.checkpoints = tmp_path
    with progress.using(listen), pytest.raises(Killed):
        cut.fit(source)
    assert list(tmp_path.iterdir())
    assert second.fit(source).fingerprint == whole.fit(source).fingerprint


def test_seeds_repeat_and_differ() -> None:
    one, again, other = (
        contrastive(epochs=1, seed=seed).fit(Pictures(FILES)) for seed in (0, 0, 1)
    )
    assert one.fingerprint == again.fingerprint
    assert np.abs(one.encode(ASKED) - other.encode(ASKED)).max() > 0.01


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"objective": "contrast"}, "There is no objective `contrast`.\nDid you mean contrastive"),
        ({"temperature": 0}, "`temperature` must be a number above 0"),
        ({"size": 4}, "`size` must be at least 8"),
    ],
)
def test_parameters_out_of_range(params, message) -> None:
    with pytest.raises(ParameterError, match=message):
        ImageAutoencoder(**params)


def test_too_few_pictures_are_told() -> None:
    one = ppm(np.zeros((9, 9, 3)))
    with pytest.raises(InputError, match="Nothing can be held out: 1 pictures in 1 classes"):
        contrastive().fit(Pictures([one]))
    with pytest.raises(InputError, match="2 pictures are too few to train on"):
        contrastive().fit(Pictures([one, one]))
    with pytest.raises(InputError, match="Of 10 groups of pictures one is held out"):
        contrastive(group="track").fit(Pictures(FILES, tracks=[row % 10 for row in range(300)]))
