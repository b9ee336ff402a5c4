"""Activations of networks for sound: transformers' own values for one recording at a time, and bad input."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
pytest.importorskip("soundfile", reason="needs the extra `audio`")
pytest.importorskip("transformers", reason="needs the extra `torch`")

from encoders.samples import SAMPLES  # noqa: E402 - behind what may skip
from networks import tiny_media  # noqa: E402
from spaceport.encoders.activations import Activations  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.errors import InputError, ParameterError  # noqa: E402

RATE = 16_000
LENGTHS = (8000, 5001, 12_345, 8000, 15_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network's folder by its name, saved once."""
    root = tmp_path_factory.mktemp("networks")
    saved = {}

    def find(name):
        if name not in saved:
            saved[name] = tiny_media.save(tiny_media.AUDIO[name], root / name)
        return saved[name]

    return find


def sound(samples, rate=RATE):
    """A WAV file of 16 bits, and the samples as they are in it."""
    whole = np.round(np.asarray(samples) * 32767).astype("<i2")
    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(whole.tobytes())
        return file.getvalue(), (whole / 32768).astype(np.float32)


def sounds(lengths=LENGTHS):
    """Noise under a slow tone, files and samples."""
    rng = np.random.default_rng(5)
    made = [
        sound(0.3 * np.sin(np.arange(n) / (40 + 30 * i)) + 0.1 * rng.normal(size=n))
        for i, n in enumerate(lengths)
    ]
    return [file for file, _ in made], [samples for _, samples in made]


def truth(folder, samples):
    """What transformers makes of one recording alone: its extractor, its model, all hidden states."""
    from transformers import AutoFeatureExtractor, AutoModel

    extractor = AutoFeatureExtractor.from_pretrained(folder)
    network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    network = network.encoder if network.config.is_encoder_decoder else network
    inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt")
    with torch.inference_mode():
        return network(**inputs, output_hidden_states=True)


