"""Pictures of every kind that Pillow writes, and files that are none."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spaceport.errors import InputError
from spaceport.sources._pictures import decode
from spaceport.sources.images import Images

GRADIENT = np.stack(
    np.broadcast_arrays(np.arange(0, 240, 8)[None, :], np.arange(0, 160, 8)[:, None], 90), axis=-1
).astype(np.uint8)  # (20, 30, 3)


def file(image: Image.Image, format: str, **options: Any) -> bytes:
    with io.BytesIO() as stream:
        image.save(stream, format, **options)
        return stream.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(decode(data)).astype(int)


def items(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [row for batch in Images(path, **options).batches() for row in batch.to_pylist()]


@pytest.mark.parametrize("format", ["PNG", "PPM", "BMP", "TIFF"])
def test_lossless_files_come_back_as_they_were(format: str) -> None:
    assert np.array_equal(pixels(file(Image.fromarray(GRADIENT), format)), GRADIENT)


@pytest.mark.parametrize(("format", "worst"), [("JPEG", 12), ("WEBP", 12), ("JPEG2000", 12)])
def test_lossy_files_come_back_nearly(format: str, worst: int) -> None:
    data = file(
        Image.fromarray(GRADIENT), format, **({"quality": 95} if format != "JPEG2000" else {})
    )
    assert np.abs(pixels(data) - GRADIENT).max() <= worst


def test_a_palette_and_one_bit() -> None:
    palette = Image.fromarray(GRADIENT).quantize(64)
    wanted = np.asarray(palette.convert("RGB"))
    assert np.array_equal(pixels(file(palette, "PNG")), wanted)
    assert np.array_equal(pixels(file(palette, "GIF")), wanted)
    bits = Image.fromarray(GRADIENT[..., 0]).convert("1")
    assert set(np.unique(pixels(file(bits, "PNG")))) == {0, 255}


def test_transparent_pixels_stand_on_white() -> None:
    """By the formula: a x + (1 - a) 255, whatever color hides behind."""
    alpha = np.arange(0, 240, 8, dtype=np.uint8)[None, :].repeat(20, axis=0)
    full = Image.fromarray(np.dstack([GRADIENT, alpha]), "RGBA")
    share = alpha[..., None] / 255
    wanted = share * GRADIENT + (1 - share) * 255
    assert np.abs(pixels(file(full, "PNG")) - wanted).max() <= 1
    assert np.abs(pixels(file(full.convert("LA"), "PNG"))[:, 0] - 255).max() == 0


def test_a_transparent_color_of_a_palette_stands_on_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1])
    assert pixels(file(palette, "PNG", transparency=0))[0].tolist() == [[255] * 3, [200, 100, 50]]
    assert pixels(file(palette, "GIF", transparency=0))[0].tolist() == [[255] * 3, [200, 100, 50]]


LEVELS = np.linspace(0, 65_535, 600).reshape(20, 30)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_cut_off(format: str) -> None:
    sixteen = LEVELS.astype(np.uint16)
    data = (
        b"P5 30 20 65535\n" + sixteen.astype(">u2").tobytes()
        if format == "PPM"
        else file(Image.fromarray(sixteen), format)
    )
    seen = pixels(data)
    assert np.abs(seen[..., 0] - sixteen / 257).max() <= 0.51
    assert seen.min() == 0
    assert seen.max() == 255
    clipped = np.asarray(Image.open(io.BytesIO(data)).convert("L"))  # the saboteur: Pillow's own
    assert (clipped == 255).mean() > 0.9


def test_twelve_bits_by_the_files_own_maximum() -> None:
    data = b"P5 2 1 4095\n" + np.array([0, 4095], ">u2").tobytes()
    assert pixels(data)[0, :, 0].tolist() == [0, 255]


def test_floats_and_long_integers_are_stretched() -> None:
    unit = file(Image.fromarray(np.array([[0.0, 0.5]], np.float32)), "TIFF")
    wide = file(Image.fromarray(np.array([[-3.0, 7.0]], np.float32)), "TIFF")
    whole = file(Image.fromarray(np.array([[0, 1_000_000]], np.int32)), "TIFF")
    gaps = file(Image.fromarray(np.array([[np.nan, 1.0]], np.float32)), "TIFF")
    found = [pixels(data)[0, :, 0].tolist() for data in (unit, wide, whole, gaps)]
    assert found == [[0, 128], [0, 255], [0, 255], [0, 255]]


def test_cmyk_becomes_rgb() -> None:
    cmyk = Image.fromarray(GRADIENT).convert("CMYK")
    assert np.abs(pixels(file(cmyk, "TIFF")) - GRADIENT).max() <= 1
    assert np.abs(pixels(file(cmyk, "JPEG", quality=98)) - GRADIENT).max() <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_turns_the_picture(orientation: int, format: str) -> None:
    """The corners' colors, by EXIF's own words: which side of the file is top, which is left."""
    corners = {"top left": 0, "top right": 1, "bottom left": 2, "bottom right": 3}
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], np.uint8)
    stored = np.empty((32, 48, 3), np.uint8)
    where = {
        1: ("top left", "top right", "bottom left", "bottom right"),
        2: ("top right", "top left", "bottom right", "bottom left"),
        3: ("bottom right", "bottom left", "top right", "top left"),
        4: ("bottom left", "bottom right", "top left", "top right"),
        5: ("top left", "bottom left", "top right", "bottom right"),
        6: ("top right", "bottom right", "top left", "bottom left"),
        7: ("bottom right", "top right", "bottom left", "top left"),
        8: ("bottom left", "top left", "bottom right", "top right"),
    }[orientation]  # what the file's own four corners show when the picture is upright
    for corner, name in enumerate(where):
        row, column = divmod(corner, 2)
        stored[16 * row : 16 * row + 16, 24 * column : 24 * column + 24] = colors[corners[name]]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} | ({} if format == "PNG" else {"quality": 95})
    seen = pixels(file(Image.fromarray(stored), format, **options))
    assert seen.shape[:2] == ((48, 32) if orientation > 4 else (32, 48))
    found = [seen[4, 4], seen[4, -5], seen[-5, 4], seen[-5, -5]]
    assert np.abs(np.array(found) - colors).max() < 40


def test_broken_exif_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Image.Image) -> None:
        raise struct.error("unpack requires a buffer of 2 bytes")

    data = file(Image.fromarray(GRADIENT), "PNG")
    monkeypatch.setattr(Image.Image, "getexif", broken)
    assert np.array_equal(pixels(data), GRADIENT)


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue", "lime")]
    for format in ("GIF", "PNG", "WEBP", "TIFF"):
        lossless = {"lossless": True} if format == "WEBP" else {}
        data = file(frames[0], format, save_all=True, append_images=frames[1:], **lossless)
        assert pixels(data)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "RGBA", "CMYK"])
def test_one_pixel(mode: str) -> None:
    assert pixels(file(Image.new(mode, (1, 1)), "TIFF")).shape == (1, 1, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        file(Image.fromarray(GRADIENT), "PNG")[:60],
        file(Image.fromarray(GRADIENT), "JPEG")[:400],
        file(Image.fromarray(GRADIENT), "WEBP")[:60],
        file(Image.fromarray(GRADIENT), "GIF")[:100],
        b"P6 30 20 255\n" + bytes(100),
        file(Image.fromarray(GRADIENT), "PNG")[:33] + b"\xff" * 400,
    ],
    ids=["empty", "words", "eps", "png", "jpeg", "webp", "gif", "ppm", "noise"],
)
def test_what_is_no_whole_picture_is_an_error_of_two_lines(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decode(data)
    assert len(str(refused.value).splitlines()) == 2
    assert "0x" not in str(refused.value)


@pytest.mark.parametrize("format", ["EPS", "PCX"])
def test_formats_that_are_not_asked_for_are_not_tried(format: str) -> None:
    """EPS would be handed to Ghostscript, a program; PCX stands for Pillow's other old formats."""
    with pytest.raises(InputError, match="cannot identify image file"):
        decode(file(Image.fromarray(GRADIENT), format))


