"""Vectors that know whose coordinates they are.

Two models may give vectors of one length and yet share no direction: their sums and products are
numbers without a meaning, and nothing notices. A `SpaceVectors` is a NumPy array that remembers its
space and version, so that mixing two coordinate systems is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import matrix
from spaceport.errors import InputError, MismatchError
from spaceport.sources.formats.stamp import Stamp
from spaceport.spaces import array_rules as rules
from spaceport.spaces.layout import fixed, unfixed
from spaceport.storage.names import Number, check_space

__all__ = ["Advice", "Coordinates", "SpaceVectors", "agreeing"]


@dataclass(frozen=True)
class Coordinates:
    """Whose coordinates vectors are in.

    Attributes
    ----------
    space : str
        The space's name.
    number : Number
        The version's number.
    fingerprint : str
        64 hexadecimal digits over everything that changes the numbers.

    Examples
    --------
    >>> one = Coordinates("news", Number(1, 0, 0), "a" * 64)
    >>> one.agrees(Coordinates("news", Number(1, 4, 0), "b" * 64))
    True
    >>> one.agrees(Coordinates("news", Number(2, 0, 0), "b" * 64))
    False
    """

    space: str
    number: Number
    fingerprint: str

    @property
    def reference(self) -> str:
        """The version's full name, ``space@MAJOR.MINOR.PATCH``."""
        return f"{self.space}@{self.number}"

    @property
    def anonymous(self) -> bool:
        """The fingerprint says nothing but the dimension, as old versions of imported vectors do."""
        return self.fingerprint.startswith("0" * 48)

    def agrees(self, other: Coordinates) -> bool:
        """Whether vectors of both may be mixed: the same fingerprint, or one major of one space."""
        if self.space == other.space and self.number.major == other.number.major:
            return True
        return self.fingerprint == other.fingerprint and not self.anonymous

    def stamp(self, metric: str = "") -> Stamp:
        """What a file of such vectors says of itself."""
        return Stamp(self.space, str(self.number), self.fingerprint, metric)

    @classmethod
    def of_stamp(cls, stamp: Stamp) -> Coordinates:
        """Read what a file of vectors says of itself; a ParameterError where it is no name or number."""
        return cls(check_space(stamp.space), Number.parse(stamp.version), stamp.fingerprint)


Advice: TypeAlias = Callable[[Coordinates, Coordinates], str | None]
"""Says what would bring vectors of the first coordinates to the second; None: nothing is known."""


def agreeing(
    first: Coordinates,
    second: Coordinates,
    advice: Advice | None = None,
    otherwise: str = "`np.asarray` takes a label off",
) -> None:
    """Let nothing happen where both agree.

    Parameters
    ----------
    first, second : Coordinates
    advice : callable, optional
        Asked for an adapter.
    otherwise : str
        What else the reader can do.

    Raises
    ------
    MismatchError
        They do not; the message names an adapter that would help, or how one is made.
    """
    if first.agrees(second):
        return
    older, newer = sorted((first, second), key=lambda each: each.number)
    helps = None if advice is None else advice(newer, older) or advice(older, newer)
    align = f"`spaceport align {newer.reference} --onto {older.reference}` makes an adapter"
    raise MismatchError(
        f"{first.reference} and {second.reference} have different coordinates: "
        "their vectors cannot be mixed.",
        f"{helps or align}; {otherwise}.",
    )


