"""Which values of a network are wanted: one short text, read and written the same way.

::

    last | first | 4 | -2            the output of a layer; 0 is what goes into the first one
    mean of last 4                   the average over layers, element by element
    mean of 1, 3, 5
    concatenate last 2               layers side by side
    concatenate 1, 6
    encoder … | decoder …            of a network with two sides, for example `decoder last`
    table                            the token-embedding table itself; no layer is run
    layer4.1.relu                    the output of a module, by its name
    output image_embeds              an output of the whole network, by its name

Layers count as in transformers' ``hidden_states``: 0 is the embeddings' output, `first` is 1, `last`
is the number of layers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from spaceport.errors import NotFoundError, ParameterError

__all__ = ["Where", "parse"]

_HOW = (
    "Write last, first, an index, `mean of last 4`, `concatenate 1, 6`, `decoder last`, table, a "
    "module's name, or `output NAME`; `spaceport layers MODEL` lists the layers."
)
_MODULE = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*")
_OWN = frozenset({"mean", "concatenate", "of", "output", "encoder", "decoder"})


@dataclass(frozen=True)
class Where:
    """Which values of a network are wanted.

    Attributes
    ----------
    kind : {"layers", "table", "module", "output"}
        Layers by their index; the token-embedding table; a module's output; an output of the whole.
    layers : tuple of int
        Indices, where `kind` is ``"layers"``; negative ones count from the end.
    join : {"mean", "concatenate"}
        What becomes of several layers.
    last, first : int
        The last (first) so many layers are meant, instead of `layers`.
    side : {"", "encoder", "decoder"}
        The side of a network that has two; empty: the encoder, or the only one.
    name : str
        Of the module or the output.

    Examples
    --------
    >>> parse("mean of last 4").indices(6)
    (3, 4, 5, 6)
    >>> str(parse("decoder  concatenate of 1,-1"))
    'decoder concatenate 1, -1'
    """

    kind: str = "layers"
    layers: tuple[int, ...] = ()
    join: str = "mean"
    last: int = 0
    first: int = 0
    side: str = ""
    name: str = ""

    def indices(self, count: int) -> tuple[int, ...]:
        """The wanted layers of a network of `count` layers, each from 0 to `count`, in the order told.

        Raises
        ------
        NotFoundError
            There is no such layer.
        """
        if self.kind != "layers":
            return ()
        if self.last or self.first:
            wanted = self.last or self.first
            if wanted > count:
                raise NotFoundError(
                    f"`{self}` asks for {wanted} layers, and the network has {count}.",
                    f"Ask for at most {count}.",
                )
            start = count - wanted + 1 if self.last else 1
            return tuple(range(start, start + wanted))
        for index in self.layers:
            if not -count - 1 <= index <= count:
                raise NotFoundError(
                    f"`{self}` asks for layer {index}, and the network has {count}.",
                    f"Layers go from 0, the embeddings, to {count}, the last.",
                )
        return tuple(index % (count + 1) for index in self.layers)

    def __str__(self) -> str:
        prefix = f"{self.side} " if self.side else ""
        if self.kind == "table":
            return f"{prefix}table"
        if self.kind in ("module", "output"):
            return f"{prefix}output {self.name}" if self.kind == "output" else self.name
        return prefix + self._layers()

    def _layers(self) -> str:
        joined = "mean of" if self.join == "mean" else "concatenate"
        if self.last or self.first:
            count, end = (self.last, "last") if self.last else (self.first, "first")
            return end if count == 1 and self.join == "mean" else f"{joined} {end} {count}"
        told = ", ".join(map(str, self.layers))
        return told if len(self.layers) == 1 else f"{joined} {told}"


def parse(text: str) -> Where:
    """Read the text form.

    Raises
    ------
    ParameterError
        It is none.

    Examples
    --------
    >>> parse("layer4.1.relu").kind, parse("last").indices(12), parse("-2").indices(12)
    ('module', (12,), (11,))
    >>> parse("mean of nothing")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `where` must say which layers are wanted. Got 'mean of nothing'.
    Write last, first, an index, ...
    """
    words = str(text).split()
    side = words[0] if len(words) > 1 and words[0] in ("encoder", "decoder") else ""
    found = _read(" ".join(words[1:] if side else words))
    if found is None or (side and found.kind == "module"):
        raise ParameterError(f"`where` must say which layers are wanted. Got {text!r}.", _HOW)
    return replace(found, side=side)


def _read(text: str) -> Where | None:
    if text == "table":
        return Where("table")
    if output := re.fullmatch(r"output ([\w.-]+)", text):
        return Where("output", name=output[1])
    if joined := re.fullmatch(r"(mean|concatenate)(?: of)? (.+)", text):
        found = _span(joined[2]) or _listed(joined[2])
        return found and replace(found, join=joined[1])
    if span := _span(text):
        return span if text in ("last", "first") else None
    if re.fullmatch(r"-?\d+", text):
        return Where(layers=(int(text),))
    return Where("module", name=text) if _MODULE.fullmatch(text) and text not in _OWN else None


def _span(text: str) -> Where | None:
    """``last``, ``last 4``, ``first 2``."""
    span = re.fullmatch(r"(last|first)(?: ([1-9]\d*))?", text)
    if span is None:
        return None
    count = int(span[2] or 1)
    return Where(last=count) if span[1] == "last" else Where(first=count)


def _listed(text: str) -> Where | None:
    """``1, 3, -1``: two or more, each once."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2 or not all(re.fullmatch(r"-?\d+", part) for part in parts):
        return None
    layers = tuple(map(int, parts))
    return Where(layers=layers) if len({*layers}) == len(layers) else None
