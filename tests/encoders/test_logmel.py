"""logmel against SciPy's transforms, planted tones, and spoken digits."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from scipy.fft import dct
from scipy.signal import ShortTimeFFT, get_window, resample_poly

from spaceport.encoders._sound import FLOOR, Frames, cepstra, log_mel, mel_bank, resampled
from spaceport.encoders.logmel import LogMel
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source


class Sounds(Source):
    """Sound files in memory, in batches of 20."""

    modality = "audio"
    unique_ids = True

    def __init__(self, files):
        self.files = files

    def read(self):
        for start in range(0, len(self.files), 20):
            part = self.files[start : start + 20]
            ids = [str(start + place) for place in range(len(part))]
            yield pa.record_batch({"id": ids, "content": pa.array(part, pa.binary())})

    def size(self):
        return sum(map(len, self.files))


def file(samples, rate=16_000, format="WAV", subtype=None):
    with io.BytesIO() as written:
        soundfile.write(written, samples, rate, format=format, subtype=subtype)
        return written.getvalue()


def tone(pitch, seconds=0.3, rate=16_000, loudness=0.3):
    return loudness * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def sweep(low, high, seconds=0.4, rate=16_000):
    t = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * seconds)))


def noisy(samples, seed=0, size=0.01):
    return samples + size * np.random.default_rng(seed).normal(size=np.shape(samples))


def collection(n=60):
    """Sweeps up and down between pitches at random, in noise."""
    rng = np.random.default_rng(0)
    return [
        file(noisy(sweep(*rng.uniform(200, 3000, 2), rng.uniform(0.2, 0.5)), seed))
        for seed in range(n)
    ]


@pytest.fixture(scope="module")
def fitted():
    return LogMel(dimension=16).fit(Sounds(collection()))


def relative(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(a)


def same_shape(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_frames_and_power_are_those_of_scipy():
    samples = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    frames = Frames(8000, 0.025, 0.01)
    assert (frames.length, frames.hop, frames.size) == (200, 80, 256)
    window = get_window("hann", 200)
    reference = ShortTimeFFT(window / np.sqrt((window**2).sum()), 80, 8000, mfft=256)
    # SciPy's slices have their middle where ours start: 100 samples on
    power = np.abs(reference.stft(samples, p0=0, p1=36, k_offset=100)) ** 2
    bank = np.random.default_rng(1).random((5, 129))
    ours = log_mel(samples, frames, bank)
    assert ours.shape == (36, 5)
    assert np.allclose(ours, np.log(FLOOR + bank @ power).T, rtol=1e-5)


def test_the_coefficients_are_a_cosine_transform():
    energies = np.random.default_rng(0).normal(size=(4, 10))
    ours = cepstra(energies, 3)
    weights = [1, 1 + 11 * np.sin(np.pi / 22), 1 + 11 * np.sin(np.pi / 11)]
    assert np.allclose(ours, dct(energies, type=2, norm="ortho")[:, :3] * weights)
    assert np.allclose(ours[:, 0], energies.sum(axis=1) / np.sqrt(10))


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_a_tone_lands_in_the_band_around_its_pitch(rate):
    frames, bands = Frames(rate, 0.025, 0.01), 20
    bank = mel_bank(bands, frames.size, rate)
    assert np.allclose(bank.sum(axis=1), 1)
    top = 1127 * np.log(1 + rate / 2 / 700)  # O'Shaughnessy's mel with the natural logarithm
    for band in range(2, bands):
        pitch = 700 * (np.exp((band + 1) * top / (bands + 1) / 1127) - 1)
        found = log_mel(tone(pitch, rate=rate).astype(np.float32), frames, bank)
        assert (found.argmax(axis=1)[:-2] == band).all()


def test_resampling_is_scipys_own():
    samples = np.random.default_rng(0).normal(size=4410).astype(np.float32)
    ours = resampled(samples, 44_100, 16_000)
    assert np.allclose(ours, resample_poly(samples, 160, 441), atol=1e-6)
    assert resampled(samples, 8000, 8000) is samples


def test_one_tone_at_two_rates_gets_nearly_one_vector(fitted):
    rates = (16_000, 22_050, 44_100, 48_000)
    given = [file(noisy_sweep(rate), rate) for rate in rates]
    vectors = fitted.encode([*given, file(sweep(2500, 300))])
    near = [same_shape(vectors[0], other) for other in vectors[1:]]
    assert min(near[:3]) > 0.98
    assert near[3] < 0.5


def noisy_sweep(rate):
    """A sweep with a hum beneath it: no band is empty but for what resampling leaves there."""
    high = sweep(300, 2500, rate=rate)
    return high + 0.02 * sum(tone(pitch, 0.4, rate) for pitch in range(100, 7000, 100))


def test_the_features_are_written_out():
    """The features of one recording, computed in the plainest way from frames that are given."""
    encoder = LogMel(dimension=2, rate=8000, bands=12, coefficients=5, segments=4)
    samples = noisy(sweep(200, 1500, 0.5, 8000), 1, 0.05).astype(np.float32)[: 200 + 39 * 80]
    energies = log_mel(samples, encoder._frames, encoder._bank)
    G = dct(energies, norm="ortho")[:, :5] * (1 + 11 * np.sin(np.pi * np.arange(5) / 22))
    assert len(G) == 40
    mean = G.mean(axis=0)
    parts = [part.mean(axis=0) - mean for part in np.split(G, 4)]
    steps = [later - sooner for sooner, later in pairwise(parts)]
    wanted = np.concatenate([mean[1:], G.std(axis=0), *parts, *steps])
    data = file(samples, 8000, subtype="FLOAT")
    fitted = encoder.fit(Sounds([data, file(tone(400)), file(tone(900))]))
    projected = (wanted - fitted.mean_) @ fitted.components_
    assert np.allclose(fitted.encode([data])[0], projected, rtol=1e-4)


def test_the_parts_of_a_frame_that_a_border_cuts():
    from spaceport.encoders.logmel import _segment_means

    frames = np.array([[3.0], [6.0], [9.0]])
    # two parts of three frames: the one in the middle belongs to both by half
    assert np.allclose(_segment_means(frames, 2), [[(3 + 3) / 1.5], [(3 + 9) / 1.5]])
    assert np.allclose(_segment_means(np.repeat(frames, 6, axis=0), 9).mean(), 6)
    assert np.allclose(_segment_means(frames[:1], 8), 3)


@pytest.mark.parametrize("features", ["mfcc", "logmel"])
def test_the_order_in_time_counts(features):
    encoder = LogMel(dimension=16, features=features).fit(Sounds(collection()))
    up, down, again = encoder.encode(
        [file(noisy(sweep(*pitches), seed)) for seed, pitches in enumerate([(300, 2500), (2500, 300), (300, 2500)])]
    )  # fmt: skip
    assert same_shape(up, again) > 0.95
    assert same_shape(up, down) < 0.3


def test_loudness_does_not_count(fitted):
    samples = noisy(sweep(300, 2500))
    loud, soft = fitted.encode(
        [file(samples, subtype="FLOAT"), file(samples / 30, subtype="FLOAT")]
    )
    assert relative(loud, soft) < 1e-3


def test_a_steady_sound_has_its_pitch(fitted):
    low, other, high = fitted.encode(
        [file(noisy(tone(pitch), seed)) for seed, pitch in enumerate([400, 410, 2000])]
    )
    assert same_shape(low, other) > same_shape(low, high) + 0.1


@pytest.mark.parametrize(
    ("format", "subtype", "least"),
    [
        ("WAV", "PCM_16", 0.999),
        ("WAV", "PCM_24", 0.99999),
        ("WAV", "PCM_32", 0.99999),
        ("WAV", "DOUBLE", 0.99999),
        ("FLAC", "PCM_24", 0.99999),
        ("AIFF", "PCM_16", 0.999),
        ("OGG", "VORBIS", 0.9),
    ],
)
def test_one_recording_in_every_format(fitted, format, subtype, least):
    samples = noisy(sweep(300, 2500), 5)
    plain, packed = fitted.encode(
        [file(samples, subtype="FLOAT"), file(samples, format=format, subtype=subtype)]
    )
    assert same_shape(plain, packed) > least


def test_channels_are_averaged(fitted):
    left, right = noisy(sweep(300, 2500), 1), noisy(tone(700, 0.4), 2)
    stereo = file(np.stack([left, right], axis=1), subtype="FLOAT")
    mono = file((left + right) / 2, subtype="FLOAT")
    assert relative(*fitted.encode([stereo, mono])) < 1e-3


def test_short_and_silent_sounds_have_finite_vectors(fitted):
    given = [
        file([0.5]),
        file([0.0]),
        file(np.zeros(8000)),
        file(tone(500, 0.011)),
        file(tone(500), 8000),
    ]
    vectors = fitted.encode([*given, file([0.5], 44_100), file([0.2], 1000)])
    assert np.isfinite(vectors).all()


def test_a_long_recording_is_the_same_in_one_block_and_in_many(monkeypatch, fitted):
    from spaceport.encoders import _sound

    data = file(noisy(sweep(300, 2500, 2.0)))
    whole = fitted.encode([data])
    monkeypatch.setattr(_sound, "_ROWS", 7)
    assert np.allclose(fitted.encode([data]), whole, atol=1e-5)


def test_it_is_the_principal_components_of_the_features():
    from sklearn.decomposition import PCA

    files = collection(40)
    ours = LogMel(dimension=5).fit(Sounds(files))
    features = np.stack([ours._described(sound) for sound in map(_read, files)])
    reference = PCA(5).fit(features)
    vectors = ours.encode(files)
    assert np.allclose(np.abs(reference.transform(features)), np.abs(vectors), atol=1e-3)
    assert np.allclose(ours.explained_variance_ratio_, reference.explained_variance_ratio_)


def _read(data):
    from spaceport.sources._sound import read

    return read(data)


def test_facts(fitted):
    facts = fitted.facts()
    assert facts["recordings"] == 60
    assert facts["audio_seconds"] == pytest.approx(
        sum(_read(data).seconds for data in collection())
    )
    assert facts["real_time_factor"] == facts["seconds"] / facts["audio_seconds"]
    assert 0 < facts["explained"] <= 1


def test_unreadable_sounds_are_counted_and_named(fitted):
    files = [file(tone(300)), b"no sound", file(tone(300)), file(np.zeros(0))]
    with pytest.raises(
        InputError, match="2 of 4 sounds cannot be read; the first is item 1: .*"
    ) as e:
        fitted.encode(files)
    assert "skip_unreadable" in e.value.remedy
    with pytest.raises(InputError, match="1 of 1 .* it holds no samples"):
        fitted.encode([file(np.zeros(0))])


def test_too_few_recordings():
    with pytest.raises(InputError, match="`dimension` is 64, but there are 3 rows"):
        LogMel().fit(Sounds(collection(3)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": "mfc"}, "There are no features `mfc`"),
        ({"rate": 100}, "`rate`"),
        ({"window": 0.0}, "`window`"),
        ({"hop": 0.05}, "`hop`"),
        ({"coefficients": 41}, "`coefficients`"),
        ({"bands": 300}, r"\d+ of 300 bands are too narrow for a window of 0.025 s"),
    ],
)
def test_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        LogMel(**params)


def test_spoken_digits(data):
    """The official test's recordings have a neighbor of their digit; on two random axes they have not."""
    files, digits, index = spoken_digits(data)
    train, test = index >= 5, index < 5
    encoder = LogMel().fit(Sounds([f for f, known in zip(files, train, strict=True) if known]))
    vectors = encoder.encode(files)
    assert accuracy(vectors, digits, train, test) >= 0.93
    saboteur = vectors @ np.random.default_rng(0).normal(size=(64, 2))
    assert accuracy(saboteur, digits, train, test) < 0.5


def spoken_digits(data, every=4):
    """The test's recordings and some of the others: the files, the digits, and the indices of the official split."""
    import tarfile

    found = []
    with tarfile.open(data / "spoken-digits" / "recordings.tar.gz") as archive:
        for member in archive:
            name = re.match(r"(?:.*/)?(\d)_\w+_(\d+)\.wav", member.name)
            if name and (int(name[2]) < 5 or int(name[2]) % every == 0):
                found.append((archive.extractfile(member).read(), int(name[1]), int(name[2])))
    files, digits, index = zip(*found, strict=True)
    return list(files), np.array(digits), np.array(index)


def accuracy(X, labels, train, test):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    nearest = (X[test] @ X[train].T).argmax(axis=1)
    return (labels[train][nearest] == labels[test]).mean()
