"""A family's methods by name.

A *family* is a folder of methods: ``encoders``, ``sources``, ``maps``. Its contract is the abstract
class in ``base.py``; every other file without a leading underscore is one method, and the file's
name is the method's name. Packages outside join through an entry point of the group
``spaceport.<family>``; a name found twice is an error.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from spaceport.errors import MissingExtra, NotFoundError, ParameterError, choices

__all__ = ["Family", "Method", "load", "make", "names", "parse", "read"]

_EXTRAS = {
    "umap": "maps",
    "plotly": "maps",
    "matplotlib": "maps",
    "PIL": "images",
    "skimage": "images",
    "soundfile": "audio",
    "torch": "torch",
    "transformers": "torch",
    "onnxruntime": "onnx",
    "onnx": "onnx",
    "tokenizers": "static",
    "psycopg": "postgres",
}


def names(family: str) -> list[str]:
    """Sorted names of the methods of `family`; imports none of them.

    Examples
    --------
    >>> names("maps")
    ['umap']
    """
    return sorted([*_files(family), *_plugins(family)])


def load(family: str, name: str) -> type[Any]:
    """Import the method `name` of `family` and give its class.

    Raises
    ------
    NotFoundError
        There is no such method; the message lists those that there are.
    MissingExtra
        The method needs a dependency that is not installed.
    ParameterError
        Two packages offer a method of this name.
    """
    plugins = _plugins(family)
    if name in plugins:
        loaded: type[Any] = plugins[name].load()
        return loaded
    if name not in _files(family):
        raise NotFoundError(
            f"There is no method `{name}` in {family}.", choices(name, names(family))
        )
    try:
        module = import_module(f"spaceport.{family}.{name}")
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        if root in _EXTRAS:
            raise MissingExtra.of(_EXTRAS[root], root) from error
        raise
    return _method(module)


class Method:
    """What every method has: a name, its parameters, and a one-line form that round-trips.

    The scikit-learn contract holds: the constructor stores its parameters unchanged, and what is
    learnt later has a name that ends in ``_``.
    """

    @property
    def name(self) -> str:
        """The method's name, which is its file's name."""
        return type(self).__module__.rpartition(".")[2]

    def params(self) -> dict[str, Any]:
        """The constructor's parameters with their values."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @property
    def spec(self) -> str:
        """The method with each parameter that is not at its default, as one line.

        Examples
        --------
        >>> import spaceport as sp
        >>> sp.encoders.hashing(dimension=64).spec
        'hashing(dimension=64)'
        """
        known = inspect.signature(type(self)).parameters
        told = [f"{k}={v!r}" for k, v in self.params().items() if v != known[k].default]
        return f"{self.name}({', '.join(told)})"

    def __repr__(self) -> str:
        return self.spec


def parse(family: str, spec: str) -> Any:
    """Build a method from its one-line form; only literals are read, nothing is run.

    Parameters may be given by their place, too, and there a bare name stands for itself:
    ``activations(minilm, where="first")``.

    Examples
    --------
    >>> parse("encoders", "hashing(dimension=64)").dimension
    64
    >>> parse("encoders", "hashing(64)").spec
    'hashing(dimension=64)'
    >>> parse("encoders", "hashing(dimension=print())")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `hashing(dimension=print())` is not a method with plain parameters.
    Write it as name(parameter=value, ...), for example hashing(dimension=64).
    """
    return make(family, *read(family, spec))


def read(family: str, spec: str) -> tuple[str, dict[str, Any]]:
    """Take a one-line form apart: the method's name and the parameters that are told.

    Examples
    --------
    >>> read("encoders", "hashing(64, seed=1)")
    ('hashing', {'dimension': 64, 'seed': 1})
    """
    try:
        call = ast.parse(spec.strip(), mode="eval").body
        if isinstance(call, ast.Name):
            call = ast.Call(call, [], [])
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError(spec)
        placed = [_told(argument) for argument in call.args]
        params = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (ValueError, SyntaxError) as error:
        raise ParameterError(
            f"`{spec}` is not a method with plain parameters.",
            "Write it as name(parameter=value, ...), for example hashing(dimension=64).",
        ) from error
    first = _placed(family, call.func.id, placed)
    if twice := first.keys() & params:
        raise ParameterError(
            f"`{spec}` gives `{min(twice)}` twice.", "Give it by its place or by its name."
        )
    return call.func.id, first | params


def _told(argument: ast.expr) -> Any:
    return argument.id if isinstance(argument, ast.Name) else ast.literal_eval(argument)


def _placed(family: str, name: str, values: list[Any]) -> dict[str, Any]:
    """Name the values that were given by their place."""
    if not values:
        return {}
    known = [
        parameter
        for parameter in inspect.signature(load(family, name)).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    if len(values) > len(known):
        raise ParameterError(
            f"`{name}` takes {len(known)} parameters by their place. Got {len(values)}.",
            "Write the others as name=value.",
        )
    return {parameter.name: value for parameter, value in zip(known, values, strict=False)}


def make(family: str, name: str, params: dict[str, Any]) -> Any:
    """Build the method `name` with `params`; an unknown parameter lists those that there are.

    Raises
    ------
    ParameterError
        A parameter that there is not, or one left out that has no default.
    """
    method = load(family, name)
    known = inspect.signature(method).parameters
    for param in params:
        if param not in known:
            raise ParameterError(f"`{name}` has no parameter `{param}`.", choices(param, known))
    spread = next((n for n, p in known.items() if p.kind is p.VAR_POSITIONAL), None)
    for param, told in known.items():
        if (
            told.default is told.empty
            and param not in params
            and told.kind is not told.VAR_POSITIONAL
        ):
            raise ParameterError(
                f"`{name}` needs `{param}`.", f"Write {name}({param}=...), or --set {param}=..."
            )
    named = {param: value for param, value in params.items() if param != spread}
    return method(*params.get(str(spread), ()), **named)


class Family(ModuleType):
    """The type of a family's package: ``encoders.word2vec`` is the method, not its module.

    A method's file and its constructor share one name. Python binds a submodule to its package
    on import; here the method's class is bound in its place, and is imported only when asked for.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in names(_family(self)):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        method = load(_family(self), name)
        super().__setattr__(name, method)
        return method

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _files(_family(self)):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *names(_family(self))})


def _family(package: ModuleType) -> str:
    return package.__name__.rpartition(".")[2]


def _files(family: str) -> list[str]:
    package = sys.modules.get(f"spaceport.{family}") or import_module(f"spaceport.{family}")
    return [
        found.name
        for found in pkgutil.iter_modules(package.__path__)
        if not found.ispkg and not found.name.startswith("_") and found.name != "base"
    ]


def _plugins(family: str) -> dict[str, EntryPoint]:
    plugins: dict[str, EntryPoint] = {}
    taken = set(_files(family))
    for point in entry_points(group=f"spaceport.{family}"):
        if point.name in taken:
            raise ParameterError(
                f"Two packages offer a method `{point.name}` in {family}.",
                f"Uninstall one of them; the second is {point.value}.",
            )
        taken.add(point.name)
        plugins[point.name] = point
    return plugins


def _method(module: ModuleType) -> type[Any]:
    """Find the one public concrete class with a `modality` that `module` itself defines."""
    found = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not inspect.isabstract(value)
        and hasattr(value, "modality")
    ]
    if len(found) != 1:
        raise ParameterError(
            f"{module.__name__} must define exactly one method. Found {len(found)}.",
            "Keep one public class with a `modality` in a method's file.",
        )
    return found[0]
