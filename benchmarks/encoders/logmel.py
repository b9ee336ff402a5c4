"""logmel on spoken digits: real-time factor, and neighbors of the same digit by two splits.

The official split: recordings 0-4 of each digit and speaker are asked for, 5-49 are known. By speaker:
each of the four is asked for once, the three others are known; the mean is given. Whatever learns
learns from the known recordings only. Accuracy is the vote of the nearest neighbors by cosine.

The peer is what many write by hand: SciPy's transforms, mean and deviation of the coefficients
(Tzanetakis & Cook 2002) in our mel bands, scikit-learn's scaler. Its sounds are 8 kHz as recorded,
ours resampled to 16.

    python -m benchmarks.encoders.logmel
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from benchmarks.tables import table
from spaceport.arrays import Matrix
from spaceport.encoders._sound import mel_bank
from spaceport.quality.probe import nearest_neighbor_accuracy
from spaceport.sources.base import Source

PATTERN = r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<index>\d+)"

Chosen = npt.NDArray[np.bool_]
Way = Callable[[pa.Table, Chosen], Matrix]


class Rows(Source):
    """Some of the recordings that were read."""

    modality = "audio"
    unique_ids = True

    def __init__(self, recordings: pa.Table) -> None:
        self.recordings = recordings

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield ids and files."""
        yield from self.recordings.select(["id", "content"]).to_batches(max_chunksize=500)

    def size(self) -> int:
        """Bytes of the recordings."""
        return int(self.recordings.nbytes)


def run() -> list[dict[str, object]]:
    """Ours with cepstral coefficients, at 8 kHz, and with log-mel energies; and the peer."""
    folder = data()
    if folder is None:
        return []
    recordings = read(folder)
    ways: dict[str, Way] = {
        "logmel()": lambda known, chosen: ours(known, chosen),
        "logmel(rate=8000, bands=24)": lambda known, chosen: ours(
            known, chosen, rate=8000, bands=24
        ),
        "logmel(features='logmel')": lambda known, chosen: ours(known, chosen, features="logmel"),
        "SciPy, mean and deviation of 13 coefficients": peer,
    }
    return [measured(name, way, recordings) for name, way in ways.items()]


def read(folder: Path) -> pa.Table:
    """All recordings with digit, speaker and index."""
    path = folder / "spoken-digits" / "recordings.tar.gz"
    return pa.Table.from_batches(sp.sources.audio(path, name_pattern=PATTERN).batches())


def measured(name: str, way: Way, recordings: pa.Table) -> dict[str, object]:
    """Time of the official split, and accuracies."""
    index = np.array(recordings.column("index").to_pylist(), np.int64)
    speakers = np.array(recordings.column("speaker").to_pylist())
    start = time.perf_counter()
    official = way(recordings, index >= 5)
    seconds = time.perf_counter() - start
    found = {
        speaker: (way(recordings, speakers != speaker), speakers != speaker)
        for speaker in sorted(set(speakers))
    }
    return {
        "what": name,
        "fit and encode s": seconds,
        "real-time factor": seconds / sum(recordings.column("seconds").to_pylist()),
        "official 1-NN": accuracy(official, index >= 5, recordings, 1),
        "official 5-NN": accuracy(official, index >= 5, recordings, 5),
        "by speaker 1-NN": mean(accuracy(*held, recordings, 1) for held in found.values()),
        "by speaker 5-NN": mean(accuracy(*held, recordings, 5) for held in found.values()),
    }


def accuracy(X: Matrix, known: Chosen, recordings: pa.Table, k: int) -> float:
    """Share of the other recordings whose neighbors among the known ones have their digit."""
    digits = np.array(recordings.column("digit").to_pylist())
    return nearest_neighbor_accuracy(X[known], digits[known], X[~known], digits[~known], k).value


def mean(values: Iterator[float]) -> float:
    """Their mean."""
    return float(np.mean(list(values)))


def ours(recordings: pa.Table, known: Chosen, **params: Any) -> Matrix:
    """Fit on the known recordings, encode all."""
    encoder = sp.encoders.logmel(**params).fit(Rows(recordings.filter(pa.array(known))))
    return encoder.encode(recordings.column("content").to_pylist())


def peer(recordings: pa.Table, known: Chosen) -> Matrix:
    """Mean and deviation of the coefficients, scaled by the known recordings."""
    from sklearn.preprocessing import StandardScaler

    features = np.stack([described(file) for file in recordings.column("content").to_pylist()])
    return StandardScaler().fit(features[known]).transform(features).astype(np.float32)


def described(file: bytes) -> npt.NDArray[np.float64]:
    """One recording's features by SciPy."""
    import soundfile
    from scipy.fft import dct
    from scipy.signal import ShortTimeFFT, get_window

    samples, rate = soundfile.read(io.BytesIO(file))
    transform = ShortTimeFFT(get_window("hann", 200), 80, rate, mfft=256)
    energies = np.log(1e-10 + mel_bank(24, 256, rate) @ np.abs(transform.stft(samples)) ** 2)
    coefficients = dct(energies, axis=0, norm="ortho")[:13]
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)])


if __name__ == "__main__":
    print(table(run()))
