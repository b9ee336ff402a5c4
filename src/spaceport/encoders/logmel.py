"""Log-mel energies of a recording, or cepstral coefficients, summed up over time, and PCA.

::

    G_t                        a frame's 13 cepstral coefficients, or its log-mel energies; t = 1 … T
    m   = mean_t G_t           its level (the first coefficient, or the mean over bands) taken out
    s   = std_t G_t
    A_i = mean of G - mean_t G over the i-th of `segments` equal parts of the recording
    f   = (m, s, A_1, …, A_S, A_2 - A_1, …, A_S - A_{S-1})
    φ   = (f - μ) V            V: the leading principal axes of the collection's features

Frames and bands are in `encoders/_sound.py`. The parts keep the order in time without an alignment. A
frame that a part's border cuts belongs to both by its share, so that a recording of a single frame has
its parts too. A feature keeps its natural size: standardized, what is mere noise in a steady sound
would count as much as its pitch. Silence is not trimmed. On spoken digits of unknown speakers the
nearest neighbor is right for 78 % as it is, 75 % standardized, 71 % where the frames at either end that
are e⁸ times fainter than the loudest are left out; the official split is at 98 % or more in each case.

Tzanetakis, G. & Cook, P. (2002). Musical Genre Classification of Audio Signals. IEEE TSAP 10,
section III: means and variances of coefficients over a window as a recording's features.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from spaceport.arrays import Matrix, integer
from spaceport.encoders._linear import principal_axes
from spaceport.encoders._sound import Double, Frames, cepstra, log_mel, mel_bank, resampled
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError, choices
from spaceport.progress import task
from spaceport.sources._sound import Sound, read
from spaceport.sources.base import Source

__all__ = ["LogMel"]

_FEATURES = ("mfcc", "logmel")
_LEARNT = ("mean", "components", "explained_variance_ratio")


class LogMel(Encoder):
    """Statistics of a recording's spectrum over time, projected on the collection's main directions.

    Parameters
    ----------
    dimension : int
        At most the number of recordings, and of features: (2 `segments` + 1) `coefficients` - 1, or
        (2 `segments` + 1) `bands`.
    rate : int
        Hertz; every recording is resampled to it, so that one recording at two rates gets nearly one
        vector.
    features : {"mfcc", "logmel"}
        Cepstral coefficients hold a spectrum's shape in few numbers and depend little on the speaker's
        pitch and the microphone; log-mel energies keep its details.
    bands : int
        Mel bands from 0 to half the rate.
    coefficients : int
        Cepstral coefficients, the first is the level; without effect for ``"logmel"``.
    segments : int
        Equal parts of a recording.
    window, hop : float
        Seconds of a frame, and from one to the next.

    Attributes
    ----------
    mean_ : ndarray of shape (f,), float64
        μ, the features' means.
    components_ : ndarray of shape (f, d), float64
        V; each column's largest entry in magnitude is positive, the lowest index in a tie.
    explained_variance_ratio_ : ndarray of shape (d,), float64
        Share of the features' variance along each axis, the largest first.

    Notes
    -----
    A recording that is louder or softer as a whole keeps its vector, down to the floor of 1e-10. The
    vectors are centered; their lengths are not 1.
    """

    modality: ClassVar[str] = "audio"
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("scipy", "soundfile")

    def __init__(
        self,
        dimension: int = 64,
        rate: int = 16_000,
        features: str = "mfcc",
        bands: int = 40,
        coefficients: int = 13,
        segments: int = 8,
        window: float = 0.025,
        hop: float = 0.01,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.rate = integer(rate, "rate", 1000, 192_000)
        self.features = features
        self.bands = integer(bands, "bands", 2, 512)
        self.coefficients = integer(coefficients, "coefficients", 2, bands)
        self.segments = integer(segments, "segments", 1, 1000)
        self.window = _within(window, "window", 0.001, 1)
        self.hop = _within(hop, "hop", 0.001, window)
        if features not in _FEATURES:
            raise ParameterError(
                f"There are no features `{features}`.", choices(str(features), _FEATURES)
            )
        self._frames = Frames(rate, window, hop)
        bank = mel_bank(bands, self._frames.size, rate)
        empty = int((bank.sum(axis=1) == 0).sum())
        if empty:
            raise ParameterError(
                f"{empty} of {bands} bands are too narrow for a window of {window:g} s.",
                "Choose fewer bands or a longer window.",
            )
        self._bank = csr_array(bank)  # a twentieth is not zero
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> LogMel:
        """Learn the features' means, scales and main directions, in one pass.

        Raises
        ------
        InputError
            A sound cannot be read, or `dimension` is too large for the recordings.
        """
        began = time.perf_counter()
        heard: list[float] = []
        axes = principal_axes(lambda: self._listened(source, heard), self.dimension, method="exact")
        self.mean_, self.components_ = axes.mean, axes.components
        self.explained_variance_ratio_ = axes.squares / (axes.total or 1)
        spent = time.perf_counter() - began
        self._facts = {
            "seconds": spent,
            "recordings": axes.rows,
            "audio_seconds": sum(heard),
            "real_time_factor": spent / sum(heard),
            "explained": float(self.explained_variance_ratio_.sum()),
        }
        return self

    def encode_batch(self, items: Sequence[bytes], role: str = "document") -> Matrix:
        """Encode n sound files, each as its bytes.

        Raises
        ------
        InputError
            Some cannot be read: counted, the first told.
        """
        if not hasattr(self, "components_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        features = np.stack([self._described(sound) for sound in _decoded(items)])  # (n, f)
        return np.asarray((features - self.mean_) @ self.components_, np.float32)

    def facts(self) -> dict[str, Any]:
        """Give seconds, recordings, seconds of sound, the real-time factor and the variance explained.

        The real-time factor is seconds of work per second of sound: the less, the faster.
        """
        return dict(self._facts)

    def state(self) -> State:
        """Give the means, the axes and their shares."""
        if not hasattr(self, "components_"):
            return {}, {}
        return {name: getattr(self, f"{name}_") for name in _LEARNT}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        f, d = len(arrays["mean"]), self.dimension
        shapes = [arrays[name].shape for name in _LEARNT]
        if shapes != [(f,), (f, d), (d,)]:
            raise ValueError(f"the arrays of {f} features have the shapes {shapes}")
        for name in _LEARNT:
            setattr(self, f"{name}_", arrays[name])

    def _listened(self, source: Source, heard: list[float]) -> Iterator[Double]:
        """Features of the recordings, batch by batch; each one's seconds go into `heard`."""
        with task("listening", None, "sounds") as work:
            for batch in source.batches():
                sounds = _decoded(batch.column("content").to_pylist())
                heard += [sound.seconds for sound in sounds]
                yield np.stack([self._described(sound) for sound in sounds])
                work.advance(len(sounds))

    def _described(self, sound: Sound) -> Double:
        """f: one recording's features, (f,)."""
        samples = resampled(sound.samples, sound.rate, self.rate)
        energies = log_mel(samples, self._frames, self._bank)
        if self.features == "logmel":
            mean = energies.mean(axis=0)
            return _statistics(energies, mean - mean.mean(), self.segments)
        coefficients = cepstra(energies, self.coefficients)
        return _statistics(coefficients, coefficients.mean(axis=0)[1:], self.segments)


