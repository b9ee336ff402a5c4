"""New items on an old map: planted answers, and why the place alone tells nothing of what is new."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from spaceport.drift._conformal import conformal
from spaceport.errors import InputError
from spaceport.geometry.neighbors import nearest
from spaceport.maps.page.placing import place

MAP = np.array([[0, 0], [4, 0], [0, 4], [9, 9]], np.float32)


def cost(place: np.ndarray, weights: np.ndarray, corners: np.ndarray) -> float:
    return float((weights * np.linalg.norm(corners - place, axis=1)).sum())


def test_it_is_the_weighted_median_that_scipy_finds() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        corners = rng.normal(size=(9, 2)) * 5
        near = -np.sort(rng.random(9))
        weights = np.exp(-3 * (near[0] - near) / (near[0] - near[-1]))
        found = place(corners, [range(9)], [near])[0]
        best = min(
            (minimize(cost, start, (weights, corners), "Nelder-Mead") for start in corners),
            key=lambda each: each.fun,
        )
        assert cost(found, weights, corners) == pytest.approx(best.fun, rel=2e-3)


def test_neighbors_elsewhere_do_not_draw_it_into_the_void() -> None:
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [100, 100], [101, 100]], np.float32)
    found = place(corners, [range(6)], [[0.5] * 6])[0]
    assert np.abs(found - 0.5).max() < 0.6
    assert np.abs(corners.mean(axis=0) - found).max() > 30  # where a mean would put it


def test_a_nearest_one_that_weighs_more_than_all_others_is_the_place() -> None:
    assert place(MAP, [[0, 1]], [[0.9, 0.1]])[0] == pytest.approx([0, 0], abs=1e-4)
    assert place(MAP, [[0, 0, 0]], [[0.9, 0.8, 0.1]]).tolist() == [[0, 0]]


def test_scaling_and_shifting_the_similarities_moves_nothing() -> None:
    near = np.array([[0.9, 0.8, 0.2], [0.5, 0.4, 0.3]])
    indices = [[0, 1, 2], [3, 2, 1]]
    assert place(MAP, indices, near * 7 - 30) == pytest.approx(place(MAP, indices, near), abs=1e-5)


def test_one_neighbor_is_the_place() -> None:
    assert place(MAP, [[3], [1]], [[0.2], [-5.0]]).tolist() == [[9, 9], [4, 0]]


def test_it_lies_within_its_neighbors() -> None:
    rng = np.random.default_rng(0)
    indices = rng.integers(4, size=(200, 3))
    near = -np.sort(rng.random((200, 3)), axis=1)
    found = place(MAP, indices, near)
    corners = MAP[indices]
    assert (found >= corners.min(axis=1) - 1e-5).all()
    assert (found <= corners.max(axis=1) + 1e-5).all()


def test_what_cannot_be_placed() -> None:
    with pytest.raises(InputError, match="must be in"):
        place(MAP, [[4]], [[0.5]])
    with pytest.raises(InputError, match="must be in"):
        place(MAP, [[-1]], [[0.5]])
    with pytest.raises(InputError, match="integers of the shape"):
        place(MAP, [[0, 1]], [[0.5]])


def test_a_held_out_class_lands_on_old_ones_and_is_told_by_its_p_values(data) -> None:  # type: ignore[no-untyped-def]
    """MNIST without the digit 2, by its principal components; the twos are what is new."""
    X, digits = mnist(data)
    old, new = digits != 2, digits == 2
    known, fresh = np.flatnonzero(old)[:2400], np.flatnonzero(old)[2400:2800]
    twos = np.flatnonzero(new)[:200]
    plane = X[known][:, :2]  # any map will do; this one needs no library
    asked = np.concatenate([fresh, twos])
    is_two = np.arange(len(asked)) >= len(fresh)
    indices, similarities = nearest(X[known], X[asked], 10, "euclidean")
    places = place(plane, indices, similarities)

    near = NearestNeighbors(n_neighbors=10).fit(plane)
    gaps = near.kneighbors(places)[0][:, -1]
    by_place = roc_auc_score(is_two, gaps)
    by_color = roc_auc_score(is_two, -conformal(X[known], X[asked], metric="euclidean"))
    # Where it stands says next to nothing; the p-value of the same neighbors does.
    assert by_place < 0.65
    assert by_color > 0.85
    assert gaps[is_two].max() < np.ptp(plane, axis=0).max() / 4  # among the old, not outside


def mnist(data):  # type: ignore[no-untyped-def]
    """Thirty principal components of 4,000 digits."""
    images, labels = (
        np.frombuffer(gzip.decompress((data / "mnist-t10k" / name).read_bytes()), np.uint8)
        for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    )
    pixels, digits = images[16:].reshape(-1, 784)[:4000], labels[8:][:4000]
    centered = pixels.astype(np.float64) - pixels.mean(axis=0)
    _, _, axes = np.linalg.svd(centered, full_matrices=False)
    return centered @ axes[:30].T, digits
