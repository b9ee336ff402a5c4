"""Activations of a network written as ONNX: the values of a layer, or of several, without torch.

::

    φ(x) = after(pool(join(h_l(x) for l in where)))

as `activations` has it, with h_l found in the graph (`networks.onnx_graph`), which is cut there: what
comes behind the last wanted value is not run. ``precision="int8"`` rounds weights and what they are
multiplied with to 8 bits (dynamic quantization, a scale for each column of the weights, one for each
item's values). What that loses is measured while a version is built, on items of its own source, and
stands on the card: the cosine to float32, and how many of ten neighbors stay.

Jacob, B. et al. (2018). Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference. CVPR; section 2. Run by ONNX Runtime.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer
from spaceport.encoders._rows import of_items, refuse_non_finite
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError, choices
from spaceport.networks import origins, pooling
from spaceport.networks.onnx_graph import Graph, files, find
from spaceport.networks.onnx_session import PRECISIONS, Session
from spaceport.networks.texts import Pieces, Tokenizer
from spaceport.networks.where import Where, parse
from spaceport.sources.base import Source

__all__ = ["ONNX"]

_BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json", "sentence_bert_config.json")
_POOLINGS = tuple(name for name in pooling.POOLINGS if name not in ("none", "flatten"))
_SAMPLE, _NEIGHBORS = 256, 10


class ONNX(Encoder):
    """Vectors from the layers of an ONNX model.

    Parameters
    ----------
    model : str
        A folder with ``model.onnx`` (or ``onnx/model.onnx``), ``config.json`` and ``tokenizer.json``; an
        installed package that carries one, or ``owner/name@revision`` on the Hugging Face hub.
        ``spaceport export-onnx`` writes such a folder.
    where : str
        Which values: ``last``, ``first``, ``4``, ``mean of last 4``, ``concatenate 1, 6``, ``table``,
        ``output NAME``, or the name of any value in the graph (`networks.where`).
    pooling : {"mean", "cls", "max", "last token", "weighted mean"}
        What becomes of the positions.
    special_tokens : bool
        The tokens that a tokenizer puts around a text count as positions.
    layer_norm, unit : bool
        After pooling: a layer norm; rows of unit length.
    dimension : int, optional
        Keep only so many values of each vector, the first.
    query_prompt, document_prompt : str
        Put before each text of that role.
    max_tokens : int, optional
        Longest piece of text; left out: as the model's files say.
    long : {"truncate", "chunk"}
        A longer text's end is left out; or it is encoded in chunks, and their vectors are averaged,
        weighted by their tokens.
    precision : {"float32", "int8"}
    threads : int, optional
        Texts that are encoded at the same time; left out: one for each core.

    Notes
    -----
    The model stays where it is: what is saved with a version is the SHA-256 of each of its files,
    and a model that has changed is refused.

    A processor without 8-bit dot products (VNNI, AMX, or those of ARM) gains little by int8, and may
    lose more than another.
    """

    modality: ClassVar[str] = "texts"
    costly: ClassVar[bool] = True
    neutral: frozenset[str] = frozenset({"model", "threads"})
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime", "tokenizers")

    def __init__(
        self,
        model: str,
        where: str = "last",
        pooling: str = "mean",
        special_tokens: bool = True,
        layer_norm: bool = False,
        unit: bool = False,
        dimension: int | None = None,
        query_prompt: str = "",
        document_prompt: str = "",
        max_tokens: int | None = None,
        long: str = "truncate",
        precision: str = "float32",
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.where = where
        self.pooling = pooling
        self.special_tokens = special_tokens
        self.layer_norm = layer_norm
        self.unit = unit
        self.dimension = dimension
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        self.max_tokens = max_tokens
        self.long = long
        self.precision = precision
        self.threads = threads
        self._check()
        self._files: dict[str, str] | None = None
        self._sessions: dict[str, Session] = {}
        self._graph: Graph | None = None
        self._facts: dict[str, Any] = {}
        self._items, self._long, self._seconds = 0, 0, 0.0

    def _check(self) -> None:
        self._where = _wanted(self.where)
        for name in ("dimension", "max_tokens", "threads"):
            if getattr(self, name) is not None:
                integer(getattr(self, name), name, 1)
        known = {"pooling": _POOLINGS, "long": ("truncate", "chunk"), "precision": PRECISIONS}
        for name, names in known.items():
            value = getattr(self, name)
            if value not in names:
                raise ParameterError(
                    f"`{name}` must be one of {', '.join(names)}. Got {value!r}.",
                    choices(str(value), names),
                )

    def fit(self, source: Source) -> ONNX:
        """Learn nothing; with int8, measure what it loses on 256 of the source's items, drawn evenly."""
        if self.precision == "int8":
            self._facts = self._loss(_drawn(source))
        return self

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode n texts.

        Raises
        ------
        InputError
            The model cannot be used, or gives NaN or infinity for some text.
        NotFoundError
            It has no such layer; the message lists those that there are, with their shapes.
        ParameterError
            `dimension` is larger than the layer.
        """
        began = time.perf_counter()
        pieces, vectors = self._encoded(items, role, self.precision)
        self._items += len(items)
        self._long += pieces.long
        self._seconds += time.perf_counter() - began
        return vectors

    def facts(self) -> dict[str, Any]:
        """Give texts encoded, how many were too long, the seconds, and what int8 loses."""
        if not self._items:
            return dict(self._facts)
        told = {"texts": self._items, "texts too long": self._long, "seconds": self._seconds}
        return {**told, **self._facts}

    def state(self) -> State:
        """Give the digests of the model's files: the model itself stays where it is."""
        if self._files is None:
            self._files = self._digests()
        return {}, {"files": self._files}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take the digests back; the model is read when it is needed."""
        self._files = dict(values["files"])

    def _encoded(self, items: Sequence[str], role: str, precision: str) -> tuple[Pieces, Matrix]:
        session = self._session(precision)
        prompt = self.query_prompt if role == "query" else self.document_prompt
        pieces = self._tokenizer.pieces(items, prompt, self.long == "chunk")
        rows = [
            self._pooled(values, _counts(pieces, place))
            for place, values in enumerate(session.each(pieces.tokens))
        ]
        vectors = of_items(np.concatenate(rows), pieces)
        refuse_non_finite(vectors, items)
        return pieces, pooling.after(
            vectors,
            layer_norm=self.layer_norm,
            dimension=self.dimension,
            unit=self.unit,
            where=f"`{self.where}`",
        )

    def _pooled(self, values: list[npt.NDArray[Any]], real: npt.NDArray[np.bool_]) -> Matrix:
        if self._where.join == "concatenate":
            joined = np.concatenate(values, axis=-1)
        else:
            joined = values[0] if len(values) == 1 else np.mean(values, axis=0)
        pooling.fits(joined, real, self.pooling, self.where)
        return pooling.pool(joined, real, self.pooling)

    def _session(self, precision: str) -> Session:
        if precision not in self._sessions:
            graph = self._read()
            names = graph.values(self._where)
            self._sessions[precision] = Session(graph.model, names, precision, self.threads)
        return self._sessions[precision]

    def _read(self) -> Graph:
        if self._graph is None:
            folder, found = origins.find(self.model), self._digests()
            if self._files not in (None, found):
                raise InputError(
                    f"`{self.model}` is not the model that this encoder was saved with.",
                    "Give the folder of the model as it was, or build a new version.",
                )
            config = origins.configuration(folder)
            told = (config.get(name) for name in ("num_hidden_layers", "n_layers", "n_layer"))
            layers = next((int(count) for count in told if isinstance(count, int)), None)
            self._graph, self._files = Graph(find(folder), layers), found
            self._tokenizer = Tokenizer(folder, self.max_tokens, self.special_tokens)
        return self._graph

    def _digests(self) -> dict[str, str]:
        folder = origins.find(self.model)
        beside = [folder / name for name in _BESIDE if (folder / name).is_file()]
        return origins.digests([*files(find(folder)), *beside])

    def _loss(self, texts: list[str]) -> dict[str, Any]:
        """What int8 loses: the cosine to float32, and how many of the nearest ten stay."""
        exact, rounded = (_unit(self._encoded(texts, "document", p)[1]) for p in PRECISIONS)
        self._sessions.pop("float32")
        cosine = (exact * rounded).sum(1)
        facts: dict[str, Any] = {
            "int8: cosine to float32": float(cosine.mean()),
            "int8: worst cosine": float(cosine.min()),
            "int8: measured on texts": len(texts),
        }
        k = min(_NEIGHBORS, len(texts) - 1)
        if k > 0:
            facts[f"int8: share of {k} neighbors kept"] = _kept(exact, rounded, k)
        return facts


def _wanted(text: str) -> Where:
    """What `where` says; a graph's values also have names that no module has."""
    if re.fullmatch(r"\S*[/:]\S*", text):
        return Where("module", name=text)
    return parse(text)