def _statistics(frames: Double, mean: Double, segments: int) -> Double:
    """`mean`, then the deviations, segment means and steps of `frames` (t, g), all in one row."""
    around = frames - frames.mean(axis=0)
    parts = _segment_means(around, segments)
    row = [mean, frames.std(axis=0), parts.ravel(), np.diff(parts, axis=0).ravel()]
    return np.concatenate(row)


def _segment_means(frames: Double, segments: int) -> Double:
    """Means over equal parts (segments, g); a frame cut by a border counts in both by its share."""
    total = np.concatenate([np.zeros((1, frames.shape[1])), frames.cumsum(axis=0)])  # (t + 1, g)
    borders = np.linspace(0, len(frames), segments + 1)
    whole = np.minimum(borders.astype(np.int64), len(frames) - 1)
    reached = total[whole] + (borders - whole)[:, None] * frames[whole]
    means: Double = np.diff(reached, axis=0) * (segments / len(frames))
    return means


def _decoded(items: Sequence[bytes]) -> list[Sound]:
    sounds: list[Sound] = []
    bad: list[str] = []
    for place, data in enumerate(items):
        try:
            sounds.append(read(data))
        except InputError as error:
            bad.append(f"item {place}: {error.what}")
    if bad:
        raise InputError(
            f"{len(bad):,} of {len(items):,} sounds cannot be read; the first is {bad[0]}",
            "Leave them out: sources.audio(..., skip_unreadable=True).",
        )
    return sounds


def _within(value: Any, name: str, low: float, high: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ParameterError(
            f"`{name}` must be a number in [{low:g}, {high:g}]. Got {value!r}.",
            "Choose a value in that range.",
        )
    return value
