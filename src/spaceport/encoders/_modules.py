"""What `activations` runs: a model that lies in a folder, or a torch module of the user's own.

Either gives a *door* for the items that come: the network (of two towers the one that takes them) and
what makes its inputs of them. Neither is saved with a version, only what tells it from others: the
SHA-256 of the folder's files, or of the module's parameters, with the user's word for the code.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from spaceport.encoders._networks import digests_of, left_out, refuse_lacking
from spaceport.errors import InputError, ParameterError
from spaceport.networks import kinds, models, origins
from spaceport.networks.inputs.given import Given
from spaceport.networks.joint import tower
from spaceport.networks.where import Where

__all__ = ["Door", "Model", "Module", "Prepare", "Stored", "is_module", "module_name"]

Prepare: TypeAlias = Callable[[Any], Any]

_MODULE = re.compile(r"module:(?P<name>[\w.-]+)@(?P<revision>[\w.-]+)")


_LIBRARIES = {
    "texts": ("transformers", "tokenizers"),
    "images": ("transformers", "pillow"),
    "audio": ("transformers", "scipy", "soundfile", "torchaudio"),
    "any": (),
}
"""What prepares items; torchaudio, where it is there, makes the spectrograms of some models."""


@dataclass(frozen=True)
class Door:
    """A way into a network: itself, and what makes its inputs of items of one modality."""

    network: models.Network
    reader: kinds.Reader
    modality: str


class Model(ABC):
    """What is run, and how items get into it.

    Attributes
    ----------
    known : dict or None
        What tells it from others, as `identity` gives it; where an encoder was read back, that of the
        model that it was saved with.
    """

    known: dict[str, Any] | None = None

    @abstractmethod
    def door(self, items: Sequence[Any]) -> Door:
        """The network for these items, ready to run, and what makes its inputs of them."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What tells this model from others; JSON-able."""

    def left_out(self, unit: bool) -> list[str]:
        """What the model's folder names behind the pooling, and is not done here."""
        return []

    @abstractmethod
    def modalities(self) -> tuple[str, ...]:
        """What it takes, in the words of `sources.base.Source`, or ``any``."""

    def libraries(self) -> tuple[str, ...]:
        """Distributions that compute the values, or what goes into the network."""
        prepared = [name for kind in self.modalities() for name in _LIBRARIES[kind]]
        return ("torch", *(name for name in prepared if _installed(name)))


class Stored(Model):
    """A Hugging Face model in a folder, a package or on the hub.

    Parameters
    ----------
    name : str
        As `origins.find` takes it.
    where : Where
    reading : dict
        What `kinds.reader_of` is told.
    device : str
    """

    def __init__(self, name: str, where: Where, reading: dict[str, Any], device: str) -> None:
        self._name, self._where, self._reading, self._device = name, where, reading, device
        self._network: models.Network | None = None
        self._doors: dict[str, Door] = {}

    def door(self, items: Sequence[Any]) -> Door:
        """See `Model`."""
        modality = kinds.modality_of(items, self.modalities(), self._name)
        if modality not in self._doors:
            self._doors[modality] = self._opened(modality)
        return self._doors[modality]

    def identity(self) -> dict[str, Any]:
        """The digests of the model's files, and what it takes."""
        if self.known is None:
            self.known = _identity(origins.find(self._name))
        return self.known

    def modalities(self) -> tuple[str, ...]:
        """What the folder says."""
        return tuple(self.identity()["modalities"])

    def left_out(self, unit: bool) -> list[str]:
        """What sentence-transformers would do behind the pooling."""
        return left_out(origins.find(self._name), unit)

    def _opened(self, modality: str) -> Door:
        folder = origins.find(self._name)
        if self._network is None:
            found = _identity(folder)
            if self.known not in (None, found):
                raise InputError(
                    f"`{self._name}` is not the model that this encoder was saved with.",
                    "Give the folder of the model as it was, or build a new version.",
                )
            self._network, self.known = models.read(folder), found
        network = tower(self._network, modality)
        reader = kinds.reader_of(folder, network, self._where, self._reading, modality)
        refuse_lacking(network, self._where, folder)
        network.module.to(self._device)
        return Door(network, reader, modality)


