"""Pictures decoded: the bytes of a file as pixels of one kind, whatever the file holds.

The rules, the same for thumbnails and encoders: the first frame; turned as EXIF says; on white where
it is transparent; CMYK converted by Pillow's plain formula; 16 bits a channel divided by 257, not cut
off; wider numbers (32-bit integers, floats beyond [0, 1]) stretched from their least to their largest.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.errors import InputError, MissingExtra, SpaceportError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["decode", "look"]

_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
"""What is tried; formats that call other programs (EPS) are not."""

_GROUND = "white"
_ORIENTATION = 0x0112
_WHITE_16 = 65_535


def decode(data: bytes, draft: int = 0) -> Image.Image:
    """Decode a picture.

    Parameters
    ----------
    data : bytes
        A picture file.
    draft : int
        Where the shorter side may be as small as this, a JPEG file is decoded at a half, a quarter or
        an eighth of its size, which is faster; 0: at full size.

    Returns
    -------
    PIL.Image.Image of mode RGB, upright

    Raises
    ------
    InputError
        It is no picture, truncated, or larger than Pillow's limit (179 million pixels).
    """
    try:
        return _plain(_upright(_opened(data, draft)[0]))
    except SpaceportError:
        raise
    except Exception as error:  # a decoder that is given broken bytes raises anything
        raise InputError(
            f"The picture cannot be read: {_reason(error)}.",
            "Give a whole PNG, JPEG, WebP, GIF, TIFF, BMP or PPM file.",
        ) from error


def look(data: bytes, thumbnail: int) -> dict[str, Any]:
    """Width, height and mode of a picture, and a thumbnail with a longest side of so many pixels.

    Raises
    ------
    ValueError
        It cannot be read, and why.
    """
    try:
        image, (width, height) = _opened(data, max(thumbnail, 1))
        mode, turned = image.mode, _orientation(image) >= 5
        seen = {"width": width, "height": height, "mode": mode}
        if turned:
            seen |= {"width": height, "height": width}
        image.load()
        return (
            seen | {"thumbnail": _small(_plain(_upright(image)), thumbnail)} if thumbnail else seen
        )
    except SpaceportError:
        raise
    except Exception as error:  # as above
        raise ValueError(_reason(error)) from error


def _opened(data: bytes, draft: int) -> tuple[Image.Image, tuple[int, int]]:
    """The picture with only its header read, and its true width and height."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtra.of("images", "PIL") from error
    image = Image.open(io.BytesIO(data), formats=_formats())
    size = image.size
    if draft:
        image.draft(None, (draft, draft))
    return image, size


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _reason(error: Exception) -> str:
    told = str(error).partition("\n")[0].partition(" <_io.")[0].rstrip(".")
    return told or type(error).__name__


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 (upright) to 8; 1 where it is missing or broken."""
    try:
        told = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF says nothing of the pixels
        return 1
    return told if 1 <= told <= 8 else 1


def _upright(image: Image.Image) -> Image.Image:
    from PIL.Image import Transpose

    turns = (
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    told = _orientation(image)
    return image if told == 1 else image.transpose(turns[told - 2])


def _plain(image: Image.Image) -> Image.Image:
    """As RGB, by the rules above."""
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _GROUND), seen).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Any:
    """Gray levels of more than 8 bits as 0 … 255, uint8."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode != "F" and low >= 0 and high <= _WHITE_16:
        low, high = 0.0, float(_WHITE_16)
    return np.rint((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)


def _small(image: Image.Image, longest: int) -> bytes:
    from PIL import features
    from PIL.Image import Resampling

    image.thumbnail((longest, longest), Resampling.LANCZOS, reducing_gap=3.0)
    with io.BytesIO() as file:
        if features.check("webp"):
            image.save(file, "WEBP", quality=80, method=4)
        else:
            image.save(file, "JPEG", quality=85)
        return file.getvalue()
