"""What every adapter must hold: checks that plugin authors run over theirs.

Give `check_adapter` a function that makes a new adapter each time::

    from spaceport.testing.adapters import check_adapter

    def test_my_adapter():
        check_adapter(lambda: MyAdapter(rank=8))

The checks plant pairs of their own: a rotation with a little noise, between equal dimensions, to fewer
and to more. Each raises AssertionError with what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from spaceport.adapters.base import Adapter, load
from spaceport.arrays import Matrix
from spaceport.errors import InputError, SpaceportError
from spaceport.geometry.base import normalize
from spaceport.methods import parse

__all__ = [
    "CHECKS",
    "MakeAdapter",
    "check_adapter",
    "check_deterministic",
    "check_dimensions",
    "check_fingerprint",
    "check_fit",
    "check_input",
    "check_mean",
    "check_output",
    "check_parameters",
    "check_recovers",
    "check_rows",
    "check_saved",
    "check_spec",
]

MakeAdapter: TypeAlias = Callable[[], Adapter]

ROWS, HELD_OUT, WIDTH = 600, 200, 12
SHAPES = ((WIDTH, WIDTH), (WIDTH, 7), (7, WIDTH))
LEAST_COSINE = 0.97


def check_adapter(make_adapter: MakeAdapter) -> None:
    """Run all the checks.

    Parameters
    ----------
    make_adapter : callable
        Takes nothing and makes a new adapter, always with the same parameters.

    Raises
    ------
    AssertionError
        From the first check that fails; it says what was found.

    Examples
    --------
    >>> from spaceport.adapters.procrustes import Procrustes
    >>> check_adapter(lambda: Procrustes())
    """
    for check in CHECKS:
        check(make_adapter)


def planted(p: int = WIDTH, q: int = WIDTH, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Pairs (n, p) and (n, q): rows of one hidden space, each side turned, moved, a little noisy."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((ROWS, min(p, q))) * np.linspace(2, 1, min(p, q))
    sides = []
    for width in (p, q):
        turn = np.linalg.qr(rng.standard_normal((width, width)))[0][: min(p, q)]
        moved = hidden @ turn + rng.standard_normal(width)
        sides.append((moved + 0.01 * rng.standard_normal(moved.shape)).astype(np.float32))
    return sides[0], sides[1]


def check_parameters(make_adapter: MakeAdapter) -> None:
    """The constructor stores each parameter unchanged; nothing learnt is there before `fit`."""
    adapter = make_adapter()
    again = type(adapter)(**adapter.params())
    for name, value in adapter.params().items():
        stored = getattr(again, name)
        _require(stored == value, f"`{name}` is {value!r} and stored as {stored!r}")
    learnt = [name for name in vars(adapter) if name.endswith("_") and not name.startswith("_")]
    _require(not learnt, f"{learnt} are there before anything was learnt")


def check_spec(make_adapter: MakeAdapter) -> None:
    """The one-line form gives the same adapter back."""
    adapter = make_adapter()
    again = parse("adapters", adapter.spec)
    _require(again.params() == adapter.params(), f"{adapter.spec} is read back as {again.spec}")


def check_fit(make_adapter: MakeAdapter) -> None:
    """`fit` gives the adapter itself; one that has not learnt says so."""
    adapter = make_adapter()
    X, Y = planted()
    _refused(lambda: adapter(X), f"{adapter.spec} sends rows before it has learnt")
    before = X.copy(), Y.copy()
    fitted = adapter.fit(X, Y)
    _require(fitted is adapter, f"`fit` gives {fitted!r}, not the adapter itself")
    untouched = np.array_equal(X, before[0]) and np.array_equal(Y, before[1])
    _require(untouched, "`fit` changes what it was given")


def check_output(make_adapter: MakeAdapter) -> None:
    """Rows come out as (n, q), float32 and finite, to fewer dimensions and to more."""
    for p, q in SHAPES:
        X, Y = planted(p, q)
        adapter = make_adapter().fit(X, Y)
        sent = adapter.send(X[:9])
        _require(sent.shape == (9, q), f"rows of ({p},) become {sent.shape[1:]}, not ({q},)")
        _require(sent.dtype == np.float32, f"`send` gives {sent.dtype}")
        _require(bool(np.isfinite(sent).all()), "a row that was sent holds NaN or infinity")
        _require(adapter.dimensions == (p, q), f"`dimensions` is {adapter.dimensions}")


def check_rows(make_adapter: MakeAdapter) -> None:
    """Each row is sent by itself: alone, shuffled, or among others it comes out alike."""
    X, Y = planted()
    adapter = make_adapter().fit(X, Y)
    whole = adapter(X)
    order = np.random.default_rng(0).permutation(len(X))
    _close(adapter(X[order]), whole[order], "shuffled rows")
    _close(np.concatenate([adapter(X[row : row + 1]) for row in range(9)]), whole[:9], "rows alone")


def check_recovers(make_adapter: MakeAdapter) -> None:
    """Items that were not learnt from land where they belong: a planted rotation, a little noise."""
    for p, q in SHAPES:
        X, Y = planted(p, q)
        sent = make_adapter().fit(X[HELD_OUT:], Y[HELD_OUT:])(X[:HELD_OUT])
        cosine = np.sum(normalize(sent) * normalize(Y[:HELD_OUT]), axis=1)
        least = float(np.median(cosine))
        _require(
            least >= LEAST_COSINE,
            f"from {p} to {q} dimensions the median cosine is {least:.3f}, not {LEAST_COSINE}",
        )
        apart = float(np.linalg.norm(sent - Y[:HELD_OUT]) / np.linalg.norm(Y[:HELD_OUT]))
        _require(apart < 0.25, f"from {p} to {q} dimensions lengths are off: {apart:.2f} of them")


def check_mean(make_adapter: MakeAdapter) -> None:
    """Both sides moved far from zero: the rows still land where they belong."""
    X, Y = planted()
    sent = make_adapter().fit(X[HELD_OUT:] + 30, Y[HELD_OUT:] - 20)(X[:HELD_OUT] + 30)
    apart = float(np.linalg.norm(sent - (Y[:HELD_OUT] - 20)) / np.linalg.norm(Y[:HELD_OUT]))
    _require(apart < 0.3, f"a mean is forgotten: rows are {apart:.2f} of their length off")


def check_deterministic(make_adapter: MakeAdapter) -> None:
    """Learning twice from the same pairs gives the same bytes."""
    X, Y = planted()
    first, second = make_adapter().fit(X, Y), make_adapter().fit(X, Y)
    _require(first.fingerprint == second.fingerprint, "two fits have two fingerprints")
    _require(bool(np.array_equal(first(X), second(X))), "two fits send the same rows elsewhere")


def check_saved(make_adapter: MakeAdapter) -> None:
    """What was saved and loaded sends alike; only JSON and safetensors are written."""
    X, Y = planted()
    adapter = make_adapter().fit(X, Y)
    with TemporaryDirectory() as name:
        paths = adapter.save(Path(name))
        written = sorted(Path(name).iterdir())
        _require(sorted(paths) == written, f"`save` names {paths} and writes {written}")
        kinds = {path.suffix for path in written}
        _require(kinds == {".json", ".safetensors"}, f"`save` writes {sorted(kinds)}")
        loaded = load(Path(name))
    _require(loaded.params() == adapter.params(), f"{adapter.spec} is loaded as {loaded.spec}")
    _require(loaded.fingerprint == adapter.fingerprint, "the fingerprint changes on the way")
    _require(bool(np.array_equal(loaded(X), adapter(X))), "saved and loaded sends rows elsewhere")


def check_fingerprint(make_adapter: MakeAdapter) -> None:
    """The fingerprint changes with what was learnt."""
    X, Y = planted()
    bare = make_adapter().fingerprint
    _require(make_adapter().fingerprint == bare, "two adapters made alike have two fingerprints")
    learnt = make_adapter().fit(X, Y).fingerprint
    _require(learnt != bare, "the fingerprint does not change with what is learnt")
    other = make_adapter().fit(X[:, ::-1], Y).fingerprint
    _require(other != learnt, "other pairs leave the fingerprint as it was")


def check_dimensions(make_adapter: MakeAdapter) -> None:
    """Rows of another dimension are refused."""
    X, Y = planted(WIDTH, 7)
    adapter = make_adapter().fit(X, Y)
    _refused(lambda: adapter(X[:, :-1]), "rows of another dimension are sent")
    _refused(lambda: adapter(Y), "rows of the target's dimension are sent")


def check_input(make_adapter: MakeAdapter) -> None:
    """Pairs that are none are refused, and NaN, while learning and later."""
    X, Y = planted()
    bad = X.copy()
    bad[3, 2] = np.nan
    _refused(lambda: make_adapter().fit(X[:-1], Y), "unpaired rows are learnt from")
    _refused(lambda: make_adapter().fit(X[:1], Y[:1]), "a single pair is learnt from")
    _refused(lambda: make_adapter().fit(bad, Y), "NaN is learnt from")
    _refused(lambda: make_adapter().fit(X[:1].repeat(9, 0), Y[:9]), "equal rows are learnt from")
    adapter = make_adapter().fit(X, Y)
    _refused(lambda: adapter(bad), "NaN is sent")


CHECKS: tuple[Callable[[MakeAdapter], None], ...] = (
    check_parameters,
    check_spec,
    check_fit,
    check_output,
    check_rows,
    check_recovers,
    check_mean,
    check_deterministic,
    check_saved,
    check_fingerprint,
    check_dimensions,
    check_input,
)
"""The checks in the order in which `check_adapter` runs them."""


def _refused(work: Callable[[], object], otherwise: str) -> None:
    try:
        work()
    except InputError:
        return
    except SpaceportError as error:
        raise AssertionError(f"{otherwise}: {type(error).__name__}, not an InputError") from error
    raise AssertionError(otherwise)


def _close(given: Matrix, wanted: Matrix, what: str) -> None:
    off = float(np.abs(given - wanted).max(initial=0))
    _require(off <= 1e-4 * float(np.abs(wanted).max()), f"{what} come out {off:.2g} off")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)
