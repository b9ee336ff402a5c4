"""Join two spaces of words, one a language, by a dictionary: `cat` comes to lie by `gato`.

The dictionary's pairs that both spaces know are the seeds. A tenth of them (by a hash of the left
word) is held out and the rotation learnt from the others, to measure how many held-out words find
their translation; then it is learnt again from all seeds, and published as a space of its own, whose
encoder (`bilingual`) holds both languages' vectors and needs neither of the two spaces any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from spaceport.encoders.bilingual import Bilingual
from spaceport.errors import InputError
from spaceport.quality.translation import RETRIEVALS, Dictionary, read_dictionary, word_translation
from spaceport.sources._ids import content_ids
from spaceport.sources.base import Source

if TYPE_CHECKING:
    from spaceport.spaces.building import Building
    from spaceport.spaces.version import Version

__all__ = ["Seeds", "join"]

HELD_OUT = 10
"""One of so many seed words is held out while the join is measured."""

FEWEST = 20
"""With fewer seed words nothing is measured."""


def join(
    store: Building,
    space: str,
    left: str,
    right: str,
    dictionary: str | Path,
    languages: Sequence[str],
    refinements: int = 5,
    wait: float = 0.0,
) -> Version:
    """Lay one space of words onto another, and publish both as one space.

    Parameters
    ----------
    store : Building
    space : str
        The new space's name. Its rows are ``en:cat``, ``fr:chat``, with the columns ``language`` and
        ``word``.
    left, right : str
        References of the two versions; rows in the order of the words' frequency. The right one's
        coordinates stay (but for its mean).
    dictionary : path
        A word of the left language and its translation a line (`quality.translation.read_dictionary`),
        spelled as in the spaces.
    languages : sequence of 2 str
        Short names for left and right, such as ``("en", "fr")``.
    refinements : int
        Rounds in which words that are each other's nearest join the seeds.
    wait : float
        Seconds to wait for another writer of the same space.

    Returns
    -------
    Version
        With the two versions, the seeds, the residual, and precision at 1 and 5 on its card.

    Raises
    ------
    InputError
        No pair of the dictionary is known in both spaces.
    """
    versions = store[left], store[right]
    entries = read_dictionary(dictionary)
    name = Path(dictionary).name
    facts = _measured(entries, languages, versions, name, refinements)
    encoder = _rotation(versions, refinements)
    seeds = Seeds(entries, languages, versions, name, facts)
    return store.build(space, encoder, seeds, rows="entities", wait=wait)


class Seeds(Source):
    """A dictionary between two versions, as pairs.

    Parameters
    ----------
    entries : mapping of str to sequence of str
    languages : sequence of 2 str
    versions : tuple of 2 Version
    dictionary : str
        Its name.
    told : mapping of str to anything, optional
        What else the card should say.
    """

    modality: ClassVar[str] = "pairs"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self,
        entries: Dictionary,
        languages: Sequence[str],
        versions: tuple[Version, Version],
        dictionary: str,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        self.entries = entries
        self.languages = languages
        self.versions = versions
        self.dictionary = dictionary
        self.told = told or {}
        if isinstance(languages, str) or len({*languages}) != 2:
            raise InputError(
                f"`languages` must be two short names. Got {languages!r}.",
                'Write for example ("en", "fr").',
            )

    @property
    def spec(self) -> str:
        """What the card says of it."""
        left, right = (version.reference for version in self.versions)
        return f"{left} and {right}, joined by {self.dictionary}"

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield all pairs as one batch."""
        left, right = self.languages
        rows = [
            {left: word, right: answer} for word in self.entries for answer in self.entries[word]
        ]
        contents = ("\t".join(row.values()).encode("utf-8", "surrogatepass") for row in rows)
        kind = pa.struct([(left, pa.string()), (right, pa.string())])
        ids = content_ids(contents, Counter())
        yield pa.record_batch({"id": pa.array(ids, pa.string()), "content": pa.array(rows, kind)})

    def size(self) -> int:
        """Bytes of both versions' vectors."""
        return sum(4 * len(version) * version.contract.dimension for version in self.versions)

    def digest(self) -> str:
        """As that of every source, and over the fingerprints and the rows of both versions."""
        told = [version.reference + version.contract.fingerprint for version in self.versions]
        return sha256("\n".join([super().digest(), *told]).encode()).hexdigest()

    def facts(self) -> dict[str, Any]:
        """The two versions, and what was told."""
        left, right = (version.reference for version in self.versions)
        return {"left": left, "right": right, **self.told}


def _rotation(versions: tuple[Version, Version], refinements: int) -> Bilingual:
    """An encoder that will lay the left version onto the right one."""
    left, right = versions
    dimension = right.contract.dimension
    encoder = Bilingual(dimension=dimension, objective="rotation", refinements=refinements)
    return encoder.between(
        left.ids, np.asarray(left.vectors()), right.ids, np.asarray(right.vectors())
    )


def _measured(
    entries: Dictionary,
    languages: Sequence[str],
    versions: tuple[Version, Version],
    dictionary: str,
    refinements: int,
) -> dict[str, Any]:
    """Learn from nine tenths of the known words, and look the others up; nothing where they are few."""
    known = _known(entries, *versions)
    by_hash = sorted(
        known, key=lambda word: blake2b(word.encode("utf-8", "surrogatepass")).digest()
    )
    if len(by_hash) < FEWEST:
        return {}
    out = set(by_hash[::HELD_OUT])
    kept = {word: answers for word, answers in known.items() if word not in out}
    encoder = _rotation(versions, refinements)
    encoder.fit(Seeds(kept, languages, versions, dictionary))
    facts: dict[str, Any] = {"held-out words": len(out)}
    count = len(encoder.words_[0])
    sides = encoder.words_[0], encoder.vectors_[:count], encoder.words_[1], encoder.vectors_[count:]
    for retrieval in RETRIEVALS:
        score = word_translation(*sides, {word: known[word] for word in out}, retrieval=retrieval)
        for k, found in score.precision.items():
            facts[f"precision at {k}, {retrieval}"] = found.value
    return facts


def _known(entries: Dictionary, left: Version, right: Version) -> dict[str, list[str]]:
    """The entries whose words both versions have."""
    words, answers = set(left.ids), set(right.ids)
    found = {
        word: [answer for answer in entries[word] if answer in answers]
        for word in entries
        if word in words
    }
    return {word: known for word, known in found.items() if known}
