"""Pictures made ready for a network as its folder says: decoded, resized, cropped, scaled.

Files are decoded by the rules of `sources._pictures` (upright, on white, CMYK and 16 bits converted),
then handed to the model's own image processor, always the one that computes with Pillow: with
torchvision the same settings give other numbers.

A network of patches may put tokens of its own before them (a class token, registers). They are no
place in the picture: ``mean``, ``max`` and ``weighted mean`` leave them out, ``cls`` takes the first
of them, ``flatten`` keeps all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spaceport.errors import InputError
from spaceport.networks.inputs.prepared import Positions, Prepared
from spaceport.networks.origins import configuration
from spaceport.sources._pictures import decode

__all__ = ["Pictures", "extra_tokens"]

_AREA = 16 * 16
"""Pixels that count as one position."""

_EXTRA = re.compile(
    r"(.*\.)?embeddings\.(cls_token|class_embedding|distillation_token|register_tokens)"
)
_MODES = {1: "L", 3: "RGB"}


class Pictures:
    """A model's image processor.

    Parameters
    ----------
    folder : Path
        The model's, with ``preprocessor_config.json``.
    network : torch.nn.Module
        By which the tokens of its own are told.

    Raises
    ------
    InputError
        There is no processor, one that needs torchvision, or the network takes other than one or three
        channels.
    """

    def __init__(self, folder: Path, network: torch.nn.Module) -> None:
        config = configuration(folder)
        channels = {**config, **config.get("vision_config", {})}.get("num_channels", 3)
        if channels not in _MODES:
            raise InputError(
                f"{folder} takes pictures of {channels} channels.",
                "Files are decoded to 3 channels or to 1; prepare others yourself: "
                "activations.of(module, prepare).",
            )
        self._mode = _MODES[channels]
        self._processor = _processor(folder)
        self._positions = Positions(extra_tokens(network))

    def pieces(self, items: Sequence[bytes], prompt: str = "", chunk: bool = False) -> Prepared:
        """Make n picture files ready, each a piece.

        Raises
        ------
        InputError
            Some cannot be read: counted, the first told.
        """
        arrays: list[dict[str, npt.NDArray[Any]]] = []
        bad: list[tuple[int, InputError]] = []
        for place, data in enumerate(items):
            try:
                arrays.append(self._made(decode(data)))
            except InputError as error:
                bad.append((place, error))
        if bad:
            place, first = bad[0]
            raise InputError(
                f"{len(bad)} of {len(items)} pictures cannot be read; the first, at position {place}: "
                f"{first.what}",
                first.remedy,
            ) from first
        values = np.array([piece["pixel_values"].size for piece in arrays], np.int64)
        lengths = np.maximum(1, values // (len(self._mode) * _AREA))
        return Prepared(arrays, np.arange(len(items)), lengths, self._positions)

    def example(self) -> dict[str, torch.Tensor]:
        """A gray picture, as the network takes it."""
        from PIL import Image

        made = self._made(Image.new("RGB", (64, 64), "gray"))
        return {name: torch.from_numpy(values[None]) for name, values in made.items()}

    def _made(self, picture: Any) -> dict[str, npt.NDArray[Any]]:
        found = self._processor(picture.convert(self._mode), return_tensors="np")
        return {name: np.asarray(values)[0] for name, values in found.items()}


def extra_tokens(network: torch.nn.Module) -> int:
    """How many tokens a network of patches puts before them: class, distillation, registers.

    Examples
    --------
    >>> class Embeddings(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.cls_token = torch.nn.Parameter(torch.zeros(1, 1, 8))
    ...         self.register_tokens = torch.nn.Parameter(torch.zeros(1, 4, 8))
    >>> extra_tokens(torch.nn.ModuleDict({"embeddings": Embeddings()}))
    5
    """
    tokens = [value for name, value in network.named_parameters() if _EXTRA.fullmatch(name)]
    return sum(1 if value.ndim == 1 else int(value.shape[-2]) for value in tokens)


def _processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor

    try:
        return AutoImageProcessor.from_pretrained(
            folder, backend="pil", local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"How {folder} prepares pictures cannot be read: {str(error).splitlines()[0]}",
            "Save the processor beside the model: "
            "AutoImageProcessor.from_pretrained(…).save_pretrained(folder).",
        ) from error
