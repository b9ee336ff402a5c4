"""Networks that bring two modalities into one space, such as CLIP: the tower of each, by itself.

A tower's outputs are named as in transformers; ``image_embeds``, ``text_embeds`` and ``audio_embeds``
are its projections into the space that the towers share, at their own length (unit=True makes them
what CLIP compares).

SigLIP (Zhai, Mustafa, Kolesnikov & Beyer 2023) was trained on texts filled up to one length, without
a mask, and takes its last position: so texts are filled up here, too, and what was added is not pooled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import pad

from spaceport.networks.network import Inputs, Network
from spaceport.networks.where import Where

__all__ = ["Tower", "tower"]

_TOWERS = {"texts": "text", "images": "image", "audio": "audio"}
_MODULES = {"texts": "text_model", "images": "vision_model", "audio": "audio_model"}

_FILLED = frozenset({"siglip", "siglip2"})


class Tower(Network):
    """One tower of a network that has several.

    Parameters
    ----------
    whole : Network
    modality : {"texts", "images", "audio"}
        Which tower.
    """

    def __init__(self, whole: Network, modality: str) -> None:
        super().__init__(whole.module, missing=whole.missing)
        self._modality = modality

    def capture(self, inputs: Inputs, where: Where) -> list[torch.Tensor]:
        """See `Network.capture`."""
        config = self.module.config
        if self._modality != "texts" or config.model_type not in _FILLED or where.kind == "table":
            return super().capture(inputs, where)
        count = inputs["input_ids"].shape[1]
        full = config.text_config.max_position_embeddings
        number = config.text_config.pad_token_id or 0
        filled = pad(
            torch.where(inputs["attention_mask"] > 0, inputs["input_ids"], number),
            (0, full - count),
            value=number,
        )
        found = super().capture({"input_ids": filled}, where)
        return [values[:, :count] if values.ndim == 3 else values for values in found]

    def _side(self, side: str) -> Any:
        super()._side(side)
        return getattr(self.module, _MODULES[self._modality])

    def _forward(self, inputs: Any, side: str | None = None) -> Mapping[str, Any]:
        word = _TOWERS[self._modality]
        found = getattr(self.module, f"get_{word}_features")(**inputs)
        return {**found, f"{word}_embeds": found["pooler_output"]}


def tower(network: Network, modality: str) -> Network:
    """What takes items of this modality: a tower where the network has several, or the network."""
    towers = [name for name in _MODULES.values() if hasattr(network.module, name)]
    return Tower(network, modality) if len(towers) > 1 else network
