"""Sound files in memory: WAV, FLAC, OGG and what else libsndfile reads, as samples of one channel."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from spaceport.errors import InputError

__all__ = ["ENDINGS", "Sound", "read"]

ENDINGS = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64")
)  # fmt: skip
"""Lower-case endings of sound files."""

RATES = (1000, 768_000)
LONGEST = 4 * 3600
MOST = LONGEST * 48_000
_VALUES = 1 << 20

Samples: TypeAlias = npt.NDArray[np.float32]


class Sound(NamedTuple):
    """A recording: samples (n,) in [-1, 1] for whole numbers, float32; hertz; channels of the file."""

    samples: Samples
    rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read(data: bytes) -> Sound:
    """Decode a whole sound file; its channels are averaged.

    Whole numbers of any width are divided by their largest, so that 16 and 24 bits of one recording
    give the same samples. A WAV or OGG file that is cut off gives what is there; a FLAC file is refused.

    Parameters
    ----------
    data : bytes

    Raises
    ------
    InputError
        No sound file, one that is damaged, holds no samples, NaN or infinity, has a sampling rate
        outside [1,000, 768,000] Hz or lasts longer than four hours (at 48,000 Hz; less above).

    Examples
    --------
    >>> file = io.BytesIO()
    >>> soundfile.write(file, [[0.5, 0.25], [-0.5, 0.0]], 8000, format="WAV")
    >>> sound = read(file.getvalue())
    >>> sound.samples, sound.rate, sound.channels
    (array([ 0.375, -0.25 ], dtype=float32), 8000, 2)
    """
    with _opened(data) as file:
        _refuse_rate(file.samplerate)
        parts = list(_blocks(file))
    if not parts:
        raise _unreadable("it holds no samples")
    samples = np.concatenate(parts)
    if not np.isfinite(samples).all():
        raise _unreadable("it holds NaN or infinity")
    return Sound(samples, int(file.samplerate), int(file.channels))


@contextmanager
def _opened(data: bytes) -> Iterator[soundfile.SoundFile]:
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise _unreadable(error.error_string.removeprefix("Error : ").rstrip(".")) from error


def _blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    """The mean over channels, block by block: what a header promises is never allocated."""
    rows = max(1, _VALUES // file.channels)
    left = min(LONGEST * file.samplerate, MOST)
    while len(block := file.read(rows, dtype="float32", always_2d=True)):
        left -= len(block)
        if left < 0:
            raise _unreadable(f"it lasts longer than {LONGEST // 3600} hours, or {MOST:,} samples")
        yield block.mean(axis=1)


def _refuse_rate(rate: int) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise _unreadable(f"its sampling rate is {rate:,} Hz")


def _unreadable(why: str) -> InputError:
    """The callers count such files and name them."""
    return InputError(f"{why}.", "Convert the sound to WAV, FLAC or OGG.")
