"""Histograms of oriented gradients: what they must see, and what they must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders.hog import HOG
from spaceport.errors import ParameterError
from spaceport.sources.base import Source


def ppm(picture: np.ndarray) -> bytes:
    height, width, _ = picture.shape
    return f"P6 {width} {height} 255\n".encode() + picture.clip(0, 255).astype(np.uint8).tobytes()


class Pictures(Source):
    modality, unique_ids = "images", True

    def __init__(self, files: list[bytes]) -> None:
        self.files = files

    def read(self):
        ids = pa.array([str(row) for row in range(len(self.files))])
        yield pa.record_batch({"id": ids, "content": pa.array(self.files, pa.binary())})

    def size(self) -> int:
        return sum(map(len, self.files))


def stripes(angle: float, phase: float = 0.0, size: int = 32) -> np.ndarray:
    """Waves of period 8 whose gradient points to `angle` degrees (down the rows is 90)."""
    rows, columns = np.mgrid[0:size, 0:size]
    along = columns * np.cos(np.radians(angle)) + rows * np.sin(np.radians(angle))
    wave = 128 + 90 * np.sin(2 * np.pi * along / 8 + phase)
    return np.repeat(wave[..., None], 3, axis=2)


@pytest.mark.parametrize("angle", [10, 50, 90, 130, 170])
def test_the_gradients_angle_falls_into_its_own_bin(angle: int) -> None:
    """Nine bins of 20°; each cell's histogram is an axis of its own in the features."""
    features = HOG().features([ppm(stripes(angle))]).reshape(-1, 9)
    assert features.mean(axis=0).argmax() == angle // 20


def test_the_features_have_the_stated_number_and_length() -> None:
    features = HOG(size=32, cell=4).features([ppm(stripes(30))])
    assert features.shape == (1, 7 * 7 * 2 * 2 * 9)
    assert features.dtype == np.float32
    blocks = np.linalg.norm(features.reshape(-1, 36), axis=1)
    assert np.allclose(blocks, 1, atol=0.01)
    assert HOG(size=(24, 32), cell=8, orientations=6).features([ppm(stripes(0))]).shape == (
        1,
        3 * 2 * 24,
    )


def test_a_flat_picture_has_no_edges() -> None:
    assert not HOG().features([ppm(np.full((32, 32, 3), 77))]).any()


def test_light_and_contrast_hardly_count_but_the_angle_does() -> None:
    plain, turned = stripes(30), stripes(75)
    dimmed = 0.5 * plain + 40
    files = [ppm(picture) for picture in (plain, dimmed, turned)]
    one, same, other = HOG().features(files)
    assert np.linalg.norm(one - same) < 0.25 * np.linalg.norm(one - other)
    raw = [picture.ravel() for picture in (plain, dimmed)]
    assert np.linalg.norm(raw[0] - raw[1]) > 0.3 * np.linalg.norm(raw[0] - raw[0].mean())


@pytest.mark.parametrize("green", [200 * 0.299 / 0.587, 200])
def test_an_edge_between_colors_of_equal_light_is_seen(green: float) -> None:
    """Red beside green of the same luminance, of the same mean: lost in gray, not in the channels."""
    picture = np.zeros((32, 32, 3))
    picture[:, :16, 0] = 200
    picture[:, 16:, 1] = green
    middle = HOG().features([ppm(picture)]).reshape(7, 7, 36)[:, 3]
    assert np.linalg.norm(middle, axis=1).min() > 0.9


def test_planted_angles_are_neighbors_wherever_the_stripes_lie() -> None:
    rng = np.random.default_rng(0)
    angles = np.repeat([0, 36, 72, 108, 144], 12)
    pictures = [stripes(a, rng.uniform(0, 6)) + rng.normal(size=(32, 32, 3)) * 15 for a in angles]
    files = [ppm(picture) for picture in pictures]
    found = HOG(dimension=4).fit(Pictures(files)).encode(files)

    def right(vectors: np.ndarray) -> float:
        apart = np.linalg.norm(vectors[:, None] - vectors, axis=2)
        np.fill_diagonal(apart, np.inf)
        return float((angles[apart.argmin(axis=1)] == angles).mean())

    assert right(found) == 1
    assert right(np.random.default_rng(0).permutation(found)) < 0.5  # the saboteur


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 7}, "`size` must hold 2 x 2 cells of 4 pixels. Got 7"),
        ({"size": (32, 7)}, "must hold 2 x 2 cells"),
        ({"orientations": 1}, "`orientations` must be an int"),
        ({"cell": 0}, "`cell` must be an int"),
        ({"whitening": -0.1}, r"`whitening` must be in \[0, 1\]"),
    ],
)
def test_parameters_out_of_range(params: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        HOG(**params)
