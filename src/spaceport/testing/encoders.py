"""What every encoder must hold: checks that plugin authors run over theirs.

Give `check_encoder` a function that makes a new, unfitted encoder each time, and a source of the
encoder's modality with some dozens of items, small enough to fit in a second::

    from spaceport.testing.encoders import check_encoder

    def test_my_encoder(source):
        check_encoder(lambda: MyEncoder(dimension=8), source)

Each check raises AssertionError with what it found. An encoder whose two fits with one seed differ (by
threads that race) says so by an attribute or parameter ``reproducible`` that is false.
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder, contents, load
from spaceport.errors import ParameterError, SpaceportError
from spaceport.methods import parse
from spaceport.sources.base import Source

__all__ = [
    "CHECKS",
    "MakeEncoder",
    "check_batch_size",
    "check_deterministic",
    "check_empty_text",
    "check_encoder",
    "check_entities",
    "check_fingerprint",
    "check_fit",
    "check_neutral",
    "check_order",
    "check_output",
    "check_parameters",
    "check_role",
    "check_saved",
    "check_spec",
    "check_unseen",
]

MakeEncoder: TypeAlias = Callable[[], Encoder]

LEAST_COSINE = 0.9999
MOST_STRETCH = 1e-3


def check_encoder(make_encoder: MakeEncoder, source: Source) -> None:
    """Run all the checks.

    Parameters
    ----------
    make_encoder : callable
        Takes nothing and makes a new encoder, always with the same parameters.
    source : Source
        What it learns from, and what it encodes here.

    Raises
    ------
    AssertionError
        From the first check that fails; it says what was found.

    Examples
    --------
    >>> import csv
    >>> from spaceport.encoders.hashing import Hashing
    >>> from spaceport.sources.pydocs import PyDocs
    >>> check_encoder(lambda: Hashing(dimension=16), PyDocs([csv.__file__]))
    """
    for check in CHECKS:
        check(make_encoder, source)


def check_parameters(make_encoder: MakeEncoder, source: Source) -> None:
    """The constructor stores each parameter unchanged; nothing learnt is there before `fit`."""
    encoder = make_encoder()
    for name, value in encoder.params().items():
        stored = getattr(type(encoder)(**encoder.params()), name)
        _require(stored == value, f"`{name}` is {value!r} and stored as {stored!r}")
    for name, value, changed in _changed(encoder):
        stored = getattr(changed, name)
        _require(stored == value, f"`{name}` is {value!r} and stored as {stored!r}")
    learnt = [name for name in vars(encoder) if name.endswith("_") and not name.startswith("_")]
    _require(not learnt, f"{learnt} are there before anything was learnt")


def check_spec(make_encoder: MakeEncoder, source: Source) -> None:
    """The one-line form gives the same encoder back."""
    encoder = make_encoder()
    try:
        again = parse("encoders", encoder.spec)
    except SpaceportError as error:
        raise AssertionError(f"{encoder.spec} cannot be read back: {error}") from error
    _require(again.params() == encoder.params(), f"{encoder.spec} is read back as {again.spec}")


def check_fit(make_encoder: MakeEncoder, source: Source) -> None:
    """`fit` gives the encoder itself; one that has to learn says so before it has."""
    encoder = make_encoder()
    if encoder.fitted:
        try:
            encoder.encode(_items(source)[:1])
        except SpaceportError:
            pass
        else:
            raise AssertionError(f"{encoder.spec} encodes before it has learnt")
    fitted = encoder.fit(source)
    _require(fitted is encoder, f"`fit` gives {fitted!r}, not the encoder itself")
    json.dumps(encoder.facts(), allow_nan=False)


def check_output(make_encoder: MakeEncoder, source: Source) -> None:
    """Vectors are (n, d), float32 and finite, d being `dimension` where it is told."""
    encoder, items = make_encoder().fit(source), _items(source)
    given: Any = encoder.encode_batch(items)
    is_matrix = isinstance(given, np.ndarray) and given.ndim == 2
    _require(is_matrix and given.dtype == np.float32, f"`encode_batch` gives {_kind(given)}")
    _require(len(given) == len(items), f"{len(items)} items become {len(given)} vectors")
    _require(bool(np.isfinite(given).all()), "a vector holds NaN or infinity")
    dimension = getattr(encoder, "dimension", None)
    told = given.shape[1] if dimension is None else dimension
    _require(given.shape[1] == told, f"`dimension` is {told}: got {given.shape[1]}")
    _require(bool(given.any()), "all vectors are zero")
    _require_close(encoder.encode(source), given, "a source, and its items as a list")


def check_order(make_encoder: MakeEncoder, source: Source) -> None:
    """Items in another order give the same vectors in that order."""
    encoder, items = make_encoder().fit(source), _items(source)
    order = np.random.default_rng(0).permutation(len(items))
    shuffled = encoder.encode(_take(items, order))
    _require_close(shuffled, encoder.encode(items)[order], "shuffled items")


def check_batch_size(make_encoder: MakeEncoder, source: Source) -> None:
    """The batch size changes no vector beyond rounding (cosine 0.9999)."""
    encoder, items = make_encoder().fit(source), _items(source)
    whole = encoder.encode(items, batch_size=len(items))
    for size in (1, 7):
        parts = encoder.encode(items, batch_size=size)
        _require_close(parts, whole, f"batches of {size}")


def check_deterministic(make_encoder: MakeEncoder, source: Source) -> None:
    """Encoding twice gives the same vectors; fitting twice too, unless declared otherwise."""
    encoder, items = make_encoder().fit(source), _items(source)
    first = encoder.encode(items)
    _require_close(encoder.encode(items), first, "the same items twice")
    if getattr(encoder, "reproducible", True):
        again = make_encoder().fit(source)
        _require(again.fingerprint == encoder.fingerprint, "two fits have two fingerprints")
        _require_close(again.encode(items), first, "two fits with the same seed")


def check_saved(make_encoder: MakeEncoder, source: Source) -> None:
    """What was saved and loaded encodes alike; only JSON and safetensors are written."""
    from safetensors import safe_open

    encoder, items = make_encoder().fit(source), _items(source)
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = encoder.save(folder)
        written = sorted(folder.iterdir())
        _require(sorted(paths) == written, f"`save` names {paths} and writes {written}")
        for path in written:
            _require(path.suffix in (".json", ".safetensors"), f"{path.name} is neither kind")
            if path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            else:
                with safe_open(path, framework="numpy") as file:
                    file.keys()
        loaded = load(folder)
    _require(loaded.params() == encoder.params(), f"{encoder.spec} is loaded as {loaded.spec}")
    _require(loaded.fingerprint == encoder.fingerprint, "the fingerprint changes on the way")
    if encoder.portable:
        _require_close(loaded.encode(items), encoder.encode(items), "saved and loaded")


def check_fingerprint(make_encoder: MakeEncoder, source: Source) -> None:
    """The fingerprint changes with each parameter but the neutral ones, and with what was learnt."""
    encoder = make_encoder()
    bare = encoder.fingerprint
    _require(make_encoder().fingerprint == bare, "two encoders made alike have two fingerprints")
    for name, value, changed in _changed(encoder):
        same = changed.fingerprint == bare
        neutral = name in encoder.neutral
        _require(same == neutral, f"`{name}={value!r}` {'leaves' if same else 'changes'} it")
    if not encoder.fitted:
        return
    learnt = encoder.fit(source).fingerprint
    _require(learnt != bare, "the fingerprint does not change with what is learnt")
    other = make_encoder().fit(_Twisted(source)).fingerprint
    _require(other != learnt, "another collection leaves the fingerprint as it was")


def check_neutral(make_encoder: MakeEncoder, source: Source) -> None:
    """A neutral parameter changes no vector, where two fits can be compared."""
    encoder, items = make_encoder().fit(source), _items(source)
    unknown = encoder.neutral - set(encoder.params())
    _require(not unknown, f"`neutral` names {sorted(unknown)}, which are no parameters")
    if not getattr(encoder, "reproducible", True):
        return
    vectors = encoder.encode(items)
    for name, value, changed in _changed(make_encoder()):
        if name in encoder.neutral and getattr(changed, "reproducible", True):
            _require_close(changed.fit(source).encode(items), vectors, f"`{name}={value!r}`")


def check_unseen(make_encoder: MakeEncoder, source: Source) -> None:
    """Items that were not in the collection get finite vectors, alone or beside known ones."""
    encoder, items = make_encoder().fit(source), _items(source)
    strange = _strange(source.modality, items)
    if not strange:
        return
    known = items[:1] if isinstance(items, list) else items[:1].to_pylist()
    mixed = encoder.encode([*strange, *known])
    _require(
        len(mixed) == len(strange) + 1,
        f"{len(strange)} unseen items and a known one become {len(mixed)} vectors",
    )
    _require_close(mixed[-1:], encoder.encode(items[:1]), "a known item among unseen ones")


def check_empty_text(make_encoder: MakeEncoder, source: Source) -> None:
    """The empty text gets a finite vector, alone too, and leaves its neighbors alone."""
    encoder, items = make_encoder().fit(source), _items(source)
    if source.modality not in ("words", "texts"):
        return
    alone = encoder.encode([""])
    mixed = encoder.encode(["", items[0], ""])
    _require(len(mixed) == 3, f"a text between two empty ones becomes {len(mixed)} vectors")
    _require_close(mixed[[0, 2]], np.repeat(alone, 2, axis=0), "empty texts")
    _require_close(mixed[1:2], encoder.encode(items[:1]), "a text between empty ones")


def check_role(make_encoder: MakeEncoder, source: Source) -> None:
    """Both roles give the same dimension; an unknown one is refused."""
    encoder, items = make_encoder().fit(source), _items(source)
    shapes = {role: encoder.encode(items, role).shape for role in ("document", "query")}
    _require(len(set(shapes.values())) == 1, f"the roles give other shapes: {shapes}")
    try:
        encoder.encode(items, "passage")
    except ParameterError:
        return
    raise AssertionError("the role 'passage' is accepted")


def check_entities(make_encoder: MakeEncoder, source: Source) -> None:
    """Entities, if there are any, are unique ids with as many finite float32 vectors."""
    encoder = make_encoder().fit(source)
    entities = encoder.entities()
    if entities is None:
        return
    ids, vectors = entities
    _require(len(set(ids)) == len(ids) and all(ids), "the entities' ids are empty or repeated")
    _require(vectors.shape[:1] == (len(ids),), f"{len(ids)} ids have vectors {vectors.shape}")
    _require(vectors.dtype == np.float32, f"the entities' vectors are {vectors.dtype}")
    _require(bool(np.isfinite(vectors).all()), "an entity's vector holds NaN or infinity")
    width = encoder.encode(_items(source)[:1]).shape[1]
    _require(
        vectors.shape[1] == width, f"entities have {vectors.shape[1]} dimensions, items {width}"
    )


CHECKS: tuple[Callable[[MakeEncoder, Source], None], ...] = (
    check_parameters,
    check_spec,
    check_fit,
    check_output,
    check_order,
    check_batch_size,
    check_deterministic,
    check_saved,
    check_fingerprint,
    check_neutral,
    check_unseen,
    check_empty_text,
    check_role,
    check_entities,
)
"""The checks in the order in which `check_encoder` runs them."""


class _Twisted(Source):
    """Another collection of the same kind: the items of a source, every one after the first twice."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.modality = source.modality  # type: ignore[misc]  # the class serves every modality
        self.label = source.label

    def read(self) -> Iterator[pa.RecordBatch]:
        for position, batch in enumerate(self.source.read()):
            yield batch
            again = batch.slice(1 if position == 0 else 0)
            ids = pa.array([f"{id} again" for id in again.column("id").to_pylist()])
            yield again.set_column(0, "id", ids)

    def size(self) -> int:
        return self.source.size()


