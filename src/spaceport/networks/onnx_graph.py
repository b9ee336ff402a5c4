"""The values inside an ONNX graph: which of them are the layers' outputs, and a graph that ends there.

Exporters keep no layers. They are found again by what holds of any transformer: each has one attention,
and all that follows it depends on it through one value at a time, the residual stream. So hidden state i
is the last value, before the attention of layer i + 1, through which every path leads from the attention
of layer i to the outputs. A value v is on every path from s to the end if and only if

    paths(s → v) · paths(v → end) = paths(s → end)

and both counts are sums over the graph, taken once forward and once backward. Paths through a shape
carry no values and are not counted. A graph whose outputs are called ``hidden_states.0``… is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx

from spaceport.errors import InputError, NotFoundError, choices
from spaceport.networks.where import Where

__all__ = ["Graph", "cut", "files", "find"]

_ATTENTION = frozenset({"Softmax", "Attention", "MultiHeadAttention", "GroupQueryAttention"})
_WITHOUT_VALUES = frozenset({"Shape", "Size"})
_LAST = ("last_hidden_state", "token_embeddings", "hidden_state")
_SHOWN = 12


def find(folder: Path) -> Path:
    """The ONNX file of a model's folder, or of its folder ``onnx``: ``model.onnx``, or the only one.

    Raises
    ------
    InputError
        There is none, or there are several and none is called ``model.onnx``.
    """
    found = [path for place in (folder, folder / "onnx") for path in sorted(place.glob("*.onnx"))]
    named = [path for path in found if path.name == "model.onnx"]
    if not found:
        raise InputError(
            f"{folder} has no weights as ONNX (*.onnx).",
            f"Write them: spaceport export-onnx {folder} --to NEW_FOLDER.",
        )
    if not named and len(found) > 1:
        raise InputError(
            f"{folder} has {len(found)} ONNX files: {', '.join(path.name for path in found[:5])}.",
            "Call the right one model.onnx.",
        )
    return (named or found)[0]


def files(path: Path) -> list[Path]:
    """An ONNX file and the files beside it in which it keeps its weights."""
    model = _loaded(path, False)
    stored = {
        entry.value
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return [path, *(path.parent / name for name in sorted(stored))]


class Graph:
    """An ONNX model, and what its values are.

    Parameters
    ----------
    path : Path
    layers : int, optional
        How many layers the model's configuration tells of.

    Raises
    ------
    InputError
        The file is no ONNX model.
    """

    def __init__(self, path: Path, layers: int | None = None) -> None:
        self.path, self.told = path, layers
        self.model = _loaded(path, True)
        self.nodes: Sequence[Any] = self.model.graph.node
        self.inputs = [value.name for value in self.model.graph.input]
        self.outputs = [value.name for value in self.model.graph.output]

    def values(self, where: Where) -> list[str]:
        """The names of the wanted values, one for each layer.

        Raises
        ------
        NotFoundError
            There is no such value; the message lists those that there are.
        """
        if where.kind == "table":
            return [self._table()]
        if where.kind == "layers":
            if where.side == "decoder":
                raise NotFoundError(
                    f"`{where}`: {self.path.name} has one side.", "Leave `decoder` out."
                )
            return [self.layers[index] for index in where.indices(len(self.layers) - 1)]
        known = self.outputs if where.kind == "output" else self._made
        if where.name not in known:
            raise NotFoundError(
                f"{self.path.name} has no value `{where.name}`.", self._known(where)
            )
        return [where.name]

    @cached_property
    def layers(self) -> list[str]:
        """The values' names of hidden states 0, the embeddings, to n, the last.

        Raises
        ------
        NotFoundError
            They cannot be told from the graph.
        """
        last = self._last()
        named = [f"hidden_states.{index}" for index in range(len(self.outputs))]
        held = [name for name in named if name in self.outputs]
        if held:
            return [*held, last] if last not in held else held
        starts = [n.output[0] for n in self.nodes if n.op_type in _ATTENTION and n.output]
        if not starts or self.told not in (None, len(starts)):
            raise self._untold(f"{len(starts)} attentions and {self.told} layers told")
        from_each = [self._forward(name) for name in starts]
        ends = [name for name in self.outputs if from_each[-1][name] and name not in starts]
        to_end = self._backward(ends)
        sources = [self.inputs[0] if self._ids is None else self._ids, *starts[:-1]]
        found: list[str] = []
        for source, following, start in zip(sources, from_each, starts, strict=True):
            paths = self._forward(source)
            before = [
                name
                for name in self._made
                if name != start
                and not following[name]
                and paths[name] * to_end[name] == to_end[source]
                and to_end[source]
            ]
            if not before or before[-1] == source:
                raise self._untold(f"no value carries all of layer {len(found)}")
            found.append(before[-1])
        return [*found, last]

    def describe(self) -> list[tuple[str, str]]:
        """Each layer's value and each output with its shape, as ``batch x tokens x 384``."""
        inferred = onnx.shape_inference.infer_shapes(self.model)
        known = {v.name: v for v in (*inferred.graph.value_info, *inferred.graph.output)}
        try:
            names = [*self.layers, *self.outputs]
        except NotFoundError:
            norms = [n.output[0] for n in self.nodes if n.op_type == "LayerNormalization"]
            names = [*norms, *self.outputs]
        return [(name, _shape(known.get(name))) for name in dict.fromkeys(names)]

    @cached_property
    def _ids(self) -> str | None:
        return next((name for name in self.inputs if name == "input_ids"), None)

    @cached_property
    def _made(self) -> list[str]:
        return [name for node in self.nodes for name in node.output if name]

    def _last(self) -> str:
        ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in self.model.graph.output}
        named = [name for name in _LAST if name in ranks]
        deep = [name for name in self.outputs if ranks[name] == 3]
        if not (named or deep):
            raise self._untold("no output has positions")
        return (named or deep)[0]

    def _table(self) -> str:
        held = {tensor.name for tensor in self.model.graph.initializer}
        for node in self.nodes:
            if node.op_type == "Gather" and node.input[0] in held and node.input[1] == self._ids:
                return str(node.output[0])
        raise NotFoundError(
            f"{self.path.name} has no token-embedding table that input_ids go into.",
            "Give a value's name.",
        )

    def _forward(self, source: str) -> Counter[str]:
        """How many paths lead from a value to each."""
        paths = Counter({source: 1})
        for node in self.nodes:
            total = 0 if node.op_type in _WITHOUT_VALUES else sum(paths[n] for n in node.input)
            if total:
                paths.update({name: total for name in node.output if name})
        return paths

    def _backward(self, ends: Iterable[str]) -> Counter[str]:
        """How many paths lead from each value to one of `ends`."""
        paths = Counter(ends)
        for node in reversed(self.nodes):
            total = 0 if node.op_type in _WITHOUT_VALUES else sum(paths[n] for n in node.output)
            if total:
                for name in node.input:
                    paths[name] += total
        return paths

    def _known(self, where: Where) -> str:
        shapes = [f"{name} ({shape})" for name, shape in self.describe()]
        more = f" and {len(shapes) - _SHOWN} more" if len(shapes) > _SHOWN else ""
        near = choices(where.name, self._made, 0).partition("There are")[0]
        return f"{near}Layers and outputs: {', '.join(shapes[:_SHOWN])}{more}."

    def _untold(self, why: str) -> NotFoundError:
        return NotFoundError(
            f"The layers of {self.path.name} cannot be told from its graph: {why}.",
            f"Give a value's name as `where`; the outputs are {', '.join(self.outputs[:_SHOWN])}.",
        )