WHOLE = [
    file(Image.fromarray(GRADIENT), format, **options)
    for format, options in (
        ("PNG", {}),
        ("JPEG", {}),
        ("GIF", {}),
        ("WEBP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
        ("PPM", {}),
    )
]


@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=3)), max_size=6),
)
def test_mutilated_files_are_refused_in_two_lines_or_decoded(whole: bytes, cuts: Any) -> None:
    data = whole
    for place, other in cuts:
        at = int(place * len(data))
        data = data[:at] + other + data[at + len(other) + (not other) :]
    try:
        mode = decode(data).mode
    except InputError as error:
        lines = str(error).splitlines()
    else:
        lines = ["", ""] if mode == "RGB" else []
    assert len(lines) == 2


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(InputError, match="decompression bomb"):
        decode(b"P6 20000 20000 255\n")


def test_items_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "stop").mkdir()
    (tmp_path / "stop" / "a.png").write_bytes(file(Image.fromarray(GRADIENT), "PNG"))
    sixteen = Image.fromarray(LEVELS.astype(np.uint16))
    (tmp_path / "b.tif").write_bytes(file(sixteen, "TIFF"))
    found = items(tmp_path, label="folder")
    told = [(row["id"], row["folder"], row["width"], row["height"], row["mode"]) for row in found]
    assert told == [("b.tif", None, 30, 20, "I;16"), ("stop/a.png", "stop", 30, 20, "RGB")]
    assert found[1]["content"] == (tmp_path / "stop" / "a.png").read_bytes()


