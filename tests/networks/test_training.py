"""Training: it learns, stops, repeats, and goes on after a kill as if nothing had been."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from spaceport.errors import CorruptError, InputError  # noqa: E402
from spaceport.networks.training import (  # noqa: E402
    Schedule,
    Training,
    arrays_of,
    fill,
    seeded,
    train,
)


class Line(Training):
    """y = 2x − 1 with noise, through dropout, so that random numbers matter."""

    steps = 8

    def __init__(self, seed: int = 0, stop_after: int | None = None, spoil: bool = False) -> None:
        rng = np.random.default_rng(0)
        self.x = torch.from_numpy(rng.normal(size=(80, 1)).astype(np.float32))
        self.y = (
            2 * self.x - 1 + 0.1 * torch.from_numpy(rng.normal(size=(80, 1)).astype(np.float32))
        )
        with seeded(seed):
            self.network = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(1, 1))
        self.stop_after, self.spoil, self.measured = stop_after, spoil, 0

    def batches(self, rng):
        order = rng.permutation(64)
        yield from (order[start : start + 8] for start in range(0, 64, 8))

    def loss(self, batch):
        if self.spoil:
            return self.network(self.x[batch]).sum() * float("nan")
        return ((self.network(self.x[batch]) - self.y[batch]) ** 2).mean()

    def held_out(self):
        if self.stop_after is not None and self.measured == self.stop_after:
            raise KeyboardInterrupt
        self.measured += 1
        missed = self.network(self.x[64:]) - self.y[64:]
        return {"loss": float((missed**2).mean()), "worst": float(missed.abs().max())}


SCHEDULE = Schedule(epochs=30, learning_rate=0.1, patience=30)


def same(one, other) -> bool:
    return all(np.array_equal(one[k], other[k]) for k in one) and one.keys() == other.keys()


def test_it_learns_and_keeps_the_best_epoch() -> None:
    line = Line()
    curve = train(line, SCHEDULE)
    weight, bias = (v.item() for v in arrays_of(line.network).values())
    assert abs(weight - 2) < 0.1
    assert abs(bias + 1) < 0.1
    losses = [epoch["held_out_loss"] for epoch in curve.epochs]
    assert losses[curve.best] == min(losses)
    with torch.inference_mode():
        assert line.held_out()["loss"] == pytest.approx(min(losses))
    assert not line.network.training
    assert curve.facts()["best epoch"] == curve.best + 1


def test_each_epoch_has_an_order_of_its_own() -> None:
    line, orders = Line(), []
    batches = line.batches
    line.batches = lambda rng: orders.append([b.tolist() for b in batches(rng)]) or iter(orders[-1])
    train(line, Schedule(epochs=3, learning_rate=0.1))
    flat = [[row for batch in order for row in batch] for order in orders]
    assert all(sorted(order) == list(range(64)) for order in flat)
    assert flat[0] != flat[1] != flat[2] != flat[0]


def test_it_stops_when_nothing_gets_better() -> None:
    curve = train(Line(), Schedule(epochs=500, learning_rate=0.1, patience=3))
    assert len(curve.epochs) - 1 - curve.best == 3


def test_a_seed_repeats_and_another_differs() -> None:
    state = torch.random.get_rng_state()
    one, again, other = Line(), Line(), Line()
    assert train(one, SCHEDULE).best == train(again, SCHEDULE).best
    train(other, Schedule(epochs=30, learning_rate=0.1, patience=30, seed=1))
    assert same(arrays_of(one.network), arrays_of(again.network))
    assert not same(arrays_of(one.network), arrays_of(other.network))
    assert torch.equal(state, torch.random.get_rng_state()), "the caller's random numbers were used"


def test_a_run_that_was_cut_off_goes_on_as_if_nothing_had_been(tmp_path) -> None:
    whole = Line()
    expected = train(whole, SCHEDULE)
    cut = Line(stop_after=11)
    with pytest.raises(KeyboardInterrupt):
        train(cut, SCHEDULE, checkpoints=tmp_path, identity="line")
    second = Line(seed=7)
    curve = train(second, SCHEDULE, checkpoints=tmp_path, identity="line")
    assert second.measured == 30 - 11
    assert same(arrays_of(whole.network), arrays_of(second.network))
    assert curve.best == expected.best
    assert [e["loss"] for e in curve.epochs] == [e["loss"] for e in expected.epochs]


@pytest.mark.parametrize("damage", ["identity", "schedule", "cut", "garbage"])
def test_a_checkpoint_of_something_else_is_not_used(tmp_path, damage) -> None:
    train(Line(), SCHEDULE, checkpoints=tmp_path, identity="line")
    [path] = tmp_path.iterdir()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    if damage == "garbage":
        path.write_bytes(b"no checkpoint at all")
    line = Line()
    schedule = Schedule(epochs=29, learning_rate=0.1) if damage == "schedule" else SCHEDULE
    train(line, schedule, checkpoints=tmp_path, identity="x" if damage == "identity" else "line")
    assert line.measured > 0


def test_a_loss_that_is_no_number_is_told() -> None:
    with pytest.raises(InputError, match="epoch 1"):
        train(Line(spoil=True), SCHEDULE)


def test_weights_of_another_network_are_refused() -> None:
    line = Line()
    with pytest.raises(CorruptError, match="do not fit"):
        fill(
            line.network,
            {"1.weight": np.zeros((2, 2), np.float32), "1.bias": np.zeros(1, np.float32)},
        )
