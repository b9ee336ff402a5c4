"""Values taken out of a forward pass, which ends as soon as all that are wanted were seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

__all__ = ["Tap", "run"]


class _EnoughError(Exception):
    """Raised inside a forward pass once everything that is wanted was seen."""


class Tap:
    """What is taken at one module.

    Parameters
    ----------
    module : torch.nn.Module
    before : bool
        What goes into it, its first argument, and not what it gives.
    call : int, optional
        Which of its calls in one pass is meant, from 0; left out: the last.

    Attributes
    ----------
    value : Any
        What was taken; None where the module was not run.
    calls : int
        How often it was run.
    """

    def __init__(
        self, module: torch.nn.Module, before: bool = False, call: int | None = None
    ) -> None:
        self.module = module
        self.before = before
        self.call = call
        self.value: Any = None
        self.calls = 0

    def hooked(self, stop: bool) -> Any:
        """Listen to the module; gives the handle that ends it."""

        def take(value: Any) -> None:
            self.calls += 1
            if self.call in (None, self.calls - 1):
                self.value = value if stop else _kept(value)
                if stop:
                    raise _EnoughError

        if not self.before:
            return self.module.register_forward_hook(lambda _, __, given: take(given))
        return self.module.register_forward_pre_hook(
            lambda _, args, kwargs: take(args[0] if args else kwargs.get("hidden_states")),
            with_kwargs=True,
        )


def run(forward: Callable[[], Any], taps: Iterable[Tap], stop: Tap | None) -> Any:
    """Run a forward pass, and end it at `stop`; gives what it gave, or None where it was ended.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Identity(), torch.nn.Linear(9, 1))
    >>> tap = Tap(net[1])
    >>> run(lambda: net(torch.ones(2, 3)), [tap], stop=tap) is None  # three inputs, not nine: never run
    True
    >>> tuple(tap.value.shape)
    (2, 3)
    """
    handles = [tap.hooked(stop=tap is stop) for tap in taps]
    try:
        return forward()
    except _EnoughError:
        return None
    finally:
        for handle in handles:
            handle.remove()


def _kept(value: Any) -> Any:
    """A copy, since what runs later may write into the same memory."""
    return value.clone() if isinstance(value, torch.Tensor) else value
