"""What a network gives: one tensor, or several by their names or places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spaceport.errors import InputError, NotFoundError

__all__ = ["named", "outputs_of", "principal", "shown"]


def outputs_of(given: Any) -> dict[str, torch.Tensor]:
    """The tensors of real numbers in what a network gave, by name, or by place from 0.

    Examples
    --------
    >>> list(outputs_of((torch.zeros(2, 3), None, torch.zeros(4))))
    ['0', '2']
    >>> list(outputs_of({"logits": torch.zeros(2, 3), "names": ["a"]}))
    ['logits']
    """
    if isinstance(given, torch.Tensor):
        parts: Any = {"0": given}
    elif isinstance(given, Mapping):
        parts = given
    else:
        parts = dict(enumerate(given)) if isinstance(given, tuple | list) else {}
    return {
        str(name): value
        for name, value in parts.items()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
    }


def principal(given: Any, who: str, module: bool = False) -> torch.Tensor:
    """The one tensor that was given, or ``last_hidden_state`` where there are several.

    Parameters
    ----------
    given : Any
        What a network, or a module of it, gave.
    who : str
        What to call it in an error.
    module : bool
        It is a module inside a network.

    Raises
    ------
    InputError
        There are several, or none; the message lists them.

    Examples
    --------
    >>> principal({"scores": torch.zeros(2, 3), "boxes": torch.zeros(2, 4)}, "Detector")
    Traceback (most recent call last):
        ...
    spaceport.errors.InputError: Detector gives 2 tensors: scores (2, 3), boxes (2, 4).
    Ask for one of them: where="output scores".
    """
    found = outputs_of(given)
    if "last_hidden_state" in found:
        return found["last_hidden_state"]
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise InputError(
            f"{who} gives {type(given).__name__}, in which no tensor of real numbers is.",
            "Name a module that gives one.",
        )
    raise InputError(
        f"{who} gives {len(found)} tensors: {_listed(found)}.",
        "Name a module inside it that gives one."
        if module
        else f'Ask for one of them: where="output {next(iter(found))}".',
    )


def named(given: Any, name: str, who: str) -> torch.Tensor:
    """The output of a name.

    Raises
    ------
    NotFoundError
        There is none; the message lists those that there are.

    Examples
    --------
    >>> named((torch.zeros(2, 3), torch.zeros(4)), "1", "Net").shape
    torch.Size([4])
    """
    found = outputs_of(given)
    if name not in found:
        raise NotFoundError(
            f"{who} has no output `{name}`.",
            f"There are: {_listed(found)}." if found else "It gives no tensor of real numbers.",
        )
    return found[name]


def shown(shape: tuple[int, ...]) -> str:
    """A shape for people.

    Examples
    --------
    >>> shown((3, 384)), shown(())
    ('(3, 384)', '()')
    """
    return f"({', '.join(map(str, shape))})"


def _listed(found: Mapping[str, torch.Tensor]) -> str:
    return ", ".join(f"{name} {shown(tuple(value.shape))}" for name, value in found.items())