def test_a_thumbnail_is_small_upright_and_like_the_picture(tmp_path: Path) -> None:
    large = Image.fromarray(GRADIENT).resize((900, 600), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(file(large, "JPEG", exif=exif, quality=95))
    (row,) = items(tmp_path)
    assert (row["width"], row["height"]) == (600, 900)
    small = Image.open(io.BytesIO(row["thumbnail"]))
    assert small.size == (32, 48)
    assert small.format in ("WEBP", "JPEG")
    wanted = large.transpose(Image.Transpose.ROTATE_270).resize((32, 48), Image.Resampling.BOX)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(wanted)).mean() < 6
    assert "thumbnail" not in items(tmp_path, thumbnail=0)[0]


def test_a_picture_that_is_small_already_is_not_blown_up(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(file(Image.fromarray(GRADIENT), "PNG"))
    assert Image.open(io.BytesIO(items(tmp_path)[0]["thumbnail"])).size == (30, 20)


@pytest.mark.parametrize("thumbnail", [0, 48])
def test_a_truncated_picture_among_many_is_named(tmp_path: Path, thumbnail: int) -> None:
    for n in range(20):
        whole = file(Image.fromarray(np.roll(GRADIENT, n, axis=1)), "JPEG")
        (tmp_path / f"{n:02}.jpg").write_bytes(whole[:-60] if n == 13 else whole)
    with pytest.raises(
        InputError, match=r"1 of 20 files .* as images; the first is 13\.jpg: .*truncated"
    ):
        items(tmp_path, thumbnail=thumbnail)
    assert len(items(tmp_path, thumbnail=thumbnail, skip_unreadable=True)) == 19


def test_a_parquet_file_of_pictures(tmp_path: Path) -> None:
    data = file(Image.fromarray(GRADIENT), "PNG")
    image = pa.array([{"bytes": data, "path": "a.png"}])
    pq.write_table(pa.table({"image": image, "width": ["wide"]}), tmp_path / "x.parquet")
    (row,) = items(tmp_path / "x.parquet", thumbnail=0)
    assert (row["width"], row["width_"], row["content"]) == (30, "wide", data)


def idx(folder: Path, pictures: np.ndarray, labels: np.ndarray | None, ending: str = "") -> Path:
    pack = gzip.compress if ending else bytes
    path = folder / f"t10k-images-idx3-ubyte{ending}"
    path.write_bytes(pack(struct.pack(">4I", 0x803, *pictures.shape) + pictures.tobytes()))
    if labels is not None:
        beside = folder / f"t10k-labels-idx1-ubyte{ending}"
        beside.write_bytes(pack(struct.pack(">2I", 0x801, len(labels)) + labels.tobytes()))
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files_with_their_labels(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(0)
    shown, labels = (
        rng.integers(0, 256, (1500, 3, 5), np.uint8),
        rng.integers(0, 10, 1500, np.uint8),
    )
    found = items(idx(tmp_path, shown, labels, ending), label="label", thumbnail=0)
    assert [row["label"] for row in found] == labels.tolist()
    assert [row["id"] for row in found] == [str(n) for n in range(1500)]
    assert np.array_equal(np.stack([pixels(row["content"])[..., 0] for row in found]), shown)


def test_idx_files_that_do_not_fit(tmp_path: Path) -> None:
    shown = np.zeros((3, 2, 2), np.uint8)
    path = idx(tmp_path, shown, np.zeros(4, np.uint8))
    with pytest.raises(InputError, match="3 pictures and .* 4 labels"):
        items(path)
    idx(tmp_path, shown, np.zeros(3, np.uint8))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is shorter than its header says"):
        items(path)
    path.write_bytes(struct.pack(">4I", 0xD03, 3, 2, 2))
    with pytest.raises(InputError, match="begins with 00000d03"):
        items(path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert "label" not in items(idx(tmp_path, shown, None))[0]


def test_the_real_digits(data: Path) -> None:
    path = data / "mnist-t10k" / "t10k-images-idx3-ubyte.gz"
    batch = next(Images(path, thumbnail=0).batches())
    assert batch.column("label").to_pylist()[:5] == [7, 2, 1, 0, 4]
    assert set(batch.column("width").to_pylist()) == {28}


def test_without_pillow_the_remedy_is_one_line_to_paste(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(file(Image.fromarray(GRADIENT), "PNG"))
    script = (
        "import sys; sys.modules['PIL'] = None\n"
        "import spaceport as sp\n"
        "from spaceport.errors import MissingExtra\n"
        f"try: list(sp.sources.images({str(tmp_path)!r}, skip_unreadable=True).batches())\n"
        "except MissingExtra as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[1] == "Run: pip install 'spaceport[images]'"