def cut(model: Any, names: Sequence[str]) -> Any:
    """A model that gives the values `names`, and holds no node that they do not need."""
    needed, kept = set(names), []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(_reads(node))
            kept.append(node)
    graph = onnx.helper.make_graph(
        kept[::-1],
        model.graph.name,
        [value for value in model.graph.input if value.name in needed],
        [onnx.helper.make_empty_tensor_value_info(name) for name in names],
        [tensor for tensor in model.graph.initializer if tensor.name in needed],
    )
    made = onnx.helper.make_model(graph, opset_imports=model.opset_import)
    made.ir_version = model.ir_version
    made.functions.extend(model.functions)
    return made


def _loaded(path: Path, whole: bool) -> Any:
    try:
        return onnx.load(path, load_external_data=whole)
    except Exception as error:  # protobuf's DecodeError and onnx's own have no common root
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} cannot be read as ONNX: {why}.", "Fetch or export the model again."
        ) from error


def _reads(node: Any) -> set[str]:
    """The values that a node, and the graphs inside it, read."""
    read = set(node.input)
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for part in inner.node:
                read |= _reads(part)
            read.update(value.name for value in inner.output)
    return read


def _shape(value: Any) -> str:
    if value is None:
        return "shape unknown"
    sizes = value.type.tensor_type.shape.dim
    return " x ".join(str(d.dim_value or d.dim_param or "?") for d in sizes)
