"""What a Python source file documents, by parsing it; also the program that workers of `pydocs` run.

Imports nothing but the standard library, so that a worker starts at once.
"""

from __future__ import annotations

import ast
import gc
import inspect
import json
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["Documented", "documented", "examine"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NESTING = ("body", "handlers", "cases", "orelse", "finalbody")
_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Documented(NamedTuple):
    """A module (its name is empty), class, function or method that has a docstring."""

    name: str
    kind: str
    parameters: list[str]
    docstring: str


def documented(source: bytes) -> list[Documented]:
    """Parse a source file and give what it documents, in order, the docstrings without indentation.

    Definitions under ``if``, ``try`` and ``with`` count; those inside of functions do not, for no
    dotted name leads to them.

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError
        The bytes are no Python source that this interpreter can parse.

    Examples
    --------
    >>> documented(b"def meow(times): 'Says it.'")
    [Documented(name='meow', kind='function', parameters=['times'], docstring='Says it.')]
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    found = [Documented("", "module", [], ast.get_docstring(tree) or "")]
    for prefix, kind, node in _definitions(tree, "", "function"):
        docstring = ast.get_docstring(node, clean=False)
        if docstring:
            name = prefix + node.name
            found.append(Documented(name, kind, _parameters(node), inspect.cleandoc(docstring)))
    return [item for item in found if item.docstring]


def _definitions(parent: ast.AST, prefix: str, kind: str) -> Iterator[tuple[str, str, _Definition]]:
    for field in _NESTING:
        for node in getattr(parent, field, ()):
            if isinstance(node, _FUNCTIONS):
                yield prefix, kind, node
            elif isinstance(node, ast.ClassDef):
                yield prefix, "class", node
                yield from _definitions(node, f"{prefix}{node.name}.", "method")
            else:
                yield from _definitions(node, prefix, kind)


def _parameters(node: _Definition) -> list[str]:
    """Names of the parameters, for a class those of its ``__init__``; ``self`` and ``cls`` left out."""
    if isinstance(node, ast.ClassDef):
        makers = [
            part for part in node.body if isinstance(part, _FUNCTIONS) and part.name == "__init__"
        ]
        return _parameters(makers[0]) if makers else []
    given = node.args
    star, stars = [given.vararg] if given.vararg else [], [given.kwarg] if given.kwarg else []
    named = [*given.posonlyargs, *given.args, *star, *given.kwonlyargs, *stars]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def examine(path: str) -> tuple[list[Documented], str]:
    """Give what the file documents, or nothing and why it was skipped."""
    try:
        with open(path, "rb") as stream:
            return documented(stream.read()), ""
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = str(error).partition("\n")[0]
        return [], f"{type(error).__name__}: {reason}"


def main() -> None:
    """Read paths from standard input, one JSON string a line; answer each with a line of JSON."""
    if hasattr(signal, "SIGPIPE"):  # nobody reads on: end without a word, as a filter does
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.disable()  # syntax trees hold no circles, and the collector would walk them all again and again
    for line in sys.stdin.read().splitlines():
        sys.stdout.write(json.dumps(examine(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