class Module(Model):
    """A torch module of the user's own.

    Parameters
    ----------
    name : str
        As `module_name` writes it.
    device : str, optional
        Left out: the module stays where it is.
    """

    def __init__(self, name: str, device: str | None) -> None:
        told = _MODULE.fullmatch(name)
        assert told is not None, "asked by `is_module` before"
        self._name, self._revision, self._device = told["name"], told["revision"], device
        self._door: Door | None = None

    def bind(self, module: torch.nn.Module, prepare: Prepare | None) -> None:
        """Take the module, and the function that makes its inputs of items.

        Raises
        ------
        ParameterError
            It is no torch module.
        InputError
            It is not the one that the encoder was saved with.
        """
        if not isinstance(module, torch.nn.Module):
            raise ParameterError(
                f"`module` must be a torch.nn.Module. Got {type(module).__name__}.",
                "Give the network itself; a function is for the method `callable`.",
            )
        known = {"module": digest_of(module), "revision": self._revision}
        if self.known not in (None, known):
            raise InputError(
                "The module's parameters are not those that this encoder was saved with.",
                "Load the weights as they were, or build a new version.",
            )
        if self._device is not None:
            module.to(self._device)
        self.known = known
        self._door = Door(models.Network(module.eval()), Given(prepare), "any")

    def door(self, items: Sequence[Any]) -> Door:
        """See `Model`."""
        if self._door is None:
            raise InputError(
                f"The module `{self._name}` is not there: code is never saved.",
                "Give it again: encoder.bind(module, prepare).",
            )
        if self._door.network.example is None:
            pieces = self._door.reader.pieces(items[:1])
            self._door.network.example = pieces.batch(np.array([0]))[0]
        return self._door

    def identity(self) -> dict[str, Any]:
        """The digest of the module's parameters, and the revision that the user told."""
        return self.known or {"module": "", "revision": self._revision}

    def modalities(self) -> tuple[str, ...]:
        """Whatever `prepare` takes."""
        return ("any",)


def _installed(name: str) -> bool:
    return name != "torchaudio" or find_spec(name) is not None


def _identity(folder: Path) -> dict[str, Any]:
    origins.weights(folder)
    return {"files": digests_of(folder), "modalities": [*kinds.modalities_of(folder)]}


def is_module(model: str) -> bool:
    """Whether a model's name is one of a user's own module.

    Examples
    --------
    >>> is_module("module:my-net@1"), is_module("minilm")
    (True, False)
    """
    return _MODULE.fullmatch(model) is not None


def module_name(name: str, revision: str) -> str:
    """Write down a user's own module.

    Raises
    ------
    ParameterError
        A name or a revision of other signs.

    Examples
    --------
    >>> module_name("my-net", "1")
    'module:my-net@1'
    """
    told = f"module:{name}@{revision}"
    if not is_module(told):
        raise ParameterError(
            f"`name` and `revision` must be of letters, digits, - _ and dots. Got {name!r}, {revision!r}.",
            'Start with name="my-net", revision="1".',
        )
    return told


def digest_of(module: torch.nn.Module) -> str:
    """SHA-256 over a module's parameters and buffers: names, dtypes, shapes and bytes, by name.

    Examples
    --------
    >>> first, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    >>> digest_of(first) == digest_of(other), digest_of(first) == digest_of(first)
    (False, True)
    """
    digest = sha256()
    for name, values in sorted(module.state_dict().items()):
        if isinstance(values, torch.Tensor):
            digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
            flat = values.detach().cpu().contiguous().flatten().view(torch.uint8)
            digest.update(np.asarray(flat).data)
    return digest.hexdigest()
