"""The layers that stand one after another in a network, and what a decoder among them is fed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

__all__ = ["fed", "stack_of"]


def stack_of(root: Any) -> list[torch.nn.Module]:
    """The outermost `ModuleList` of equal modules, the longest if there are several; else nothing.

    Of a network that is a `Sequential` and nothing else, its parts. A layer that is run several times
    with the same weights (ALBERT) stands in it as often.

    Examples
    --------
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(3))
    >>> len(stack_of(Net())), len(stack_of(torch.nn.Linear(2, 2)))
    (3, 0)
    """
    if isinstance(root, torch.nn.Sequential):
        return list(root)
    stack = max((list(found) for found in _outermost(root)), key=len, default=[])
    shared = getattr(getattr(root, "config", None), "num_hidden_groups", None)
    times = root.config.num_hidden_layers // len(stack) if stack and shared == len(stack) else 1
    return [layer for layer in stack for _ in range(times)]


def fed(inputs: Mapping[str, Any], config: Any) -> dict[str, torch.Tensor]:
    """What the decoder gets: the tokens moved on by one place behind the start token."""
    ids = inputs["input_ids"]
    start = config.decoder_start_token_id
    start = config.bos_token_id if start is None else start
    moved = torch.cat([torch.full_like(ids[:, :1], 0 if start is None else start), ids[:, :-1]], 1)
    given = {"decoder_input_ids": moved}
    if inputs.get("attention_mask") is not None:
        given["decoder_attention_mask"] = inputs["attention_mask"]
    return given


def _outermost(module: torch.nn.Module) -> Iterator[torch.nn.ModuleList]:
    """Lists of equal modules that lie in no other list."""
    for child in module.children():
        if not isinstance(child, torch.nn.ModuleList):
            yield from _outermost(child)
        elif len(child) and len({type(layer) for layer in child}) == 1:
            yield child