def _items(source: Source) -> Any:
    """All contents of the source: a list of texts or files, or one array."""
    parts: list[Any] = [contents(batch) for batch in source.batches()]
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    if isinstance(parts[0], pa.Array):
        return pa.concat_arrays(parts)
    return [item for part in parts for item in part]


def _take(items: Any, order: npt.NDArray[np.int64]) -> Any:
    if isinstance(items, list):
        return [items[place] for place in order]
    return items[order] if isinstance(items, np.ndarray) else items.take(pa.array(order))


def _strange(modality: str, items: Any) -> list[Any]:
    """Items of a kind that a collection seldom holds; none for vectors, which are never unseen."""
    if modality in ("words", "texts"):
        return ["qqzzxv wwkkjj", "\U0001f680 \u96ea \x00", "a" * 10_000]
    if modality in ("table", "pairs"):
        row = items[0].as_py()
        unknown = {name: "qqzz" if isinstance(row[name], str) else row[name] for name in row}
        return [dict.fromkeys(row), unknown]
    if modality == "interactions":
        return [[], [{"item": "qqzz", "value": 1.0}]]
    if modality == "images":
        return [b"P6 1 1 255\n\x10\x20\x30", b"P5 2 2 65535\n" + bytes(range(8))]
    return [_wav([0.5]), _wav([0.0] * 400)] if modality == "audio" else []


