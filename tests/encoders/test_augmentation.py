"""Augmentation: every change within its stated range, each picture in its own way."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from spaceport.encoders import _augmentation as augmentation  # noqa: E402
from spaceport.encoders._augmentation import Augmentation  # noqa: E402
from spaceport.networks.training import seeded  # noqa: E402

CHANGES = (augmentation.moved, augmentation.lit, augmentation.blurred, augmentation.cut)


@pytest.fixture(autouse=True)
def _seed():
    with seeded(0):
        yield


def noise(count: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, 20, 24)


def many(picture: np.ndarray, count: int = 400) -> torch.Tensor:
    """One gray picture many times: (n, 3, height, width)."""
    return torch.tensor(picture, dtype=torch.float32).expand(count, 3, *picture.shape).clone()


def spot(width: float, height: float) -> np.ndarray:
    rows, columns = np.mgrid[0:48, 0:48] - 23.5
    return np.exp(-((columns / width) ** 2) - (rows / height) ** 2)


def centers(pictures: torch.Tensor) -> np.ndarray:
    """The center of light of each picture less the middle, (n, 2): x, y."""
    light = pictures[:, 0].double().numpy()
    rows, columns = np.mgrid[0 : light.shape[1], 0 : light.shape[2]]
    total = light.sum(axis=(1, 2))
    x = (light * columns).sum(axis=(1, 2)) / total - (light.shape[2] - 1) / 2
    y = (light * rows).sum(axis=(1, 2)) / total - (light.shape[1] - 1) / 2
    return np.stack([x, y], axis=1)


def angles(pictures: torch.Tensor) -> np.ndarray:
    """How far the long axis of the light is turned, in degrees."""
    light = pictures[:, 0].double().numpy()
    rows, columns = np.mgrid[0 : light.shape[1], 0 : light.shape[2]]
    found = []
    for one in light:
        x, y = columns - np.average(columns, weights=one), rows - np.average(rows, weights=one)
        xx, yy, xy = (np.average(v, weights=one) for v in (x * x, y * y, x * y))
        found.append(math.degrees(0.5 * math.atan2(2 * xy, xx - yy)))
    return np.array(found)


@pytest.mark.parametrize("change", [*CHANGES, lambda x, s: Augmentation(s, flip=True)(x)])
@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_pictures_stay_pictures_and_are_changed_each_in_its_own_way(change, strength) -> None:
    one = noise(1).expand(64, 3, 20, 24)
    found = change(one, strength)
    assert found.shape == one.shape
    assert found.dtype == torch.float32
    assert 0 <= found.min() <= found.max() <= 1
    assert len(torch.unique(found.flatten(1), dim=0)) > 5


@pytest.mark.parametrize("change", CHANGES)
def test_no_strength_no_change(change) -> None:
    given = noise()
    assert torch.allclose(change(given, 0.0), given, atol=2e-4)
    assert torch.equal(Augmentation(0.0)(given), given)


def test_the_seed_decides() -> None:
    given = noise()
    with seeded(1):
        one = Augmentation(1.0)(given)
    with seeded(1):
        again = Augmentation(1.0)(given)
    assert torch.equal(one, again)
    assert not torch.equal(one, Augmentation(1.0)(given))


def test_shifts_are_up_to_an_eighth_of_the_side_both_ways() -> None:
    found = centers(augmentation.moved(many(spot(3, 3)), 1.0))
    reach = 48 / 8 * 2**0.4 * 1.1  # shifted, then scaled, stretched and sheared
    assert np.abs(found).max() < reach
    assert np.abs(found).max() > 0.7 * 48 / 8
    spread = 48 / 4 / math.sqrt(12)
    assert np.abs(found.mean(axis=0)).max() < 5 * spread / math.sqrt(len(found))
    assert np.allclose(found.std(axis=0), spread, rtol=0.25)


def test_turns_are_up_to_fifteen_degrees_and_some_shear() -> None:
    found = angles(augmentation.moved(many(spot(9, 2.5)), 1.0))
    assert np.abs(found).max() < 15 + 2 * math.degrees(0.1)
    assert 15 / math.sqrt(3) * 0.8 < found.std() < 15 / math.sqrt(3) * 1.3
    assert abs(found.mean()) < 5 * found.std() / math.sqrt(len(found))


def test_light_keeps_the_order_of_the_levels() -> None:
    ramp = many(np.tile(np.linspace(0, 1, 24), (20, 1)))
    found = augmentation.lit(ramp, 1.0)
    assert (found.diff(dim=3) >= -1e-6).all()
    assert found.mean(dim=(1, 2, 3)).std() > 0.05
    assert (found[:, 0] - found[:, 2]).abs().amax(dim=(1, 2)).median() > 0.02  # tinted


def test_a_blur_softens_half_of_the_pictures_and_keeps_their_light() -> None:
    given = noise(400)
    found = augmentation.blurred(given, 1.0)
    softer = found.std(dim=(1, 2, 3)) / given.std(dim=(1, 2, 3))
    assert softer.max() < 1 + 1e-5
    assert abs(float((softer < 0.999).float().mean()) - 0.5) < 5 * 0.5 / math.sqrt(400)
    assert (found.mean(dim=(1, 2, 3)) - given.mean(dim=(1, 2, 3))).abs().max() < 0.02


def test_half_of_the_pictures_lose_a_rectangle_of_the_stated_size() -> None:
    given = many(np.full((40, 40), 2.0))  # no color is 2
    gone = (augmentation.cut(given, 1.0) != 2)[:, 0].numpy()
    cut = gone.any(axis=(1, 2))
    assert abs(cut.mean() - 0.5) < 5 * 0.5 / math.sqrt(400)
    heights, widths = gone.any(axis=2).sum(axis=1)[cut], gone.any(axis=1).sum(axis=1)[cut]
    assert np.array_equal(heights * widths, gone.sum(axis=(1, 2))[cut])
    for side in (heights, widths):
        assert side.min() >= 3
        assert side.max() <= 17
        assert side.max() - side.min() > 8


def test_left_and_right_are_exchanged_only_where_that_is_asked_for() -> None:
    left = np.zeros((20, 20))
    left[:, :6] = 1
    given = many(left)
    assert (centers(Augmentation(0.5)(given) + 1e-3)[:, 0] < 0).all()
    found = Augmentation(0.0, flip=True)(given)
    mirrored = (found == given.flip(3)).all(dim=3).all(dim=2).all(dim=1)
    assert ((found == given).all(dim=3).all(dim=2).all(dim=1) != mirrored).all()
    assert abs(float(mirrored.float().mean()) - 0.5) < 5 * 0.5 / math.sqrt(400)
