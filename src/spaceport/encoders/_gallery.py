"""A collection of pictures held in memory for training, and which of them are held out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.encoders._pictures import arrays
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.progress import task
from spaceport.sources._pictures import decode
from spaceport.sources.base import RESERVED, Source

__all__ = ["Gallery", "held_out", "read"]

_TOGETHER = 512  # pictures that are held as float32 at a time


@dataclass(frozen=True)
class Gallery:
    """Pictures and what is known of them.

    Attributes
    ----------
    pictures : ndarray of shape (n, height, width, 3), uint8
        So 3 · height · width bytes a picture: 3,072 at 32 x 32.
    labels : list of n str, int or bool
        Empty strings where none was asked for.
    groups : list of n str
        What stays together on one side of a split; the ids where no group was asked for.
    unlabeled : int
        Pictures without a label, which were left out.
    """

    pictures: npt.NDArray[np.uint8]
    labels: list[Any]
    groups: list[str]
    unlabeled: int = 0

    def digest(self) -> str:
        """64 hexadecimal digits over the pictures, labels and groups, in order."""
        found = sha256(np.ascontiguousarray(self.pictures).data)
        found.update(repr((self.pictures.shape, self.labels, self.groups)).encode())
        return found.hexdigest()


def read(source: Source, sides: tuple[int, int], labeled: bool, group: str | None) -> Gallery:
    """Read a source of pictures once, each decoded once.

    Parameters
    ----------
    source : Source
        Of the modality ``"images"``.
    sides : (width, height)
        To which every picture is stretched.
    labeled : bool
        Take the column that `source.label` names, and leave out pictures that have none there.
    group : str, optional
        A metadata column; or a regular expression that is matched from an id's start, and whose first
        group is what counts.

    Raises
    ------
    InputError
        No column of labels was named; pictures that cannot be read (counted, the first named).
    NotFoundError
        No such column of groups, or an id that the expression does not match.
    """
    label = _label(source) if labeled else None
    parts: list[Gallery] = []
    bad: list[tuple[str, InputError]] = []
    with task("looking at pictures", None, "pictures") as work:
        for batch in source.batches():
            parts.append(_part(batch, sides, label, group, bad))
            work.advance(batch.num_rows)
    whole = _joined(parts)
    _refuse_unreadable(bad, len(whole.labels) + whole.unlabeled)
    if not whole.labels:
        raise InputError(
            f"No picture of {source.spec} has a `{label}`.", "Name the column of classes: --label."
        )
    return whole


def held_out(
    groups: Sequence[str], strata: Sequence[Any], share: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Choose what is held out: of each stratum a share of its groups, those of the least hash.

    A stratum's g groups are put in the order of BLAKE2b(seed, group), and the first round(share · g)
    are held out, never all, since `share` is at most a half. If that is none of any stratum, one of the
    stratum with the most is. A group counts to the stratum of its first item. So an item stays on its
    side, mostly, while a collection grows.

    Returns
    -------
    ndarray of shape (n,), bool

    Raises
    ------
    InputError
        Nothing can be held out: no stratum has two groups.

    Examples
    --------
    >>> held_out(["a", "a", "b", "c"], ["x"] * 4, 0.4, seed=0).tolist()
    [False, False, False, True]
    """
    members: dict[str, list[str]] = defaultdict(list)
    for group, stratum in dict(zip(reversed(groups), reversed(strata), strict=True)).items():
        members[str(stratum)].append(group)
    largest = max(members, key=lambda stratum: (len(members[stratum]), stratum))
    if len(members[largest]) < 2:
        raise InputError(
            f"Nothing can be held out: {len(groups)} pictures in {len(members)} classes, and none of "
            "these has two groups of pictures.",
            "Give more pictures, or check the label and the group.",
        )
    taken = {stratum: round(share * len(own)) for stratum, own in members.items()}
    if not any(taken.values()):
        taken[largest] = 1
    chosen: set[str] = set()
    for stratum, own in members.items():
        ordered = sorted(own, key=lambda group: _rank(group, seed))
        chosen.update(ordered[: taken[stratum]])
    return np.array([group in chosen for group in groups])


