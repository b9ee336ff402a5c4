"""What a network is made of: its modules, and the arithmetic up to each of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spaceport.networks.network import Network
from spaceport.networks.where import Where

__all__ = ["Module", "modules", "operations"]


@dataclass(frozen=True)
class Module:
    """One module of a network.

    Attributes
    ----------
    name : str
        As `where` takes it.
    kind : str
        Its class.
    side : {"", "encoder", "decoder"}
        Which stack of a network with two it is a layer of.
    layer : int or None
        Its number among the layers, from 1, where it is one.
    shape : tuple of int
        Of what it gives for an example of few positions; empty where it gives no one tensor.
    parameters : int
        Numbers in it.
    compute : float or None
        Of a layer, the share of a whole pass that has been computed behind it.
    """

    name: str
    kind: str
    side: str
    layer: int | None
    shape: tuple[int, ...]
    parameters: int
    compute: float | None


def modules(network: Network) -> list[Module]:
    """Every module of a network that has an example, in order.

    Examples
    --------
    >>> import torch
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)])
    ...     def forward(self, x):
    ...         return self.layers[1](self.layers[0](x))
    >>> for module in modules(Network(Net(), example=torch.ones(1, 4))):
    ...     print(module.name, module.layer, module.shape, module.parameters, module.compute)
    layers None () 40 None
    layers.0 1 (4,) 20 0.5
    layers.1 2 (4,) 20 1.0
    """
    parts = network.describe()
    sides = sorted({part.side for part in parts if part.layer is not None})
    shares = {side: _shares(network, side) for side in sides}
    return [
        Module(
            part.name,
            part.kind,
            part.side,
            part.layer,
            part.shape,
            part.parameters,
            None if part.layer is None else shares[part.side][part.layer],
        )
        for part in parts
    ]


def _shares(network: Network, side: str) -> list[float]:
    done = operations(network, side)
    return [each / (done[-1] or 1) for each in done]


def operations(network: Network, side: str = "") -> list[int]:
    """Floating-point operations up to what goes into the first layer, to what each layer gives, and in all.

    Of one pass over the network's example, as torch counts them (matrix products and convolutions),
    (L + 1,).

    Examples
    --------
    >>> import torch
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)])
    ...     def forward(self, x):
    ...         return self.layers[1](self.layers[0](x))
    >>> operations(Network(Net(), example=torch.ones(1, 4)))
    [0, 32, 64]
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    marks: list[int] = []

    def mark(*_: Any) -> None:
        marks.append(int(counter.get_total_flops()))

    layers = {id(layer): layer for layer in network.layers(side)}.values()
    hooks = [layer.register_forward_pre_hook(mark) for layer in layers]
    try:
        with counter:
            network.capture(network.example, Where(last=1, side=side))
    finally:
        for hook in hooks:
            hook.remove()
    mark()
    return marks