def _wav(samples: list[float], rate: int = 8000) -> bytes:
    data = np.array(samples, dtype="<f4") * 32767
    with io.BytesIO() as file:
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.writeframes(data.astype("<i2").tobytes())
        return file.getvalue()


def _changed(encoder: Encoder) -> Iterator[tuple[str, Any, Encoder]]:
    """Encoders with one parameter changed; numbers and yes-or-no only, since words have rules."""
    for name, value in encoder.params().items():
        for other in _others(value):
            try:
                changed = type(encoder)(**{**encoder.params(), name: other})
            except SpaceportError:
                continue
            yield name, other, changed
            break


def _others(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return value + 1, value - 1
    if not isinstance(value, float):
        return ()
    return (value / 2, value * 2) if value else (0.5,)


def _kind(given: Any) -> str:
    return f"{type(given).__name__} {getattr(given, 'dtype', '')} {getattr(given, 'shape', '')}"


def _require_close(given: Matrix, wanted: Matrix, what: str) -> None:
    """Rows have the same direction and length, but for rounding."""
    _require(given.shape == wanted.shape, f"{what}: shape {given.shape}, not {wanted.shape}")
    one, other = given.astype(np.float64), wanted.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
    stretch = np.abs(lengths[0] - lengths[1]) > MOST_STRETCH * lengths[1]
    _require(not stretch.any(), f"{what}: {int(stretch.sum())} vectors have another length")
    product = lengths[0] * lengths[1]
    cosine = (one * other).sum(axis=1)[product > 0] / product[product > 0]
    worst = float(cosine.min(initial=1))
    _require(worst >= LEAST_COSINE, f"{what}: vectors differ, the least cosine is {worst:.4f}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)
