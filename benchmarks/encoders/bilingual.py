"""Two languages in one space: words and sentences that find their translations, by each objective.

English and French: the pairs of tatoeba, every tenth held out, sentences and words asked both ways and
both by cosine and by CSLS. Words are judged by PanLex's Swadesh list, of which the pairs of sentences
know nothing; a rotation of two spaces, learnt each from one side of the training pairs, has the even
lines as seeds and is judged by the odd ones. English and Spanish: a dictionary, whose entries of a
fifth of the English words (by hash) are held out.
"""

from __future__ import annotations

import gzip
import re
import time
import zipfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import spaceport as sp
from benchmarks.data import data
from spaceport.quality.translation import Dictionary, sentence_retrieval, word_translation

WHOLE = 18_066
LANGUAGES = ("en", "fr")
RETRIEVALS = ("cosine", "csls")


def run() -> list[dict[str, object]]:
    """English and French by each objective beside shared words and letters; then a dictionary."""
    folder = data()
    if folder is None:
        return []
    return [*_french(folder), *_spanish(folder)]


def _french(folder: Path) -> Iterator[dict[str, object]]:
    path = folder / "tatoeba-en-fr" / "fra.txt"
    train, test = _pairs(path, "train"), _pairs(path, "test")
    swadesh = _swadesh(folder, range(207))
    for objective in ("contrastive", "svd"):
        encoder = sp.encoders.bilingual(objective=objective)
        began = time.perf_counter()
        encoder.fit(sp.sources.pairs(path, LANGUAGES, part="train", limit=WHOLE))
        seconds = time.perf_counter() - began
        X, Y = _encoded(encoder, test)
        for retrieval in RETRIEVALS:
            yield (
                {"what": encoder.spec, "by": retrieval, "fit s": seconds}
                | _sentences(X, Y, train, test, retrieval)
                | _words(encoder, swadesh, retrieval)
            )
    yield _shared(train, test)
    yield from _rotations(folder, train)


def _rotations(folder: Path, train: list[tuple[str, ...]]) -> Iterator[dict[str, object]]:
    """Two spaces learnt apart, from the two sides of the training pairs."""
    with TemporaryDirectory() as name:
        place = Path(name)
        store = sp.open(place / "store")
        for side, language in enumerate(LANGUAGES):
            (place / language).write_text("\n".join(pair[side] for pair in train))
            way = sp.encoders.ppmi_svd(dimension=100, minimum_count=2)
            store.build(language, way, sp.sources.corpus(str(place / language)))
        seeds = _swadesh(folder, range(0, 207, 2))
        lines = [f"{word}\t{answer}\n" for word in seeds for answer in seeds[word]]
        (place / "seeds.tsv").write_text("".join(lines))
        from spaceport.spaces.joining import join

        began = time.perf_counter()
        version = join(store, "en-fr", "en", "fr", place / "seeds.tsv", LANGUAGES)
        seconds = time.perf_counter() - began
        odd = {w: a for w, a in _swadesh(folder, range(1, 207, 2)).items() if w not in seeds}
        for retrieval in RETRIEVALS:
            told = {"what": "ppmi_svd twice, joined", "by": retrieval, "fit s": seconds}
            yield told | _words(version.encoder, odd, retrieval)


def _spanish(folder: Path) -> Iterator[dict[str, object]]:
    entries = _dictionary(folder / "dict-en-es" / "es-en.txt.gz")
    held_out = {word for _, word in entries if " " not in word and _by_hash(word)}
    train = [entry for entry in entries if entry[1] not in held_out]
    test: dict[str, list[str]] = {}
    for spanish, english in entries:
        if english in held_out and " " not in spanish:
            test.setdefault(english, []).append(spanish)
    with TemporaryDirectory() as name:
        path = Path(name, "es-en.txt")
        path.write_text("".join(f"{spanish}\t{english}\n" for spanish, english in train))
        for objective in ("contrastive", "svd"):
            encoder = sp.encoders.bilingual(100, objective, sif=0.001, epochs=4, batch_size=512)
            began = time.perf_counter()
            encoder.fit(sp.sources.pairs(path, ("es", "en")))
            seconds = time.perf_counter() - began
            for retrieval in RETRIEVALS:
                told = {"what": f"dictionary, {encoder.spec}", "by": retrieval, "fit s": seconds}
                yield told | _words(encoder, test, retrieval, back=True)