def _rank(group: str, seed: int) -> bytes:
    return blake2b(f"{seed} {group}".encode("utf-8", "surrogatepass")).digest()


def _label(source: Source) -> str:
    if source.label is None:
        raise InputError(
            f"{source.spec} does not say which class a picture is of.",
            "Name the column: label='…', or --label on the command line.",
        )
    return source.label


def _part(
    batch: pa.RecordBatch,
    sides: tuple[int, int],
    label: str | None,
    group: str | None,
    bad: list[tuple[str, InputError]],
) -> Gallery:
    """The pictures of a batch; `bad` gets those that cannot be read, by id."""
    known, grouped = _labels(batch, label), _groups(batch, group)
    rows = [row for row, value in enumerate(known) if value is not None]
    starts = range(0, len(rows), _TOGETHER)
    decoded = [_decoded(batch, rows[start : start + _TOGETHER], sides, bad) for start in starts]
    return Gallery(
        np.concatenate([np.empty((0, *reversed(sides), 3), np.uint8), *decoded]),
        [known[row] for row in rows],
        [grouped[row] for row in rows],
        batch.num_rows - len(rows),
    )


def _joined(parts: Sequence[Gallery]) -> Gallery:
    return Gallery(
        np.concatenate([part.pictures for part in parts]),
        [label for part in parts for label in part.labels],
        [group for part in parts for group in part.groups],
        sum(part.unlabeled for part in parts),
    )


def _labels(batch: pa.RecordBatch, label: str | None) -> list[Any]:
    """Each picture's class; None where it has none."""
    if label is None:
        return [""] * batch.num_rows
    if label not in batch.schema.names:
        raise NotFoundError(f"There is no column `{label}`.", _columns(label, batch.schema.names))
    values = batch.column(label).to_pylist()
    return [None if value is None or value != value else _plain(value) for value in values]


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    return value if isinstance(value, str | int | float) else str(value)


def _groups(batch: pa.RecordBatch, group: str | None) -> list[str]:
    ids: list[str] = batch.column("id").to_pylist()
    if group is None:
        return ids
    if group in batch.schema.names:
        return [str(value) for value in batch.column(group).to_pylist()]
    rule = _rule(group)
    if rule is None:
        raise NotFoundError(f"There is no column `{group}`.", _columns(group, batch.schema.names))
    found = [rule.match(name) for name in ids]
    if None in found:
        raise NotFoundError(
            f"`group` {group!r} does not match the id {ids[found.index(None)]!r}.",
            "Write a regular expression that matches every id from its start.",
        )
    return [str(match[1]) for match in found if match]


def _rule(group: str) -> re.Pattern[str] | None:
    """The regular expression, if it is one with a group."""
    try:
        rule = re.compile(group)
    except re.error:
        return None
    return rule if rule.groups else None


def _columns(asked: str, names: Iterable[str]) -> str:
    return choices(asked, set(names) - RESERVED)


def _decoded(
    batch: pa.RecordBatch,
    rows: list[int],
    sides: tuple[int, int],
    bad: list[tuple[str, InputError]],
) -> npt.NDArray[np.uint8]:
    """Some pictures of a batch, (n, height, width, 3); `bad` gets those that cannot be read."""
    files = batch.column("content").take(pa.array(rows, pa.int64())).to_pylist()
    try:
        return _bytes(arrays(files, sides, equalize=False))
    except InputError:
        for row, file in zip(rows, files, strict=True):
            try:
                decode(file)
            except InputError as error:
                bad.append((batch.column("id")[row].as_py(), error))
    return np.empty((0, *reversed(sides), 3), np.uint8)


def _bytes(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    whole: npt.NDArray[np.uint8] = np.rint(pictures * np.float32(255)).astype(np.uint8)
    return whole


def _refuse_unreadable(bad: list[tuple[str, InputError]], seen: int) -> None:
    if bad:
        name, error = bad[0]
        raise InputError(
            f"{len(bad)} of {seen} pictures cannot be read; the first is {name!r}: "
            f"{error.what.partition(': ')[2]}",
            error.remedy,
        ) from error
