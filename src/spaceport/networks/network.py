"""A network whose values can be taken at any of its layers; it runs no further than is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

import torch

from spaceport.errors import NotFoundError
from spaceport.networks.outputs import named, outputs_of, principal, shown
from spaceport.networks.stacks import fed, stack_of
from spaceport.networks.taps import Tap, run
from spaceport.networks.where import Where

__all__ = ["Inputs", "Network", "Part"]

Inputs: TypeAlias = Mapping[str, Any] | torch.Tensor
"""What a network takes: tensors by their name, or one tensor."""

_SHOWN = 12


@dataclass(frozen=True)
class Part:
    """One module of a network.

    Attributes
    ----------
    name : str
        As `where` takes it.
    kind : str
        Its class.
    shape : tuple of int
        Of what it gives for the network's example (the first, of several tensors), without the
        items' axis; empty where it is not run.
    side : {"", "encoder", "decoder"}
        Which of a two-sided network's stacks it is a layer of; empty for others.
    layer : int or None
        Its number among the layers, from 1, where it is one.
    parameters : int
        Numbers in it.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    side: str = ""
    layer: int | None = None
    parameters: int = 0


class Network:
    """A torch module whose values can be taken anywhere on the way.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    example : mapping of str to tensor, or tensor; optional
        A small input of one item, by which shapes are found.
    missing : sequence of str
        Parameters that the files lack; the module holds NaN in their place.

    Notes
    -----
    Of a network with two sides the decoder is fed the encoder's own tokens, moved on by one place
    behind its start token, as in training. So its first position (the pooling ``cls``) has seen the
    whole text through the encoder alone, and its last but one token of it.
    """

    def __init__(
        self, module: torch.nn.Module, example: Inputs | None = None, missing: Sequence[str] = ()
    ) -> None:
        self.module = module
        self.example = example
        self.missing = tuple(missing)
        self._calls: dict[str, int] = {}

    @property
    def two_sided(self) -> bool:
        """Whether it has an encoder and a decoder."""
        return bool(getattr(getattr(self.module, "config", None), "is_encoder_decoder", False))

    @property
    def device(self) -> torch.device:
        """Where its parameters lie."""
        first = next(self.module.parameters(), None)
        return torch.device("cpu") if first is None else first.device

    def layers(self, side: str = "") -> Sequence[torch.nn.Module]:
        """The layers of a side (empty: the encoder, or the only one), in order; none if it has no list.

        See `stacks.stack_of`.
        """
        return stack_of(self._side(side))

    def capture(self, inputs: Inputs, where: Where) -> list[torch.Tensor]:
        """The values that `where` names: a tensor for each layer, or one.

        Layer 0 is what goes into the first layer, and the last one the network's own
        ``last_hidden_state`` (behind its last norm), as in transformers' ``hidden_states``. The pass
        ends at the last layer that is wanted. A module that is run several times gives its last
        value.

        Raises
        ------
        NotFoundError
            There is no such layer, module, output or side; the message lists those that there are.
        InputError
            What is wanted is several tensors.
        """
        with torch.inference_mode():
            if where.kind == "table":
                return [self.table(where.side)[_ids(inputs).to(self.device)]]
            inputs = self._placed(inputs)
            if where.kind == "output":
                given = self._forward(inputs)
                return [named(given, where.name, type(self.module).__name__)]
            if where.kind == "module":
                return [self._module(inputs, where.name)]
            return self._captured(inputs, where)

    def table(self, side: str = "") -> torch.Tensor:
        """The token-embedding table (tokens, d).

        Raises
        ------
        NotFoundError
            The network has none.
        """
        root = self._side(side)
        for owner in (root, self.module):
            find = getattr(owner, "get_input_embeddings", None)
            found = getattr(find() if find else None, "weight", None)
            if isinstance(found, torch.Tensor) and found.ndim == 2:
                return found.detach()
        raise NotFoundError(
            f"{type(self.module).__name__} has no token-embedding table.", self._known()
        )

    def describe(self) -> list[Part]:
        """Every module, in order, with the shape of what it gives for the example."""
        shapes = self._shapes() if self.example is not None else {}
        sides: dict[int, str] = {}
        numbers: dict[int, int] = {}
        for side in ("encoder", "decoder") if self.two_sided else ("",):
            for number, layer in enumerate(self.layers(side), 1):
                sides[id(layer)] = side
                numbers.setdefault(id(layer), number)
        return [
            Part(
                name=name,
                kind=type(module).__name__,
                shape=shapes.get(name, ()),
                side=sides.get(id(module), ""),
                layer=numbers.get(id(module)),
                parameters=sum(weights.numel() for weights in module.parameters()),
            )
            for name, module in self.module.named_modules()
            if name
        ]

    def _captured(self, inputs: Inputs, where: Where) -> list[torch.Tensor]:
        layers = self.layers(where.side)
        if not layers:
            return [self._whole(inputs, where)]
        try:
            wanted = where.indices(len(layers))
        except NotFoundError as error:
            raise NotFoundError(error.what, f"{error.remedy} {self._known()}") from error
        taps: dict[int, Tap] = {}
        for index in wanted:
            if index < len(layers):
                call = sum(layer is layers[index] for layer in layers[:index])
                taps[index] = Tap(layers[index], before=True, call=call)
        whole = len(layers) in wanted
        stop = None if whole else taps[max(wanted)]
        given = run(lambda: self._forward(inputs, where.side), taps.values(), stop)
        last = {len(layers): principal(given, self._name)} if whole else {}
        values = {index: tap.value for index, tap in taps.items()} | last
        return [_tensor(values[index]) for index in wanted]

    def _whole(self, inputs: Inputs, where: Where) -> torch.Tensor:
        """Of a network without a list of layers only the last values are known by number."""
        if str(where) not in ("last", "encoder last"):
            raise NotFoundError(
                f"{self._name} has no list of layers, so `{where}` is none of them.",
                f"Say last, or name a module. {self._known()}",
            )
        return principal(self._forward(inputs, where.side), self._name)

    def _module(self, inputs: Inputs, name: str) -> torch.Tensor:
        modules = dict(self.module.named_modules())
        if name not in modules:
            raise NotFoundError(
                f"{self._name} has no module `{name}`.",
                f"{_near(name, modules)}{self._known()}",
            )
        tap = Tap(modules[name])
        run(lambda: self._forward(inputs), [tap], tap if self._once(name) else None)
        if tap.value is None:
            raise NotFoundError(
                f"`{name}` is a part of {self._name} that is not run by itself.",
                f"Name a module inside it, or the one that holds it. {self._known()}",
            )
        return principal(tap.value, f"`{name}`", module=True)

    def _once(self, name: str) -> bool:
        """Whether one pass runs this module once, so that it may end there."""
        if name not in self._calls:
            if self.example is None:
                return False
            tap = Tap(self.module.get_submodule(name))
            run(lambda: self._forward(self._placed(self.example)), [tap], None)
            self._calls[name] = tap.calls
        return self._calls[name] == 1

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        assert self.example is not None, "asked by `describe` where there is one"
        taps = {name: Tap(module) for name, module in self.module.named_modules() if name}
        with torch.inference_mode():
            run(lambda: self._forward(self._placed(self.example)), taps.values(), None)
        found = {name: list(outputs_of(tap.value).values()) for name, tap in taps.items()}
        return {name: tuple(values[0].shape[1:]) for name, values in found.items() if values}

    def _known(self) -> str:
        """The layers with their shapes, for an error."""
        parts = [part for part in self.describe() if part.layer is not None]
        if not parts:
            parts = [part for part in self.describe() if "." not in part.name]
        told = [_listed(part) for part in parts]
        more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        layers = ", ".join(told[:_SHOWN])
        return f"Its layers: {layers}{more}; `spaceport layers MODEL` lists all modules."

    def _side(self, side: str) -> Any:
        if not self.two_sided:
            if side:
                raise NotFoundError(f"{self._name} has one side only.", f"Leave out `{side}`.")
            return self.module
        find = "get_decoder" if side == "decoder" else "get_encoder"
        return getattr(self.module, find)()

    def _forward(self, inputs: Any, side: str | None = None) -> Any:
        """Run the whole network, or of a two-sided one the encoder where that is enough."""
        if self.two_sided and side in ("", "encoder"):
            return self._side("encoder")(**inputs)
        if self.two_sided and "input_ids" in inputs:
            inputs = {**inputs, **fed(inputs, self.module.config)}
        return self.module(**inputs) if isinstance(inputs, Mapping) else self.module(inputs)

    def _placed(self, inputs: Any) -> Any:
        if isinstance(inputs, Mapping):
            return {name: self._placed(value) for name, value in inputs.items()}
        return inputs.to(self.device) if isinstance(inputs, torch.Tensor) else inputs

    @property
    def _name(self) -> str:
        return type(self.module).__name__


def _listed(part: Part) -> str:
    number = "" if part.layer is None else f"{part.side} {part.layer} ".lstrip()
    return f"{number}{part.name} {shown(part.shape)}"


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(near)}? " if near else ""


def _ids(inputs: Inputs) -> torch.Tensor:
    if isinstance(inputs, Mapping) and isinstance(inputs.get("input_ids"), torch.Tensor):
        return inputs["input_ids"]
    raise NotFoundError(
        "The table holds vectors of tokens, and these items have none.", "Ask for a layer."
    )


def _tensor(value: Any) -> torch.Tensor:
    assert isinstance(value, torch.Tensor), "a layer is given its hidden states"
    return value