def heard(values, name, samples):
    """The positions (t, d) of a recording that stand for a part of it."""
    array = values[0].numpy()
    if name == "whisper":
        return array[: -(-samples // 320)]  # a position is two hops of 10 ms
    if name == "ast":  # two tokens of its own, then 2 rows of patches of 16 frames, every 10 frames
        steps = (100 - 16) // 10 + 1
        whole = 99 * 160 + 400
        reached = int(np.ceil(samples / whole * steps))
        rows = array[2:].reshape(-1, steps, array.shape[1])
        assert len(rows) == 2
        return rows[:, :reached].reshape(-1, array.shape[1])
    return array


def close(given, wanted):
    return np.abs(given - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("name", tiny_media.AUDIO)
def test_every_layer_is_transformers_own(folder, name):
    files, samples = sounds()
    found = [truth(folder(name), one) for one in samples]
    layers = len(found[0].hidden_states) - 1
    for where in [*range(layers), "last"]:
        states = [
            one.last_hidden_state if where == "last" else one.hidden_states[where] for one in found
        ]
        wanted = [heard(s, name, len(x)).mean(0) for s, x in zip(states, samples, strict=True)]
        vectors = Activations(str(folder(name)), where=str(where)).encode(files)
        assert close(vectors, np.array(wanted)), where


@pytest.mark.parametrize("make", [lambda: tiny_media.wav2vec2("layer", True), tiny_media.wav2vec2])
def test_a_recording_does_not_hear_its_neighbors(make, tmp_path):
    """With a first layer normalized over time, too, where padding would be heard."""
    encoder = Activations(str(tiny_media.save(make, tmp_path)))
    files, samples = sounds()
    together = encoder.encode(files)
    alone = np.concatenate([encoder.encode([file]) for file in files])
    assert close(together, alone)
    wanted = [truth(tmp_path, one).last_hidden_state[0].numpy().mean(0) for one in samples]
    assert close(together, np.array(wanted))


def test_padding_is_heard_where_the_first_layer_is_normalized_over_time(folder):
    """Why recordings of other lengths never go through together: the saboteur of the test above."""
    from transformers import AutoFeatureExtractor, AutoModel

    _, samples = sounds((5001, 15_000))
    extractor = AutoFeatureExtractor.from_pretrained(folder("wav2vec2"))
    network = AutoModel.from_pretrained(folder("wav2vec2"), dtype=torch.float32).eval()
    padded = extractor(samples, sampling_rate=RATE, return_tensors="pt", padding=True)
    count = int(network._get_feat_extract_output_lengths(torch.tensor(5001)))
    with torch.inference_mode():
        vector = network(**padded).last_hidden_state[0, :count].numpy().mean(0)
    alone = truth(folder("wav2vec2"), samples[0]).last_hidden_state[0].numpy().mean(0)
    assert not close(vector, alone)


def test_recordings_of_one_length_go_through_together(folder):
    encoder = Activations(str(folder("wav2vec2")))
    files, _ = sounds((8000, 6000, 8000, 8000))
    encoder.encode(files[:1])
    sizes = []
    network = encoder._model.door(files).network.module
    handle = network.register_forward_pre_hook(
        lambda _, __, given: sizes.append(tuple(given["input_values"].shape)), with_kwargs=True
    )
    encoder.encode(files)
    handle.remove()
    assert sorted(sizes) == [(1, 6000), (3, 8000)]


def test_another_rate_is_resampled(folder):
    """A tone at 44.1 kHz gets the vector of the same tone at the model's 16 kHz, nearly."""
    encoder = Activations(str(folder("hubert")))
    tones = [
        sound(0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate), rate)[0]
        for rate in (RATE, 44_100)
    ]
    one, other = encoder.encode(tones)
    away = encoder.encode([sound(0.5 * np.sin(2 * np.pi * 1200 * np.arange(8000) / RATE))[0]])[0]
    assert np.linalg.norm(one - other) < 0.1 * np.linalg.norm(one - away)


def test_a_long_recording_is_cut_off_or_averaged(folder):
    """Whisper's own 2 s here: five seconds are three pieces, weighted by how long they last."""
    files, samples = sounds((5 * RATE,))
    parts = [samples[0][start : start + 2 * RATE] for start in range(0, 5 * RATE, 2 * RATE)]
    rows = [
        heard(truth(folder("whisper"), part).last_hidden_state, "whisper", len(part)).mean(0)
        for part in parts
    ]
    cut = Activations(str(folder("whisper")))
    assert close(cut.encode(files)[0], rows[0])
    assert cut.facts()["audio too long"] == 1
    whole = Activations(str(folder("whisper")), long="chunk")
    assert close(whole.encode(files)[0], np.average(rows, axis=0, weights=[2, 2, 1]))


def test_a_bound_of_positions_for_waves(folder):
    files, samples = sounds((8000,))
    network = truth(folder("wav2vec2"), samples[0])
    encoder = Activations(str(folder("wav2vec2")), max_tokens=40)
    most = max(n for n in range(3000, 4000) if truth_length(folder("wav2vec2"), n) <= 40)
    wanted = truth(folder("wav2vec2"), samples[0][:most]).last_hidden_state[0].numpy()
    assert len(wanted) == 40 < network.last_hidden_state.shape[1]
    assert close(encoder.encode(files)[0], wanted.mean(0))
    with pytest.raises(ParameterError, match="`max_tokens` is for texts and waves"):
        Activations(str(folder("whisper")), max_tokens=40).encode(files)


def truth_length(folder, samples):
    """Positions of three convolutions (10, 5), (3, 4), (3, 4): kernel and stride."""
    for kernel, stride in ((10, 5), (3, 4), (3, 4)):
        samples = (samples - kernel) // stride + 1
    return samples


@pytest.mark.parametrize("name", tiny_media.AUDIO)
def test_very_short_and_silent_recordings(folder, name):
    files = [sound([0.5])[0], sound(np.zeros(30))[0], sound(np.zeros(8000))[0]]
    assert Activations(str(folder(name))).encode(files).shape == (3, 16)


def test_each_position_by_itself(folder):
    files, samples = sounds()
    found = Activations(str(folder("wav2vec2")), pooling="none").parts(files)
    for (names, vectors), one in zip(found, samples, strict=True):
        wanted = truth(folder("wav2vec2"), one).last_hidden_state[0].numpy()
        assert names == [str(place) for place in range(len(wanted))]
        assert close(vectors, wanted)


def test_positions_of_other_lengths_cannot_be_laid_flat(folder):
    files, _ = sounds()
    with pytest.raises(ParameterError, match="they differ in length"):
        Activations(str(folder("wav2vec2")), pooling="flatten").encode(files)
    assert Activations(str(folder("whisper")), pooling="flatten").encode(files).shape == (5, 1600)


def test_sounds_that_cannot_be_read_are_counted(folder):
    files, _ = sounds()
    with pytest.raises(InputError, match="2 of 3 sounds cannot be read; the first is item 0"):
        Activations(str(folder("wav2vec2"))).encode([b"", files[0], b"no sound"])


def test_a_decoder_hears_nothing(folder):
    with pytest.raises(ParameterError, match="a decoder is fed texts, and these are audio"):
        Activations(str(folder("whisper")), where="decoder last").encode(sounds()[0])


def test_an_extractor_that_is_not_there(tmp_path):
    made = tiny_media.save(tiny_media.wav2vec2, tmp_path)
    (made / "preprocessor_config.json").write_text('{"sampling_rate": 16000}')
    config = made / "config.json"
    config.write_text(
        config.read_text().replace('"model_type": "wav2vec2"', '"model_type": "bert"')
    )
    with pytest.raises(InputError, match="cannot be read"):
        Activations(str(made)).encode(sounds()[0])


def test_saved_and_read_back(folder, tmp_path):
    encoder = Activations(str(folder("hubert")), where="mean of last 2", unit=True)
    source = SAMPLES["audio"]()
    vectors = encoder.encode(source)
    encoder.save(tmp_path)
    assert np.array_equal(load(tmp_path).encode(source), vectors)
    assert encoder.facts()["audio"] == 40
    assert encoder.takes("audio")
    assert not encoder.takes("images")
