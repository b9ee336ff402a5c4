"""What is asked for, and a version that is about to be: values that build, card and publish share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spaceport.encoders.base import Encoder
from spaceport.errors import ParameterError
from spaceport.sources.base import Source
from spaceport.sources.formats.stamp import Stamp
from spaceport.spaces.change import Change, Evidence, check_bump

if TYPE_CHECKING:
    from spaceport.storage.store import Record
    from spaceport.storage.vectors import VectorTable

__all__ = ["Draft", "Order"]


@dataclass(frozen=True)
class Order:
    """What the caller of `build` asked for.

    Attributes
    ----------
    space : str
        The space's name.
    encoder : Encoder or None
        None: the source's items are vectors already.
    source : Source
        Where the items come from.
    metric : str
        One of `geometry.similarity.METRICS`.
    rows : {"entities", "items"}
        A row for each thing the encoder learnt (words), or for each item of the source.
    keep_text : bool
        Store the texts, or the rows of a table, beside the vectors.
    refit : bool
        Learn anew even where the latest version's encoder has the same parameters.
    resume : bool
        Let the latest version's encoder go on learning from the source.
    bump : {"patch", "minor", "major"}, optional
        The least kind of version that it is to be; what is measured may be more.
    dimensions : tuple of int
        Shorter vectors that are to be permitted, besides those that the encoder itself offers.
    stamp : Stamp or None
        What the source's vectors say of themselves.
    """

    space: str
    encoder: Encoder | None
    source: Source
    metric: str
    rows: str
    keep_text: bool = True
    refit: bool = False
    resume: bool = False
    bump: str | None = None
    dimensions: tuple[int, ...] = ()
    stamp: Stamp | None = None

    def __post_init__(self) -> None:
        check_bump(self.bump)
        if self.rows not in ("entities", "items"):
            raise ParameterError(
                f"`rows` must be entities or items. Got {self.rows!r}.", "Choose one."
            )
        if self.refit and self.resume:
            raise ParameterError(
                "`refit` learns anew and `resume` goes on. Got both.", "Choose one."
            )
        if self.encoder is not None and not self.encoder.takes(self.source.modality):
            kinds = " or ".join((self.encoder.modality, *self.encoder.also))
            raise ParameterError(
                f"{self.encoder.name} encodes {kinds}, and {self.source.spec} gives {self.source.modality}.",
                "Choose another method; docs/methods.md tells what each one takes.",
            )
        if self.encoder is None and self.source.modality != "vectors":
            raise ParameterError(
                f"{self.source.spec} gives {self.source.modality}, and no encoder was named.",
                "Name an encoder, for example lsa() for texts.",
            )


@dataclass(frozen=True)
class Draft:
    """A version that is about to be: what was asked, what was written, what was measured so far.

    Attributes
    ----------
    order : Order
        What was asked for, with the encoder as it was used.
    base : Record or None
        The version that this one follows.
    change : Change
        The kind of version, with its reason.
    evidence : Evidence or None
        What `change` was decided on; None for a first version.
    table : VectorTable
        The rows, written but not yet published.
    contents : callable or None
        Gives the contents to be canaries for the ids of some rows, at most one for each; None without
        an encoder.
    encoded : bool
        Each row is what the encoder gives for an item by itself, so that the item encoded again must
        give it again.
    content_bytes : int
        Bytes of the items' content, unpacked.
    source_digest : str or None
        A hash over the whole source, for spaces learnt whole.
    """

    order: Order
    base: Record | None
    change: Change
    evidence: Evidence | None
    table: VectorTable
    contents: Callable[[Sequence[str]], list[Any]] | None
    content_bytes: int
    encoded: bool = False
    source_digest: str | None = None
