"""A store opened for use: build, import, look up, promote, check and clean."""

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
from spaceport.storage.store import Store, open_store

if TYPE_CHECKING:
    from spaceport.adapters.base import Adapter
    from spaceport.spaces.card import Fact
    from spaceport.spaces.compatibility.adapted import Published
    from spaceport.spaces.compatibility.derived import Derived
    from spaceport.spaces.compatibility.gate import Gate
    from spaceport.spaces.compatibility.migration import Migration
    from spaceport.spaces.compatibility.planning import MigrationPlan
    from spaceport.spaces.verifying import Verified
    from spaceport.storage.store import Consumer, Event, Removed

__all__ = ["Spaceport", "open"]


def open(path: str | os.PathLike[str] | None = None, catalog: str | None = None) -> Spaceport:
    """Open a store, or name one that the first build will make.

    Parameters
    ----------
    path : path, optional
        A folder, or ``s3://bucket/prefix``; by default ``SPACEPORT_STORE``, or
        ``./spaceport-store``.
    catalog : str, optional
        The catalog's SQLAlchemy URL, for example ``postgresql+psycopg://…``; by default an SQLite
        file in the folder. A bucket must have one.
    """
    return Spaceport(open_store(None if path is None else os.fspath(path), catalog))


class Spaceport:
    """A store with its spaces.

    Examples
    --------
    >>> import tempfile, spaceport as sp
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = sp.open(folder.name)
    >>> colors = store.publish("colors", ["red", "green"], [[1.0, 0.0], [0.0, 1.0]])
    >>> colors
    colors@1.0.0 · 2 × 2 · cosine
    >>> store["colors@1"].vectors(["green"])
    SpaceVectors([[0., 1.]], dtype=float32)
    >>> folder.cleanup()
    """

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

    def align(
        self,
        of: str | Version,
        onto: str | Version,
        method: str | Adapter | Sequence[str | Adapter] | None = None,
        *,
        bar: float = 0.95,
        force: bool = False,
        pairs: int = 50_000,
        seed: int = 0,
        wait: float = 0.0,
    ) -> Published:
        """Publish an adapter that brings one version's vectors to another's coordinates.

        It is learnt from items that both versions share, id and content, and judged on others: which
        share of the 10 nearest does it find that a full re-embedding finds? Of the adapters tried, the
        one with the least freedom is taken among those as good as the best.

        Parameters
        ----------
        of : str or Version
            Whose vectors come in; of any dimension, of the same space or another.
        onto : str or Version
            Whose coordinates are wanted.
        method : str or Adapter, or several, optional
            ``"procrustes()"``; by default all of `spaceport.adapters` are tried.
        bar : float
            Share of recall@10 that it must keep.
        force : bool
            Publish it below the bar; it then says so wherever it is used, for ever.
        pairs : int
            How many shared items to learn from at most.
        seed : int
            For what is drawn. Given methods have seeds of their own.
        wait : float
            Seconds to wait for another writer of the space of `of`.

        Raises
        ------
        InputError
            The best stays below the bar, or too few items are shared; nothing is published.
        NotFoundError
            No item is shared.
        ParameterError
            Both have the same coordinates.
        """
        from spaceport.spaces.compatibility.adapting import align

        return align(self, of, onto, method, bar, force, pairs, seed, wait)

    def adapters(self, space: str) -> list[Published]:
        """All adapters that lead away from a space's versions, oldest first."""
        from spaceport.spaces.compatibility.adapted import adapters

        return adapters(self.store, space)

    def versions(self, space: str) -> list[Version]:
        """All versions of a space, oldest first."""
        return [Version(self.store, record) for record in self.store.versions(space)]

    def promote(
        self,
        reference: str,
        alias: str,
        note: str = "",
        *,
        override: str | None = None,
        run_commands: bool | None = None,
    ) -> Version:
        """Replay every consumer's task on a version, then let `alias` name it, or refuse.

        Parameters
        ----------
        reference : str
            The version.
        alias : str
        note : str
            Why; kept in the history.
        override : str, optional
            Why it is to be moved although consumers would break; the history says so for ever.
        run_commands : bool, optional
            Run consumers' commands, which stand in the catalog; by default only where the environment
            has ``SPACEPORT_RUN_COMMANDS=1``.

        Raises
        ------
        RefusedError
            A consumer would break; see `gate` for the rule. The refusal is in the history.
        BusyError
            The alias was moved, or a consumer added or removed, in the meantime.
        """
        from spaceport.spaces.compatibility.gate import promote

        return promote(self, reference, alias, note, override, run_commands)[0]

    def gate(self, reference: str, alias: str, *, run_commands: bool | None = None) -> Gate:
        """Replay every consumer's task as `promote` does; nothing is moved or written down.

        Returns
        -------
        Gate
            Prints as a table; ``passed``, ``results`` and ``failing`` are for programs.
        """
        from spaceport.spaces.compatibility.gate import gate

        return gate(self, reference, alias, run_commands)

    def rollback(self, space: str, alias: str, note: str = "") -> Version:
        """Let `alias` name again what it named before its last promotion; no task is replayed.

        Pins of consumers that moved with that promotion move back, if nobody has changed them since.
        """
        from spaceport.spaces.compatibility.gate import rollback

        return rollback(self, space, alias, note)

    def add_consumer(
        self,
        space: str,
        name: str,
        task: Source | str | os.PathLike[str] | None = None,
        *,
        pin: str,
        owner: str | None = None,
        tolerance: float = 0.01,
        label: str | None = None,
        column: str | None = None,
        by_id: str | None = None,
        classifier: str | os.PathLike[str] | None = None,
        relevant: str | None = None,
        measure: str = "ndcg",
        k: int = 10,
        command: Sequence[str] | None = None,
        timeout: float = 600.0,
    ) -> Consumer:
        """Register a use of a space: its task is done on the pinned version, and kept with the score.

        Parameters
        ----------
        space, name : str
        task : Source or path, optional
            Labeled items, or queries. They are copied into the store, at most 5,000 of them.
        pin : str
            The versions that the consumer can live with: ``"1"``, ``"1.2"`` or ``"1.2.0"``.
        owner : str, optional
            Who answers for it; by default who runs this.
        tolerance : float
            How much of the score may be lost.
        label : str, optional
            The column to be read off the vectors by a linear classifier.
        column : str, optional
            The column with the content.
        by_id : str, optional
            The column with ids of the space's items, in place of contents; for spaces without encoder.
        classifier : path, optional
            The consumer's own weights (`compatibility.classifiers.open_classifier`); by default one is
            learnt on 70 % of the items, and the others are scored.
        relevant : str, optional
            Of a file of queries: the column with the id of an item to be found, a row a pair.
        measure, k
            Of a search: ``"ndcg"`` or ``"recall"``, and how many items are looked at.
        command : sequence of str, optional
            A program with its arguments, whose exit code decides; run without a shell.
        timeout : float
            Seconds that the command may take.

        Raises
        ------
        NotFoundError
            No version satisfies the pin, or a column or id is missing.
        InputError
            Labels all of one class, fewer than 20 items or 10 queries, or a command that fails.
        """
        from spaceport.spaces.compatibility.consumers import add

        return add(
            self, space, name, task, pin=pin, owner=owner, tolerance=tolerance, label=label,
            column=column, by_id=by_id, classifier=classifier, relevant=relevant, measure=measure,
            k=k, command=command, timeout=timeout,
        )  # fmt: skip

    def consumers(self, space: str) -> list[Consumer]:
        """The registered uses of a space, by name."""
        return self.store.consumers(space)

    def remove_consumer(self, space: str, name: str) -> None:
        """Let a consumer go; the history keeps that it was there."""
        self.store.remove_consumer(space, name)

    def derived(self, reference: str) -> list[Derived]:
        """Classifiers, centroids, thresholds and tasks of a space, and whether each fits a version."""
        from spaceport.spaces.compatibility.derived import derived

        return derived(self, self[reference])

    def plan_migration(
        self,
        space: str,
        method: str | Encoder,
        *,
        source: Source | str | None = None,
        start: str | None = None,
        alias: str | None = None,
        price_per_million: float | None = None,
    ) -> MigrationPlan:
        """What a migration will encode, cost and touch; prints as a page, and writes nothing.

        Parameters
        ----------
        space : str
        method : str or Encoder
            The new encoder. A sample of the items is encoded with it, to time it.
        source : Source or str, optional
            The items, if the version keeps no contents: a source, its one line, or a path.
        start : str, optional
            The version to start from; by default the latest of the major that the alias stands for,
            without an alias the latest that `method` did not make.
        alias : str, optional
            What is to name the new version.
        price_per_million : float, optional
            Of a million tokens; by default the remote encoder's own ``price``.
        """
        from spaceport.spaces.compatibility.planning import order, plan

        return plan(self, order(self, space, method, source, start, alias), price_per_million)

    def migrate(
        self,
        space: str,
        method: str | Encoder,
        *,
        source: Source | str | None = None,
        start: str | None = None,
        alias: str | None = None,
        adapter: bool = True,
        bar: float = 0.95,
        metric: str | None = None,
        note: str = "",
        override: str | None = None,
        run_commands: bool | None = None,
        wait: float = 0.0,
    ) -> Migration:
        """Build a version by another method beside the old one, align it, replay, and cut over.

        Killed anywhere, the same call goes on: what was published is found, and a costly encoder's
        vectors are kept. The alias and the consumers' pins move in one transaction at the end.

        Parameters
        ----------
        space, method, source, start, alias
            As in `plan_migration`; without an alias nothing is replayed and nothing moves.
        adapter : bool
            Learn one back to the old coordinates.
        bar : float
            The share of recall@10 that it must keep, or there is none.
        metric : str, optional
            By default as it is.
        note, override, run_commands
            As in `promote`.

        Raises
        ------
        RefusedError
            A consumer would break; the new version and its adapter stay, the alias does not move.
        """
        from spaceport.spaces.compatibility.migration import finish, prepare
        from spaceport.spaces.compatibility.planning import order

        asked = order(self, space, method, source, start, alias)
        done = prepare(
            self,
            asked,
            adapter=adapter,
            bar=bar,
            metric=metric,
            run_commands=run_commands,
            wait=wait,
        )
        finish(self, done, note, override)
        return done

    def aliases(self, space: str) -> dict[str, str]:
        """Each alias of a space with the version it names."""
        return {alias: record.reference for alias, record in self.store.aliases(space).items()}

    def history(self, space: str, alias: str | None = None) -> list[Event]:
        """All that happened to a space, the oldest first; with `alias` only its moves and refusals.

        Raises
        ------
        NotFoundError
            No such space or alias.
        """
        if alias is None:
            return self.store.events(space)
        self.store.history(space, alias)
        return [event for event in self.store.events(space) if event.alias == alias]

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
