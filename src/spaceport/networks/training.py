"""Train a small network here: held-out loss, early stopping, seeds, and checkpoints that survive a kill.

One epoch after another: the batches in an order drawn from (seed, epoch), an optimizer's step for
each, then the held-out part is measured. The weights of the best epoch are kept; after `patience`
epochs without a better one training stops. The learning rate falls from its height to nothing along
half a cosine (Loshchilov & Hutter 2017, eq. 5, one cycle).

Every random choice of an epoch follows from (seed, epoch), so a run that was killed and goes on from
its last checkpoint does what an unbroken one does.
"""

from __future__ import annotations

import json
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from spaceport.errors import CorruptError, InputError
from spaceport.progress import task

__all__ = ["Curve", "Schedule", "Training", "arrays_of", "fill", "seeded", "train"]

CHECKPOINT = "training.safetensors"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes
    ----------
    epochs : int
        The most passes over the training part.
    learning_rate : float
        At its height.
    patience : int
        Epochs without a better held-out loss after which training stops.
    seed : int
        Of every random choice.
    """

    epochs: int
    learning_rate: float
    patience: int = 5
    seed: int = 0


@dataclass
class Curve:
    """What each epoch came to.

    Attributes
    ----------
    epochs : list of dict
        For each epoch ``loss`` (mean over the training batches), ``held_out_loss``, other held-out
        figures, ``seconds``.
    best : int
        The epoch whose weights were kept, from 0.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best: int = 0

    def facts(self) -> dict[str, Any]:
        """What the card says of the training; ``curve`` is drawn."""
        seconds = sum(epoch["seconds"] for epoch in self.epochs)
        return {
            "epochs": len(self.epochs),
            "best epoch": self.best + 1,
            "seconds": seconds,
            "curve": [{name: float(value) for name, value in e.items()} for e in self.epochs],
        }


class Training(ABC):
    """What is trained on what: `train` does the rest.

    Attributes
    ----------
    network : torch.nn.Module
        Its weights are changed in place.
    steps : int
        Batches an epoch.
    """

    network: torch.nn.Module
    steps: int

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """Yield one epoch's batches, in an order drawn from `rng`."""

    @abstractmethod
    def loss(self, batch: Any) -> torch.Tensor:
        """The loss of a batch, a scalar to be minimized; the network is in training mode."""

    @abstractmethod
    def held_out(self) -> dict[str, float]:
        """Figures of the held-out part, ``loss`` among them; evaluation mode, no gradients."""

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """What takes the steps."""
        return torch.optim.AdamW(
            self.network.parameters(), lr=learning_rate, weight_decay=1e-4, foreach=False
        )


def train(
    training: Training, schedule: Schedule, *, checkpoints: Path | None = None, identity: str = ""
) -> Curve:
    """Train, and leave the best epoch's weights in the network.

    Parameters
    ----------
    training : Training
    schedule : Schedule
    checkpoints : Path, optional
        A folder for the state after each epoch. If it holds one of the same `identity`, training goes
        on from there.
    identity : str
        What is trained on what; a checkpoint of another identity is not used.

    Raises
    ------
    InputError
        The loss is no longer a number.
    """
    optimizer = training.optimizer(schedule.learning_rate)
    curve, best = Curve(), arrays_of(training.network)
    kept = None if checkpoints is None else checkpoints / CHECKPOINT
    told = json.dumps([identity, asdict(schedule)])
    if kept is not None and (found := _read(kept, told)):
        curve, best = _restore(found, training.network, optimizer)
    with task("training", schedule.epochs * training.steps, "batches") as work:
        work.advance(len(curve.epochs) * training.steps)
        while not _over(curve, schedule):
            _epoch(training, optimizer, schedule, curve, work.advance)
            if curve.best == len(curve.epochs) - 1:
                best = arrays_of(training.network)
            if kept is not None:
                _write(kept, told, training.network, optimizer, curve, best)
    fill(training.network, best)
    training.network.eval()
    return curve


@contextmanager
def seeded(*seed: int) -> Iterator[None]:
    """Draw torch's random numbers from `seed` inside the block, and leave the caller's alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> 1))
        yield


def arrays_of(network: torch.nn.Module) -> dict[str, npt.NDArray[Any]]:
    """A copy of the network's weights and buffers, for `Encoder.state`."""
    return {k: v.detach().cpu().numpy().copy() for k, v in network.state_dict().items()}


def fill(network: torch.nn.Module, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put weights back.

    Raises
    ------
    CorruptError
        They are those of another network.
    """
    try:
        network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in arrays.items()})
    except RuntimeError as error:
        raise CorruptError(
            f"The weights do not fit the network: {str(error).splitlines()[-1].strip()}.",
            "Build the version again.",
        ) from error


def _over(curve: Curve, schedule: Schedule) -> bool:
    done = len(curve.epochs)
    return done >= schedule.epochs or (done > 0 and done - 1 - curve.best >= schedule.patience)


def _epoch(
    training: Training,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    curve: Curve,
    advance: Any,
) -> None:
    number, began = len(curve.epochs), time.perf_counter()
    training.network.train()
    total, count = 0.0, 0
    with seeded(schedule.seed, number):
        for batch in training.batches(np.random.default_rng((schedule.seed, number))):
            part = min(1.0, (number + count / training.steps) / schedule.epochs)
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * part))
            optimizer.zero_grad()
            loss = training.loss(batch)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
            advance(1)
    training.network.eval()
    with torch.inference_mode():
        figures = {name: float(value) for name, value in training.held_out().items()}
    if not math.isfinite(total) or not math.isfinite(figures["loss"]):
        raise InputError(
            f"The loss is no longer a number in epoch {number + 1}.", "Lower `learning_rate`."
        )
    row = {"loss": total / max(count, 1), "held_out_loss": figures.pop("loss"), **figures}
    curve.epochs.append({**row, "seconds": time.perf_counter() - began})
    curve.best = min(range(number + 1), key=lambda e: curve.epochs[e]["held_out_loss"])


def _write(
    path: Path,
    told: str,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    curve: Curve,
    best: Mapping[str, npt.NDArray[Any]],
) -> None:
    tensors = {f"network/{k}": v.detach().cpu() for k, v in network.state_dict().items()}
    tensors |= {f"best/{k}": torch.from_numpy(v) for k, v in best.items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{k}": torch.as_tensor(v) for k, v in values.items()}
    header = {"told": told, "curve": json.dumps(asdict(curve))}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as stream:
        stream.write(save({k: v.clone().contiguous() for k, v in tensors.items()}, header))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _read(path: Path, told: str) -> tuple[dict[str, torch.Tensor], Curve] | None:
    """The tensors and the curve of a checkpoint of the same training; None where there is none."""
    try:
        with safe_open(path, framework="pt") as stored:
            header = stored.metadata() or {}
            if header.get("told") != told:
                return None
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            return tensors, Curve(**json.loads(header["curve"]))
    except (OSError, SafetensorError, ValueError):
        return None


def _restore(
    found: tuple[dict[str, torch.Tensor], Curve],
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> tuple[Curve, dict[str, npt.NDArray[Any]]]:
    tensors, curve = found
    parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    network.load_state_dict(parts["network"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in parts["optimizer"].items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return curve, {name: tensor.numpy() for name, tensor in parts["best"].items()}