class SpaceVectors(np.ndarray[Any, np.dtype[np.float32]]):
    """A vector (d,) or vectors (n, d) that remember their coordinates.

    Made by `Version.vectors` and `Version.encode`. It is a NumPy array, float32, whose last axis is
    the coordinates. Rows picked, sums, differences, multiples, means and concatenations of vectors are
    vectors and remember; where the coordinates of two differ, they raise. What is no vector any more
    (products ``a @ b.T``, lengths, comparisons, single columns) is a plain array; a product of two
    different coordinates raises too. A plain array mixes with everything: ``np.asarray(v)`` is plain, and
    so is what NumPy makes of a Python list of vectors (``np.mean([v, w])``; ``np.stack`` does ask).

    Parameters
    ----------
    values : array-like of shape (d,) or (n, d)
    coordinates : Coordinates
    advice : callable, optional
        Asked for an adapter where coordinates do not agree; not kept by pickle.

    Raises
    ------
    MismatchError
        Two of them do not agree.

    Examples
    --------
    >>> one = Coordinates("news", Number(1, 0, 0), "a" * 64)
    >>> two = Coordinates("news", Number(2, 0, 0), "b" * 64)
    >>> v, w = SpaceVectors(np.eye(2), one), SpaceVectors(np.eye(2), two)
    >>> v[:1] * 2
    SpaceVectors([[2., 0.]], dtype=float32)
    >>> v.mean(axis=0).version, v @ v.T
    ('1.0.0', array([[1., 0.],
           [0., 1.]], dtype=float32))
    >>> v + w
    Traceback (most recent call last):
        ...
    spaceport.errors.MismatchError: news@1.0.0 and news@2.0.0 have different coordinates: their vectors cannot be mixed.
    `spaceport align news@2.0.0 --onto news@1.0.0` makes an adapter; `np.asarray` takes a label off.
    """

    _coordinates: Coordinates
    _advice: Advice | None

    def __new__(  # noqa: D102 - the class says it
        cls, values: npt.ArrayLike, coordinates: Coordinates, advice: Advice | None = None
    ) -> SpaceVectors:
        made = np.asarray(values, dtype=np.float32).view(cls)
        made._coordinates, made._advice = coordinates, advice
        return made

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, SpaceVectors):
            self._coordinates, self._advice = source._coordinates, source._advice

    @property
    def coordinates(self) -> Coordinates:
        """Whose coordinates these are."""
        return self._coordinates

    @property
    def space(self) -> str:
        """The space's name."""
        return self._coordinates.space

    @property
    def version(self) -> str:
        """The version's number, ``MAJOR.MINOR.PATCH``."""
        return str(self._coordinates.number)

    @property
    def T(self) -> npt.NDArray[np.float32]:  # type: ignore[override]  # noqa: N802 - NumPy's name
        """The transpose; it remembers for the sake of products."""
        return self.transpose()

    def transpose(self, *axes: Any) -> npt.NDArray[np.float32]:  # type: ignore[override]
        """As NumPy's; no vectors any more, but a product with another space's vectors still raises."""
        turned = np.asarray(self).transpose(*axes).view(_Transposed)
        turned._of = self
        return turned

    def __getitem__(self, key: Any) -> Any:
        found = np.asarray(self)[key]
        return self._like(found) if rules.picks_rows(key, self.shape, found) else found

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; what is no real floating-point number any more is a plain array."""
        cast = np.asarray(self).astype(dtype, *args, **kwargs)
        return self._like(cast) if cast.dtype.kind == "f" else cast

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """As NumPy's; the coordinates are remembered where the last axis stays."""
        found = np.asarray(self).reshape(*shape, **kwargs)
        return self._like(found) if found.shape[-1:] == self.shape[-1:] else found

    def squeeze(self, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; the coordinates are remembered where the last axis stays."""
        return self.reshape(np.asarray(self).squeeze(*args, **kwargs).shape)

    def dot(self, other: Any, out: Any = None) -> Any:
        """As NumPy's; a product with another space's vectors raises."""
        return np.dot(self, other, out)

    def take(self, indices: Any, axis: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """As NumPy's; vectors where rows are taken."""
        return np.take(self, indices, axis, **kwargs)

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        """As NumPy's; vectors where rows are repeated."""
        return np.repeat(self, repeats, axis)

    def mean(self, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; a vector where rows are averaged."""
        return np.mean(self, axis, *args, **kwargs)

    def sum(self, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; a vector where rows are added."""
        return np.sum(self, axis, *args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if rules.mixes(ufunc):
            _refuse_mixture(inputs)
        out = kwargs.pop("out", None)
        if out is not None:
            kwargs["out"] = tuple(_plain(each) for each in out)
        result = getattr(ufunc, method)(*map(_plain, inputs), **kwargs)
        if out is not None:
            return out[0] if len(out) == 1 else out
        axis = kwargs.get("axis", 0)
        kept = rules.ufunc_keeps(ufunc, method, [_marked(each) for each in inputs], axis, result)
        return self._like(result) if kept else result

    def __array_function__(
        self, function: Any, types: Any, args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        args = tuple(args)
        if function in rules.MIXING:
            _refuse_mixture([*args, *kwargs.values()])
        bare = {name: _plain(value) for name, value in kwargs.items()}
        result = function(*map(_plain, args), **bare)
        kept = rules.function_keeps(function, args, kwargs, self.ndim, result)
        return self._like(result) if kept else result

    def __reduce__(self) -> Any:
        return SpaceVectors, (np.asarray(self), self._coordinates)

    def __deepcopy__(self, memo: Any) -> SpaceVectors:
        copied: SpaceVectors = self._like(np.asarray(self).copy())
        return copied

    def to_arrow(self, ids: Sequence[str] | None = None) -> pa.Table:
        """The vectors (n, d) as an Arrow table that says whose coordinates they are.

        Parameters
        ----------
        ids : sequence of n str, optional
            Gives a column ``id`` before the column ``vector``.
        """
        rows = matrix(np.asarray(self), "vectors")
        columns: dict[str, Any] = {} if ids is None else {"id": pa.array(ids, pa.string())}
        if ids is not None and len(ids) != len(rows):
            raise InputError(f"There are {len(ids)} ids for {len(rows)} vectors.", "Give one each.")
        table = pa.table(columns | {"vector": fixed(rows)})
        return table.replace_schema_metadata(self._coordinates.stamp().metadata())

    @classmethod
    def from_arrow(cls, table: pa.Table) -> SpaceVectors:
        """Undo `to_arrow`; reads an exported Arrow or Parquet file's table, too.

        Raises
        ------
        InputError
            The table does not say whose vectors it holds, or has no column ``vector``.
        """
        stamp = Stamp.read(table.schema.metadata)
        if stamp is None or "vector" not in table.schema.names:
            raise InputError(
                "The table does not say whose vectors it holds, or has no column `vector`.",
                "Make it with `to_arrow` or `Version.export`; plain vectors go into NumPy as they are.",
            )
        return cls(unfixed(table.column("vector")), Coordinates.of_stamp(stamp))

    def _like(self, values: npt.NDArray[Any]) -> Any:
        """Other values in the same coordinates."""
        made = values.view(SpaceVectors)
        made._coordinates, made._advice = self._coordinates, self._advice
        return made


def _bare(name: str) -> Callable[..., Any]:
    def method(self: SpaceVectors, *args: Any, **kwargs: Any) -> Any:
        return getattr(np.asarray(self), name)(*map(_plain, args), **kwargs)

    method.__name__, method.__doc__ = name, getattr(np.ndarray, name).__doc__
    return method


for _name in rules.NO_VECTORS:
    setattr(SpaceVectors, _name, _bare(_name))


class _Transposed(np.ndarray[Any, np.dtype[np.float32]]):
    """What `SpaceVectors.T` gives: a plain array to everything but a product and `T`."""

    _of: SpaceVectors | None = None

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        found = np.asarray(self).T
        return found if self._of is None else self._of._like(found)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if rules.mixes(ufunc):
            _refuse_mixture(inputs)
        if "out" in kwargs:
            kwargs["out"] = tuple(map(_plain, kwargs["out"]))
        return getattr(ufunc, method)(*map(_plain, inputs), **kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        if function in rules.MIXING:
            _refuse_mixture([*args, *kwargs.values()])
        return function(*map(_plain, args), **{n: _plain(v) for n, v in kwargs.items()})


def _marked(value: Any) -> Any:
    """What the rules look at: the shape of an input, and whether it is vectors."""
    return rules.Input(isinstance(value, SpaceVectors), np.shape(value))


def _plain(value: Any) -> Any:
    """The value with every label taken off."""
    if isinstance(value, SpaceVectors | _Transposed):
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value


def _found(values: Sequence[Any]) -> list[SpaceVectors]:
    """All vectors among some arguments and in the lists among them."""
    found: list[SpaceVectors] = []
    for value in values:
        if isinstance(value, SpaceVectors):
            found.append(value)
        elif isinstance(value, _Transposed):
            found += [value._of] if value._of is not None else []
        elif type(value) in (list, tuple):
            found += _found(value)
    return found


def _refuse_mixture(values: Sequence[Any]) -> None:
    found = _found(values)
    for other in found[1:]:
        agreeing(found[0].coordinates, other.coordinates, found[0]._advice)