def _sentences(
    X: Any, Y: Any, train: list[tuple[str, ...]], test: list[tuple[str, ...]], retrieval: str
) -> dict[str, object]:
    """Precision at 1 both ways; also over the pairs neither of whose sentences was seen in training."""
    known = [*train, *test]
    seen = [{pair[side] for pair in train} for side in (0, 1)]
    fresh = [i for i, pair in enumerate(test) if pair[0] not in seen[0] and pair[1] not in seen[1]]
    whole = sentence_retrieval(X, Y, test, known, retrieval)
    unseen = sentence_retrieval(X[fresh], Y[fresh], [test[i] for i in fresh], known, retrieval)
    return {
        "sentences en>fr": _told(whole.forward),
        "sentences fr>en": _told(whole.backward),
        f"of {len(fresh)} unseen en>fr": _told(unseen.forward),
        "unseen fr>en": _told(unseen.backward),
    }


def _words(
    encoder: Any, dictionary: Dictionary, retrieval: str, back: bool = False
) -> dict[str, object]:
    count = len(encoder.words_[0])
    parts = [
        (encoder.words_[0], encoder.vectors_[:count]),
        (encoder.words_[1], encoder.vectors_[count:]),
    ]
    left, right = parts[::-1] if back else parts
    score = word_translation(*left, *right, dictionary, retrieval=retrieval)
    return {
        "words P@1": _told(score.precision[1]),
        "words P@5": _told(score.precision[5]),
        "asked": score.covered,
    }


def _shared(train: list[tuple[str, ...]], test: list[tuple[str, ...]]) -> dict[str, object]:
    """The baseline: tf-idf of the letters that both languages' sentences share."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    began = time.perf_counter()
    weigh = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    weigh.fit([text for pair in train for text in pair])
    X, Y = (weigh.transform([pair[side] for pair in test]) for side in (0, 1))
    scores = (X @ Y.T).toarray()
    right = {*train, *test}
    there = np.mean(
        [(test[i][0], test[j][1]) in right for i, j in enumerate(scores.argmax(axis=1))]
    )
    back = np.mean([(test[j][0], test[i][1]) in right for i, j in enumerate(scores.argmax(axis=0))])
    return {
        "what": "tf-idf of shared letters (2 to 4)",
        "by": "cosine",
        "fit s": time.perf_counter() - began,
        "sentences en>fr": f"{there:.3f}",
        "sentences fr>en": f"{back:.3f}",
    }


def _told(accuracy: Any) -> str:
    low, high = accuracy.interval
    return f"{accuracy.value:.3f} [{low:.3f}, {high:.3f}]"


def _encoded(encoder: Any, pairs: list[tuple[str, ...]]) -> tuple[Any, Any]:
    sides = [[{name: pair[side]} for pair in pairs] for side, name in enumerate(LANGUAGES)]
    return encoder.encode(sides[0]), encoder.encode(sides[1])


def _pairs(path: Path, part: str) -> list[tuple[str, ...]]:
    source = sp.sources.pairs(path, LANGUAGES, part=part, limit=WHOLE)
    return [tuple(row.values()) for rows in source.contents() for row in rows]


def _swadesh(folder: Path, lines: range) -> dict[str, list[str]]:
    """English words with their French ones, from some lines of PanLex's list of 207 concepts."""
    with zipfile.ZipFile(folder / "panlex-swadesh" / "panlex_swadesh.zip") as packed:
        lists = [
            packed.read(f"panlex_swadesh/swadesh207/{name}-000.txt").decode().lower().split("\n")
            for name in ("eng", "fra")
        ]
    found: dict[str, list[str]] = {}
    for line in lines:
        for word in lists[0][line].split("\t"):
            found.setdefault(word, []).extend(lists[1][line].split("\t"))
    return found


def _dictionary(path: Path) -> list[tuple[str, str]]:
    """Spanish and English, a sense a row: remarks in brackets and the `to` of verbs are left out."""
    found: list[tuple[str, str]] = []
    with gzip.open(path, "rt", encoding="latin-1") as lines:
        for line in lines:
            spanish, english = line.split("\t")[:2]
            for sense in re.split("[;,]", re.sub(r"\([^)]*\)|\[[^]]*\]", "", english)):
                gloss = re.sub(r"^(to|a|an|the) ", "", sense.strip().lower()).strip()
                if gloss:
                    found.append((spanish.strip().lower(), gloss))
    return list(dict.fromkeys(found))


def _by_hash(word: str) -> bool:
    return blake2b(word.encode()).digest()[0] < 51  # a fifth of 256
