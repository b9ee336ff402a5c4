"""Learning for a new version: anew, or going on from where the latest version's encoder stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from spaceport.encoders.base import Encoder
from spaceport.errors import ParameterError
from spaceport.sources.base import Source
from spaceport.spaces.draft import Order
from spaceport.spaces.reading import read_encoder

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store

__all__ = ["check_resume", "learnt"]


@runtime_checkable
class Resumable(Protocol):
    """An encoder that can go on learning."""

    def partial_fit(self, source: Source) -> Encoder:
        """Go on with more of the same kind; gives itself."""


def learnt(store: Store, base: Record | None, order: Order, unpublished: Path) -> Encoder:
    """The encoder, fitted; with `Order.resume` the latest version's, which went on with the source.

    What long training reaches is kept in the space's folder `unpublished`.
    """
    if order.resume:
        return _to_resume(store, base, order).partial_fit(order.source)
    encoder = order.encoder
    assert encoder is not None, "asked of orders with an encoder only"
    before, encoder.checkpoints = encoder.checkpoints, unpublished / "training"
    try:
        return encoder.fit(order.source)
    finally:
        encoder.checkpoints = before


def check_resume(store: Store, base: Record | None, order: Order) -> None:
    """Refuse before the work starts to go on where nothing can.

    Raises
    ------
    ParameterError
        There is no earlier version, its encoder has another method or other parameters, or the method
        cannot go on.
    """
    if order.resume:
        _to_resume(store, base, order)


def _to_resume(store: Store, base: Record | None, order: Order) -> Resumable:
    asked = order.encoder
    known = None if base is None else read_encoder(store, base)
    if base is None or known is None or asked is None:
        raise ParameterError(
            f"There is no version of {order.space} with an encoder to resume.",
            "Leave `resume` out for the first version.",
        )
    if known.name != asked.name or known.numbers() != asked.numbers():
        raise ParameterError(
            f"{base.reference} was made by {known.spec}. Got {asked.spec}.",
            "Resume with the same method and parameters, or leave `resume` out.",
        )
    if not isinstance(known, Resumable):
        raise ParameterError(
            f"{known.name} cannot go on learning.", "Leave `resume` out to learn anew."
        )
    return known
