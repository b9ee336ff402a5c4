"""Pixels: sizes, color spaces, contrast and PCA, against Pillow, scikit-image and scikit-learn."""

from __future__ import annotations

import colorsys
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from skimage import color
from sklearn.decomposition import PCA

from spaceport.encoders._pictures import arrays, colored, standardized
from spaceport.encoders.base import load
from spaceport.encoders.pixels import Pixels
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source


def ppm(picture: np.ndarray) -> bytes:
    height, width, _ = picture.shape
    return f"P6 {width} {height} 255\n".encode() + picture.astype(np.uint8).tobytes()


class Pictures(Source):
    """Files from memory."""

    modality, unique_ids = "images", True

    def __init__(self, files: list[bytes], rows: int = 40) -> None:
        self.files, self.rows = files, rows

    def read(self):
        for start in range(0, len(self.files), self.rows):
            files = self.files[start : start + self.rows]
            ids = pa.array([str(start + row) for row in range(len(files))])
            yield pa.record_batch({"id": ids, "content": pa.array(files, pa.binary())})

    def size(self) -> int:
        return sum(map(len, self.files))


NOISE = np.random.default_rng(0).integers(0, 256, (90, 12, 10, 3), np.uint8)
FILES = [ppm(picture) for picture in NOISE]


def bare(**params: Any) -> Pixels:
    return Pixels(**({"size": (10, 12), "contrast": "none", "whitening": 0.0} | params))


def test_without_options_it_is_the_pca_of_the_pixels() -> None:
    """By scikit-learn, up to each direction's sign."""
    found = bare(dimension=7).fit(Pictures(FILES)).encode(FILES)
    wanted = PCA(7, svd_solver="full").fit_transform(NOISE.reshape(90, -1) / 255)
    assert np.abs(np.abs(found) - np.abs(wanted)).max() < 1e-4


def test_whitening_makes_the_variances_equal_and_half_of_it_their_root() -> None:
    plain, half, full = (
        bare(dimension=7, whitening=w).fit(Pictures(FILES)).encode(FILES).var(axis=0, ddof=1)
        for w in (0.0, 0.5, 1.0)
    )
    assert np.allclose(full, 1, atol=1e-3)
    assert np.allclose(half, np.sqrt(plain), rtol=1e-3)
    assert plain[0] > 1.1 * plain[-1]


def test_directions_without_variance_stay_without() -> None:
    """Three different pictures span two directions; the third must not be rounding blown up."""
    files = [FILES[n % 3] for n in range(30)]
    found = bare(dimension=5, whitening=1.0).fit(Pictures(files)).encode(files)
    assert np.allclose(found[:, :2].var(axis=0, ddof=1), 1, atol=1e-3)
    assert not found[:, 2:].any()


def test_the_batches_of_the_source_do_not_matter() -> None:
    one, other = (Pixels(dimension=5, size=8).fit(Pictures(FILES, rows)) for rows in (90, 13))
    assert np.abs(one.encode(FILES) - other.encode(FILES)).max() < 1e-4


def test_pictures_are_resized_as_pillow_does() -> None:
    large = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)
    wanted = Image.fromarray(large).resize((14, 9), Image.Resampling.BILINEAR)
    found = arrays([ppm(large)], (14, 9), equalize=False)
    assert np.abs(found[0] * 255 - np.asarray(wanted)).max() < 1e-3


