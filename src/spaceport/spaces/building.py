"""What a store does for one who makes spaces: build, import, join, score, check, clean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from spaceport.encoders.base import Encoder
from spaceport.sources.base import Source
from spaceport.spaces.build import Built, build
from spaceport.spaces.draft import Order
from spaceport.spaces.version import Version
from spaceport.storage.store import Store

if TYPE_CHECKING:
    from spaceport.spaces.card import Fact
    from spaceport.spaces.verifying import Verified
    from spaceport.storage.store import Removed

__all__ = ["Building"]


class Building:
    """The part of a `Spaceport` that makes versions and looks after them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getitem__(self, reference: str) -> Version:
        return Version(self.store, self.store.resolve(reference))

    def __iter__(self) -> Iterator[Version]:
        return (self[name] for name in self.store.spaces())

    def __repr__(self) -> str:
        return f"Spaceport({str(self.store.place)!r})"

    @property
    def path(self) -> Path:
        """The store's folder; of a store in a bucket, that of its caches on this machine."""
        return self.store.root

    def build(
        self,
        space: str,
        encoder: Encoder,
        source: Source,
        *,
        metric: str = "cosine",
        rows: str | None = None,
        keep_text: bool = True,
        refit: bool = False,
        resume: bool = False,
        bump: str | None = None,
        dimensions: Sequence[int] = (),
        wait: float = 0.0,
    ) -> Version:
        """Fit if needed, encode, measure and publish; nothing is published where nothing changed.

        Parameters
        ----------
        space : str
            The space's name.
        encoder : Encoder
            What turns items into vectors.
        source : Source
            Where the items come from.
        metric : {"cosine", "dot", "euclidean"}
            The similarity under which distance carries meaning.
        rows : {"entities", "items"}, optional
            A row for each thing the encoder learnt (the words), or for each item of the source. By
            default entities where the source is running text (`corpus`), interactions or pairs, else
            items.
        keep_text : bool
            Store the texts, or the rows of a table, beside the vectors; searches and maps show them.
        refit : bool
            Learn anew where the latest version's encoder would be taken over: a new major.
        resume : bool
            Let the latest version's encoder, which must have the same method and parameters, go on
            learning from `source` where it stopped (`glove`).
        bump : {"patch", "minor", "major"}, optional
            The least kind of version that it is to be. What is measured (`spaces.change` has the rule)
            may be raised, never lowered.
        dimensions : sequence of int
            Shorter vectors to permit, besides those that the encoder offers by itself; what is lost
            with each is measured.
        wait : float
            Seconds to wait for another writer of the same space.

        Returns
        -------
        Version
            The new version, or the latest where nothing changed.
        """
        return self.built(
            space,
            encoder,
            source,
            metric=metric,
            rows=rows,
            keep_text=keep_text,
            refit=refit,
            resume=resume,
            bump=bump,
            dimensions=dimensions,
            wait=wait,
        )[0]

    def built(
        self,
        space: str,
        encoder: Encoder | None,
        source: Source,
        *,
        metric: str = "cosine",
        rows: str | None = None,
        keep_text: bool = True,
        refit: bool = False,
        resume: bool = False,
        bump: str | None = None,
        dimensions: Sequence[int] = (),
        wait: float = 0.0,
    ) -> tuple[Version, Built]:
        """As `build`; gives also what was planned and done. Encoder None: the items are vectors."""
        learnt_whole = source.modality in ("words", "interactions", "pairs")
        chosen = rows or ("entities" if learnt_whole else "items")
        order = Order(
            space,
            encoder,
            source,
            metric,
            chosen,
            keep_text,
            refit,
            resume,
            bump,
            tuple(dimensions),
        )
        done = build(self.store, order, wait)
        return Version(self.store, done.record), done

    def publish(
        self,
        space: str,
        ids: Sequence[str],
        vectors: npt.ArrayLike,
        metadata: dict[str, Sequence[Any]] | None = None,
        *,
        metric: str = "cosine",
        bump: str | None = None,
        dimensions: Sequence[int] = (),
        wait: float = 0.0,
    ) -> Version:
        """Publish vectors that were made elsewhere.

        Parameters
        ----------
        space : str
            The space's name.
        ids : sequence of n unique strings
        vectors : array-like of shape (n, d)
            A plain array is taken as it is: nobody knows whose coordinates it is in, so what it shares
            with the version before is measured. A `SpaceVectors` is held to what it says.
        metadata : dict of str to sequence of length n, optional
            Columns kept beside the vectors.
        metric, bump, dimensions, wait
            As in `build`.

        Raises
        ------
        MismatchError
            The vectors are of other coordinates than the space's latest version, even where the
            dimension is the same, and no major was asked for.
        """
        from spaceport.spaces.given import Given

        given = Given(ids, vectors, metadata or {})
        told: dict[str, Any] = {"metric": metric, "bump": bump, "dimensions": dimensions}
        return self.built(space, None, given, **told, wait=wait)[0]

    def join(
        self,
        space: str,
        left: str,
        right: str,
        dictionary: str | os.PathLike[str],
        languages: Sequence[str],
        *,
        refinements: int = 5,
        wait: float = 0.0,
    ) -> Version:
        """Lay one space of words onto another by a dictionary, and publish both as one space.

        An orthogonal map is learnt from the dictionary's pairs (Procrustes), then again from the words
        that are each other's nearest neighbors, `refinements` times.

        Parameters
        ----------
        space : str
            The new space's name. Its rows are ``en:cat``, ``fr:chat``.
        left, right : str
            Two versions of words; the right one's coordinates stay.
        dictionary : path
            A word of the left language, a tab and its translation on each line.
        languages : sequence of 2 str
            Short names for left and right.

        Raises
        ------
        InputError
            No pair of the dictionary is known in both spaces.
        """
        from spaceport.spaces.joining import join

        return join(self, space, left, right, os.fspath(dictionary), languages, refinements, wait)

    def score(
        self,
        reference: str,
        *,
        label: str | None = None,
        analogies: str | os.PathLike[str] | None = None,
        similarity: str | os.PathLike[str] | None = None,
        interactions: Source | None = None,
        record: bool = True,
        wait: float = 0.0,
    ) -> tuple[Version, list[Fact]]:
        """Score a version on tasks; the scores go on its card, which makes a patch.

        Parameters
        ----------
        reference : str
            The version; where `record`, the latest of its space.
        label : str, optional
            A metadata column: linear probe and neighbors' vote on a fifth of the items, beside the
            same regression on raw features and the commonest label.
        analogies : path, optional
            Questions in the format of ``questions-words.txt``; scores overall and by section.
        similarity : path, optional
            Lines of two words and a judgement; Spearman's rank correlation, and the pairs covered.
        interactions : Source, optional
            Held-out events (`sources.interactions`): how users' unseen items are ranked.
        record : bool
            Publish a patch with the scores on its card; nothing is published where they are there.

        Returns
        -------
        Version
            The patch, or the version that was scored.
        list of Fact
            The scores.
        """
        from spaceport.spaces import scoring

        version = self[reference]
        facts = scoring.measure(version, label, analogies, similarity, interactions)
        if not record:
            return version, facts
        return Version(self.store, scoring.record(self.store, version.record, facts, wait)), facts

    def versions(self, space: str) -> list[Version]:
        """All versions of a space, oldest first."""
        return [Version(self.store, record) for record in self.store.versions(space)]

    def verify(self, reference: str, canaries: bool = True) -> list[str]:
        """Hash every file of a version and encode its canaries again; gives the problems found.

        Parameters
        ----------
        reference : str
        canaries : bool
            Encode the canaries again, too; a remote encoder is then asked, a network is run.

        Returns
        -------
        list of str
            Empty where it is whole and the encoder gives what it gave.
        """
        return self.verified(reference, canaries).problems

    def verified(self, reference: str, canaries: bool = True) -> Verified:
        """As `verify`; gives also what was found of the canaries."""
        from spaceport.spaces.verifying import verify

        return verify(self[reference], canaries)

    def gc(self, dry_run: bool = False) -> list[Removed]:
        """Remove files that no version lists (left by a crash); gives their paths and sizes."""
        return self.store.gc(dry_run=dry_run)
