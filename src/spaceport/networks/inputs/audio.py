"""Sounds made ready for a network as its folder says: decoded, resampled, waves or spectrograms.

A recording is never padded to the length of another: only recordings of one length go through the
network together, so that a vector does not depend on its neighbors. (A network whose first layer is
normalized over time, such as wav2vec 2.0 base, hears the padding.) What the model's own extractor
fills up to a fixed length, such as Whisper's 30 s, is no part of the recording: those positions are
not pooled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from spaceport.errors import InputError, ParameterError
from spaceport.networks.inputs.images import extra_tokens
from spaceport.networks.inputs.prepared import Positions, Prepared
from spaceport.networks.origins import configuration
from spaceport.sources._resampling import resampled
from spaceport.sources._sound import LONGEST, Samples, read

__all__ = ["Sounds"]

_SHORTEST = 0.05
_FRAME, _HOP = 0.025, 0.01
"""Seconds of a spectrogram's frame, and from one to the next, where an extractor counts in frames."""

_Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


class Sounds:
    """A model's feature extractor.

    Parameters
    ----------
    folder : Path
        The model's, with ``preprocessor_config.json``.
    network : torch.nn.Module
        By which the positions of a recording are told.
    most : int, optional
        Positions that a piece may have at most, of a network that takes waves; others have a bound of
        their own.

    Attributes
    ----------
    rate : int
        Hertz.

    Raises
    ------
    InputError
        There is no extractor.
    ParameterError
        `most` is given for a network that takes spectrograms.
    """

    def __init__(self, folder: Path, network: torch.nn.Module, most: int | None = None) -> None:
        self._extract = _extractor(folder)
        self.rate = int(self._extract.sampling_rate)
        self._positions = Positions(extra_tokens(network), _bands(configuration(folder)))
        one, two = (self._extracted(np.zeros(n * self.rate, np.float32)) for n in (1, 2))
        self._waves = all(values.ndim == 1 for values in one.values())
        self._count = getattr(network, "_get_feat_extract_output_lengths", None)
        fixed = [values.shape for values in one.values()] == [v.shape for v in two.values()]
        self._full = _full(self._extract, self.rate) if fixed else None
        self._least = self._samples(1, bisect_left) or round(_SHORTEST * self.rate)
        self._most = self._full or LONGEST * self.rate
        if most is not None:
            self._most = self._told(most)

    def pieces(self, items: Sequence[bytes], prompt: str = "", chunk: bool = False) -> Prepared:
        """Make n sound files ready; a recording that is too long is cut off, or into pieces.

        Raises
        ------
        InputError
            Some cannot be read: counted, the first told.
        """
        parts: list[Samples] = []
        parents: list[int] = []
        long = 0
        for parent, samples in enumerate(_decoded(items, self.rate)):
            long += len(samples) > self._most
            for start in range(0, len(samples) if chunk else 1, self._most):
                parts.append(samples[start : start + self._most])
                parents.append(parent)
        arrays = [self._heard(part) for part in parts]
        return Prepared(
            arrays,
            np.array(parents, np.int64),
            np.array([self._length(piece) for piece in arrays], np.int64),
            self._positions,
            np.array([len(part) / self._full for part in parts]) if self._full else None,
            long,
            np.array([len(part) / self.rate for part in parts]),
        )

    def example(self) -> dict[str, torch.Tensor]:
        """A second of silence, as the network takes it."""
        made = self._heard(np.zeros(self.rate, np.float32))
        return {name: torch.from_numpy(values[None]) for name, values in made.items()}

    def _heard(self, samples: Samples) -> _Arrays:
        return self._extracted(np.pad(samples, (0, max(0, self._least - len(samples)))))

    def _extracted(self, wave: Samples) -> _Arrays:
        found = self._extract(wave, sampling_rate=self.rate, return_tensors="np")
        return {name: np.asarray(values)[0] for name, values in found.items()}

    def _length(self, piece: _Arrays) -> int:
        """Positions of a piece, roughly."""
        values = next(iter(piece.values()))
        if self._waves and self._count is not None:
            return int(self._count(torch.tensor(len(values))))
        return max(1, len(values) // 320 if self._waves else max(values.shape) // 2)

    def _samples(self, positions: int, bisect: Any) -> int:
        """How many samples give so many positions; 0 where it is not known."""
        if not self._waves or self._count is None:
            return 0
        lengths = range(LONGEST * self.rate)
        found: int = bisect(lengths, positions, key=lambda n: int(self._count(torch.tensor(n))))
        return found

    def _told(self, most: int) -> int:
        """The longest piece of `most` positions, in samples."""
        found = self._samples(most, bisect_right) - 1
        if found < self._least:
            raise ParameterError(
                f"`max_tokens` is for texts and waves, and must be positive. Got {most!r}.",
                "Leave it out for a network that takes spectrograms: it has its own bound.",
            )
        return found


def _bands(config: dict[str, Any]) -> int:
    """Rows of patches in a spectrogram, where the network cuts it up like a picture."""
    names = ("num_mel_bins", "patch_size", "frequency_stride")
    told: list[Any] = [config.get(name) for name in names]
    if not all(isinstance(value, int) for value in told):
        return 1
    bins, patch, stride = told
    return int((bins - patch) // stride + 1)


def _full(extract: Any, rate: int) -> int | None:
    """Samples that fill a spectrogram of fixed length."""
    for name in ("n_samples", "nb_max_samples"):
        if isinstance(found := getattr(extract, name, None), int):
            return found
    frames: Any = getattr(extract, "max_length", None)
    return round(((frames - 1) * _HOP + _FRAME) * rate) if isinstance(frames, int) else None


def _decoded(items: Sequence[bytes], rate: int) -> list[Samples]:
    sounds: list[Samples] = []
    bad: list[str] = []
    for place, data in enumerate(items):
        try:
            sound = read(data)
            sounds.append(resampled(sound.samples, sound.rate, rate))
        except InputError as error:
            bad.append(f"item {place}: {error.what}")
    if bad:
        raise InputError(
            f"{len(bad):,} of {len(items):,} sounds cannot be read; the first is {bad[0]}",
            "Leave them out: sources.audio(..., skip_unreadable=True).",
        )
    return sounds


def _extractor(folder: Path) -> Any:
    from transformers import AutoFeatureExtractor

    try:
        return AutoFeatureExtractor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"How {folder} prepares sounds cannot be read: {str(error).splitlines()[0]}",
            "Save the extractor beside the model: "
            "AutoFeatureExtractor.from_pretrained(…).save_pretrained(folder).",
        ) from error