def test_a_large_jpeg_is_decoded_smaller_and_looks_alike() -> None:
    rows, columns = np.mgrid[0:800, 0:600]
    waves = 120 + 100 * np.sin(rows / 90) * np.cos(columns / 70)
    picture = np.stack([waves, 255 - waves, 0 * waves + 90], axis=-1).astype(np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(picture).save(stream, "JPEG", quality=95)
        jpeg = stream.getvalue()
    found = arrays([jpeg, ppm(picture)], (32, 32), equalize=False)
    assert np.abs(found[0] - found[1]).max() < 0.03


def test_lab_is_that_of_scikit_image() -> None:
    rgb = NOISE.astype(np.float32) / 255
    assert np.abs(colored(rgb, "lab") - color.rgb2lab(rgb) / 100).max() < 2e-4


def test_gray_is_that_of_pillow() -> None:
    wanted = np.asarray(Image.fromarray(NOISE[0]).convert("L"))
    found = colored(NOISE[:1].astype(np.float32) / 255, "gray")[0, ..., 0]
    assert np.abs(found * 255 - wanted).max() <= 1


def test_hsv_is_a_cone_around_the_grays() -> None:
    """Chroma and value as in the standard library; the hue differs by less than 1.2° (hexagon, circle)."""
    rgb = NOISE[0].reshape(-1, 3).astype(np.float32) / 255
    found = colored(rgb, "hsv")
    hue, saturation, value = np.array([colorsys.rgb_to_hsv(*row) for row in rgb.tolist()]).T
    assert np.allclose(found[:, 2], value, atol=1e-6)
    assert np.allclose(np.hypot(found[:, 0], found[:, 1]), value * saturation, atol=1e-6)
    turned = np.angle(np.exp(1j * (np.arctan2(found[:, 1], found[:, 0]) - 2 * np.pi * hue)))
    assert np.abs(np.degrees(turned)).max() < 1.2
    reds = colored(np.array([[1.0, 0, 0.02], [1.0, 0.02, 0]], np.float32), "hsv")
    assert np.linalg.norm(reds[0] - reds[1]) < 0.05  # hues of 359° and of 1°


def test_standardized_pictures_do_not_tell_of_brightness_and_contrast() -> None:
    rgb = NOISE.astype(np.float32) / 255
    found = standardized(rgb)
    dimmed = standardized(0.5 * rgb + 0.2)
    assert np.allclose(found.mean(axis=(1, 2, 3)), 0, atol=1e-4)
    assert np.allclose(found.std(axis=(1, 2, 3)), 1, atol=0.01)
    assert np.abs(found - dimmed).max() < 0.03
    flat = standardized(np.full((1, 2, 2, 3), 0.3, np.float32))
    assert np.abs(flat).max() < 1e-4  # rounding is not blown up


def test_equalized_pictures_have_all_levels_alike() -> None:
    """Squared luminance, which is mostly dark, and the same picture as it was, become alike."""
    level = np.random.default_rng(2).permutation(256).reshape(16, 16)
    as_rgb = [np.repeat(part[..., None], 3, axis=2) for part in (level, level**2 // 255)]
    found = arrays([ppm(part) for part in as_rgb], (16, 16), equalize=True)[..., 0]
    assert np.abs(np.sort(found[0].ravel()) - np.linspace(0, 1, 256)).max() < 0.01
    apart = np.abs(found[0] - found[1])
    assert apart.mean() < 0.02
    assert np.abs(as_rgb[0] - as_rgb[1]).mean() / 255 > 0.15  # as they were
    flat = arrays([ppm(np.full((4, 4, 3), 7))], (4, 4), equalize=True)
    assert np.abs(flat - 0.5).max() < 0.01


def test_colors_stay_when_the_light_is_equalized() -> None:
    red = np.zeros((16, 16, 3))
    red[..., 0] = np.arange(100, 116)
    found = arrays([ppm(red)], (16, 16), equalize=True)[0]
    assert (found[..., 0] >= found[..., 1]).all()
    assert found[..., 0].mean() > found[..., 1].mean() + 0.1


def test_the_contrast_that_is_asked_for_is_taken() -> None:
    plain, standard, flat = (
        bare(contrast=contrast).features(FILES) for contrast in ("none", "standardize", "equalize")
    )
    assert np.allclose(plain, NOISE.reshape(90, -1) / 255, atol=1e-6)
    assert np.allclose(standard.mean(axis=1), 0, atol=1e-4)
    assert np.allclose(standard.std(axis=1), 1, atol=0.01)
    assert flat.min() >= 0
    assert np.abs(flat - plain).mean() > 0.01


@pytest.mark.parametrize("space", ["rgb", "gray", "hsv", "lab"])
@pytest.mark.parametrize("contrast", ["none", "equalize", "standardize"])
def test_every_option_saves_and_loads(tmp_path: Any, space: str, contrast: str) -> None:
    encoder = Pixels(dimension=3, size=(4, 5), color=space, contrast=contrast).fit(Pictures(FILES))
    assert encoder.features(FILES[:2]).shape == (2, 4 * 5 * (1 if space == "gray" else 3))
    encoder.save(tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.encode(FILES[:5]), encoder.encode(FILES[:5]))
    assert again.fingerprint == encoder.fingerprint


def test_planted_shapes_are_told_apart_in_any_light() -> None:
    """A bar across or upright, in light of any strength: raw distances see the light, ours the bar."""
    rng = np.random.default_rng(3)
    upright = rng.integers(0, 2, 120).astype(bool)
    pictures = np.full((120, 16, 16, 3), 100.0)
    for picture, way in zip(pictures, upright, strict=True):
        picture[(slice(None), slice(7, 9)) if way else slice(7, 9)] += 60
    pictures = (
        pictures * rng.uniform(0.3, 1.5, (120, 1, 1, 1)) + rng.normal(size=pictures.shape) * 4
    )
    files = [ppm(picture.clip(0, 255)) for picture in pictures]

    def right(vectors: np.ndarray) -> float:
        apart = np.linalg.norm(vectors[:, None] - vectors, axis=2)
        np.fill_diagonal(apart, np.inf)
        return float((upright[apart.argmin(axis=1)] == upright).mean())

    assert right(Pixels(dimension=1, size=16).fit(Pictures(files)).encode(files)) == 1
    assert right(bare(dimension=1, size=16).fit(Pictures(files)).encode(files)) < 0.75


def test_one_pixel_cmyk_and_sixteen_bits_are_encoded() -> None:
    encoder = Pixels(dimension=4, size=8).fit(Pictures(FILES))
    files = []
    for mode in ("CMYK", "I;16", "1", "F"):
        with io.BytesIO() as stream:
            Image.new(mode, (1, 1)).save(stream, "TIFF")
            files.append(stream.getvalue())
    assert np.isfinite(encoder.encode(files)).all()


def test_unreadable_pictures_are_counted() -> None:
    encoder = Pixels(dimension=4, size=8).fit(Pictures(FILES))
    with pytest.raises(
        InputError, match="2 of 4 pictures cannot be read; the first, at position 1"
    ):
        encoder.encode([FILES[0], b"x", FILES[1], b""])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"color": "lba"}, ParameterError, "Did you mean lab"),
        ({"contrast": "high"}, ParameterError, "There is no contrast `high`"),
        ({"size": 0}, ParameterError, r"`size` must be an int in \[1, 1024\]"),
        ({"size": (3, 4, 5)}, ParameterError, "must be a number, or width and height"),
        ({"size": "big"}, ParameterError, "`size` must be an int"),
        ({"whitening": 1.5}, ParameterError, r"`whitening` must be in \[0, 1\]"),
        ({"dimension": 0}, ParameterError, "`dimension` must be an int"),
    ],
)
def test_parameters_out_of_range(params: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Pixels(**params)


def test_more_dimensions_than_pictures_or_pixels() -> None:
    with pytest.raises(InputError, match="`dimension` is 64, but there are 30 rows"):
        Pixels(size=8).fit(Pictures(FILES[:30]))
    with pytest.raises(InputError, match="of 12 columns"):
        Pixels(dimension=13, size=2).fit(Pictures(FILES))