def _drawn(source: Source) -> list[str]:
    """Up to 256 texts, each as likely as any other (Vitter 1985, algorithm R)."""
    drawn: list[str] = []
    rng, seen = generator(0), 0
    for texts in source.contents():
        for text in texts:
            seen += 1
            if len(drawn) < _SAMPLE:
                drawn.append(text)
            elif (place := int(rng.integers(seen))) < _SAMPLE:
                drawn[place] = text
    return drawn


def _counts(pieces: Pieces, place: int) -> npt.NDArray[np.bool_]:
    """Which positions of a piece count, (1, t); a piece of special tokens alone keeps them."""
    plain = ~pieces.special[place]
    return (np.ones_like(plain) if pieces.all_real or not plain.any() else plain)[None]


def _unit(vectors: Matrix) -> Matrix:
    return pooling.after(vectors, layer_norm=False, dimension=None, unit=True)


def _kept(exact: Matrix, rounded: Matrix, k: int) -> float:
    """The share of each row's k nearest rows that are the same in both."""
    nearest = []
    for rows in (exact, rounded):
        likeness = rows @ rows.T
        np.fill_diagonal(likeness, -np.inf)
        nearest.append(np.argpartition(-likeness, k - 1, axis=1)[:, :k])
    same = [
        len(set(one) & set(other))
        for one, other in zip(*map(np.ndarray.tolist, nearest), strict=True)
    ]
    return float(np.mean(same)) / k
