"""The share that has moved is never claimed to be more than it is, and is found where it is plain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from drift.panel.worlds import BASIS, clustered
from spaceport.drift.panel.effects import Effect
from spaceport.drift.panel.moving import moved

RUNS = 40


def found(X: np.ndarray, Y: np.ndarray, seed: int) -> Effect:
    rows = BASIS.ready(np.concatenate([X, Y]))
    return moved(rows, np.arange(len(rows)) >= len(X), BASIS, seed)


def shifted(rng: np.random.Generator, far: float) -> tuple[np.ndarray, np.ndarray, float]:
    X, Y = rng.standard_normal((400, 6)), rng.standard_normal((200, 6))
    Y[:, 0] += far
    return X, Y, 2 * norm.cdf(far / 2) - 1


def replaced(rng: np.random.Generator, share: float) -> tuple[np.ndarray, np.ndarray, float]:
    X, Y = clustered(rng, 400)[0], clustered(rng, 200)[0]
    new = rng.random(200) < share
    Y[new] = 30 + 0.5 * rng.standard_normal((new.sum(), 6))
    return X, Y, share


@pytest.mark.parametrize(("world", "size"), [(shifted, 0), (shifted, 1.5), (replaced, 0.2)])
def test_it_is_a_lower_bound(world, size) -> None:  # type: ignore[no-untyped-def]
    runs = [world(np.random.default_rng(run), size) for run in range(RUNS)]
    effects = [found(X, Y, run) for run, (X, Y, _) in enumerate(runs)]
    truth = runs[0][2]
    above = np.sum([effect.low > truth for effect in effects])
    assert above <= 4  # 2.5 % of 40 is 1; more than 4 has a chance of .003
    if truth:
        assert np.mean([effect.low for effect in effects]) > truth / 3
        assert np.mean([effect.value for effect in effects]) > 0.7 * truth


def test_judging_what_was_learnt_from_would_be_seen() -> None:
    """The saboteur: rows that are judged twice were learnt from; so many of one kind fit by chance."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((60, 6)), rng.standard_normal((60, 6))
    honest = found(X, Y, 0)
    copied = found(np.repeat(X, 4, axis=0), np.repeat(Y, 4, axis=0), 0)
    assert honest.low == 0 < copied.low
