"""What a model's folder says that it takes, and how items become its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, ParameterError
from spaceport.networks.network import Network
from spaceport.networks.origins import configuration
from spaceport.networks.texts import Tokenizer
from spaceport.networks.where import Where

__all__ = ["Pieces", "Reader", "modalities_of", "modality_of", "reader_of"]


_KINDS: dict[type, tuple[str, ...]] = {str: ("texts",), bytes: ("images", "audio")}


class Pieces(Protocol):
    """Items made ready for a network: a piece for each, or several.

    Attributes
    ----------
    lengths : ndarray of shape (p,), int64
        What a piece costs: its tokens, or as many positions as it has. Never 0.
    groups : ndarray of shape (p,), int64, or None
        Only pieces of one number go through the network together; None: any.
    amounts : ndarray of shape (p,)
        How much each piece counts in the mean of an item's pieces.
    parents : ndarray of shape (p,), int64
        The item that each piece is of; ascending, every item there.
    long : int
        Items that did not fit into one piece.
    """

    @property
    def parents(self) -> npt.NDArray[Any]: ...  # noqa: D102 - told above

    @property
    def long(self) -> int: ...  # noqa: D102 - told above

    @property
    def groups(self) -> npt.NDArray[Any] | None: ...  # noqa: D102 - told above

    @property
    def lengths(self) -> npt.NDArray[Any]: ...  # noqa: D102 - told above

    @property
    def amounts(self) -> npt.NDArray[Any]: ...  # noqa: D102 - told above

    def batch(self, places: npt.NDArray[Any]) -> tuple[dict[str, Any], npt.NDArray[Any] | None]:
        """What the network is given for some pieces (m,), and where positions are real (m, t).

        None stands for: everywhere.
        """
        ...

    def kept(self, places: npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[np.bool_] | None:
        """Which positions of these pieces' values (m, t, d) are pooled, where `batch` gave None.

        None again stands for: everywhere.
        """
        ...

    def names(self, place: int, there: npt.NDArray[np.bool_]) -> list[str]:
        """What people call those positions of a piece that are there (t,): a text's tokens."""
        ...


class Reader(Protocol):
    """Makes pieces of items, as a model's folder says."""

    def pieces(self, items: Sequence[Any], prompt: str = "", chunk: bool = False) -> Pieces:
        """Make n items ready; `prompt` and `chunk` are for texts."""
        ...


def modalities_of(folder: Path) -> tuple[str, ...]:
    """What a model takes, in the words of `sources.base.Source`; more than one of a network of towers.

    Raises
    ------
    InputError
        The folder does not say.
    """
    told = _preparation(folder)
    texts = (folder / "tokenizer.json").is_file()
    if told:
        kind = "audio" if "sampling_rate" in told else "images"
        both = texts and "text_config" in configuration(folder)
        return ("texts", kind) if both else (kind,)
    if texts:
        return ("texts",)
    raise InputError(
        f"{folder} has no tokenizer.json and no preprocessor_config.json, so it is not known how items "
        "become its inputs.",
        "Save them beside the model: AutoTokenizer.from_pretrained(…).save_pretrained(folder), or "
        "AutoImageProcessor, AutoFeatureExtractor.",
    )


def modality_of(items: Sequence[Any], modalities: Sequence[str], who: str) -> str:
    """Which of a model's modalities these items are.

    Raises
    ------
    InputError
        None.

    Examples
    --------
    >>> modality_of([b"P6 1 1 255"], ["texts", "images"], "clip")
    'images'
    """
    first = items[0] if len(items) else None
    wanted = _KINDS.get(type(first), ())
    for modality in modalities:
        if modality in wanted:
            return modality
    raise InputError(
        f"{who} takes {' and '.join(modalities)}. Got {type(first).__name__}.",
        "Give texts as str, pictures and sounds as the bytes of their files.",
    )


def reader_of(
    folder: Path, network: Network, where: Where, told: dict[str, Any], modality: str = "texts"
) -> Reader:
    """What makes pieces of items for a network; the network gets its example.

    Parameters
    ----------
    folder : Path
        The model's.
    network : Network
    where : Where
        On a decoder's side positions are moved by one.
    told : dict
        ``most`` positions of a piece; for texts also ``special_tokens``, as `texts.Tokenizer` takes them.
    modality : str
        One of `modalities_of`.

    Raises
    ------
    InputError
        The files that say how items are prepared are missing, or of another model.
    """
    if modality != "texts":
        return _media_reader(folder, network, where, told["most"], modality)
    tokenizer = Tokenizer(folder, moved=where.side == "decoder", **told)
    tokenizer.check(len(network.table()))
    network.example = tokenizer.pieces(["one two three"]).batch(np.array([0]))[0]
    return tokenizer


def _media_reader(
    folder: Path, network: Network, where: Where, most: int | None, modality: str
) -> Reader:
    from spaceport.networks.inputs.audio import Sounds
    from spaceport.networks.inputs.images import Pictures

    if where.side == "decoder":
        raise ParameterError(
            f"`{where}`: a decoder is fed texts, and these are {modality}.", "Say encoder."
        )
    reader = (
        Pictures(folder, network.module)
        if modality == "images"
        else Sounds(folder, network.module, most)
    )
    network.example = reader.example()
    return reader


def _preparation(folder: Path) -> dict[str, Any]:
    """How pictures or sounds are prepared, from either of the files that may say it."""
    processor = configuration(folder, "processor_config.json")
    inner = processor.get("image_processor") or processor.get("feature_extractor") or {}
    return configuration(folder, "preprocessor_config.json") or inner
