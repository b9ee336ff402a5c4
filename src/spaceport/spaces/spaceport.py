"""A store opened for use: what is built in it, and its versions as interfaces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from spaceport.spaces.building import Building
from spaceport.storage.store import open_store

if TYPE_CHECKING:
    from spaceport.adapters.base import Adapter
    from spaceport.encoders.base import Encoder
    from spaceport.sources.base import Source
    from spaceport.spaces.compatibility.adapted import Published
    from spaceport.spaces.compatibility.derived import Derived
    from spaceport.spaces.compatibility.gate import Gate
    from spaceport.spaces.compatibility.migration import Migration
    from spaceport.spaces.compatibility.planning import MigrationPlan
    from spaceport.spaces.version import Version
    from spaceport.storage.store import Consumer, Event

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


class Spaceport(Building):
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

        It is learnt from items that both versions share, id and content, and judged on others: how many of
        them are found among the 10 nearest (recall@10), where a full re-embedding finds all? Of the
        adapters tried, the one with the least freedom is taken among those that keep as many neighbors
        as the best.

        Parameters
        ----------
        of : str or Version
            Whose vectors come in; of any dimension, of the same space or another.
        onto : str or Version
            Whose coordinates are wanted.
        method : str or Adapter, or several, optional
            ``"procrustes()"``; by default all of `spaceport.adapters` are tried.
        bar : float
            Share of recall@10 that it must recover.
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
        from spaceport.spaces.compatibility.replaying import kept_by

        judge = partial(kept_by, self)
        return align(self, of, onto, method, bar, force, pairs, seed, wait, judge)

    def adapters(self, space: str) -> list[Published]:
        """All adapters that lead away from a space's versions, oldest first."""
        from spaceport.spaces.compatibility.adapted import adapters

        return adapters(self.store, space)

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
            The share of recall@10 that it must recover, or there is none.
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
