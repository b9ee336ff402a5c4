"""A small collection of each modality, for the checks that every encoder goes through."""

from __future__ import annotations

import io
import wave

import numpy as np
import pyarrow as pa

from spaceport.sources.base import HISTORY, Source

__all__ = ["SAMPLES"]


class Sample(Source):
    """Forty items of three kinds in two batches; a subclass makes the contents."""

    unique_ids = True
    label = "kind"

    def made(self, rng: np.random.Generator) -> pa.Array:
        raise NotImplementedError

    def read(self):
        contents = self.made(np.random.default_rng(0))
        ids = pa.array([str(i) for i in range(len(contents))])
        kinds = pa.array([f"kind {i % 3}" for i in range(len(contents))])
        for part in (slice(0, 25), slice(25, None)):
            columns = {"id": ids, "content": contents, "kind": kinds}
            yield pa.record_batch({name: column[part] for name, column in columns.items()})

    def size(self):
        return 4000


class Words(Sample):
    """Sentences of three subjects."""

    modality = "words"

    def made(self, rng):
        subjects = [[f"{name}{i}" for i in range(12)] for name in ("sea", "hill", "town")]
        rows = (
            " ".join([*rng.choice(subjects[i % 3], 9), "and", "The", "naïve"]) for i in range(40)
        )
        return pa.array(list(rows))


class Texts(Words):
    modality = "texts"


class Vectors(Sample):
    """Forty rows near a plane in twelve dimensions."""

    modality = "vectors"

    def made(self, rng):
        rows = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 12)) + 0.1 * rng.normal(size=(40, 12))
        return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), 12)


class Table(Sample):
    """Numbers, categories, truth values, dates, free text, and gaps in all of them."""

    modality = "table"

    def made(self, rng):
        kind = rng.choice(["gull", "crow", "tern"], 40)
        size = np.select([kind == "gull", kind == "crow"], [50.0, 40.0], 30.0) + rng.normal(size=40)
        seen = np.datetime64("2024-01-01", "s") + rng.integers(0, 500, 40) * np.timedelta64(1, "D")
        rows = [
            {
                "kind": None if i == 3 else str(kind[i]),
                "size": None if i == 5 else float(size[i]),
                "count": int(rng.integers(0, 9)),
                "ringed": bool(i % 3),
                "seen": None if i == 7 else seen[i].item(),
                "note": None
                if i == 9
                else f"a {kind[i]} near the pier, {rng.choice(['wet', 'dry'])} day {i}",
            }
            for i in range(40)
        ]
        fields = [("kind", pa.string()), ("size", pa.float64()), ("count", pa.int64())]
        fields += [("ringed", pa.bool_()), ("seen", pa.timestamp("us")), ("note", pa.string())]
        return pa.array(rows, pa.struct(fields))


class Pairs(Sample):
    """Sentences of three subjects, and word for word the same in another language."""

    modality = "pairs"

    def made(self, rng):
        subjects = [[f"{name}{i}" for i in range(8)] for name in ("sea", "hill", "town")]
        rows = [rng.choice(subjects[i % 3], 5) for i in range(40)]
        contents = [{"en": " ".join(row), "xx": " ".join(w[::-1] for w in row)} for row in rows]
        return pa.array(contents, pa.struct([("en", pa.string()), ("xx", pa.string())]))


class Interactions(Sample):
    """Users of two tastes, each with some of thirty items."""

    modality = "interactions"

    def made(self, rng):
        histories = []
        for user in range(40):
            liked = rng.choice(15, 6, replace=False) + 15 * (user % 2)
            odd = rng.choice(30, 1)
            items = dict.fromkeys([*liked.tolist(), *odd.tolist()])
            histories.append(
                [{"item": f"i{item}", "value": float(rng.integers(1, 6))} for item in items]
            )
        return pa.array(histories, HISTORY)


class Images(Sample):
    """Small pictures with a bright square on a noisy ground, as PPM files."""

    modality = "images"

    def made(self, rng):
        files = []
        for i in range(40):
            picture = rng.integers(0, 80, (20, 24, 3), dtype=np.uint8)
            picture[4 * (i % 4) : 4 * (i % 4) + 6, 5 : 5 + 6 * (1 + i % 3), i % 3] += 150
            files.append(b"P6 24 20 255\n" + picture.tobytes())
        return pa.array(files, pa.binary())


class Audio(Sample):
    """Tones of several pitches in noise, as WAV files of different lengths."""

    modality = "audio"

    def made(self, rng):
        return pa.array(
            [self.tone(rng, 220 * (1 + i % 5), 2000 + 50 * i) for i in range(40)], pa.binary()
        )

    def tone(self, rng, pitch, length, rate=8000):
        samples = np.sin(2 * np.pi * pitch * np.arange(length) / rate) + 0.1 * rng.normal(
            size=length
        )
        with io.BytesIO() as file:
            with wave.open(file, "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(rate)
                sound.writeframes((samples * 12000).astype("<i2").tobytes())
            return file.getvalue()


SAMPLES = {
    sample.modality: sample
    for sample in (Words, Texts, Vectors, Table, Pairs, Interactions, Images, Audio)
}
