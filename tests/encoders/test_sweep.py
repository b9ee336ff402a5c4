"""All layers in one pass: each spot's vectors are those of its own encoder, and of transformers."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from networks import tiny, tiny_media  # noqa: E402
from spaceport import encoders  # noqa: E402
from spaceport.encoders._sweep import Spot, Stopwatch, spots  # noqa: E402
from spaceport.errors import InputError  # noqa: E402
from spaceport.networks.network import Network  # noqa: E402
from spaceport.spaces.sweeping import Sweeper  # noqa: E402

POOLINGS = ["mean", "cls", "max", "last token", "weighted mean"]


def swept(folder, poolings=POOLINGS, where="last", **more):
    sweeper = Sweeper(str(folder), where=where, device="cpu", **more)
    sweeper.network_for(tiny.TEXTS)
    return sweeper, sweeper.vectors(tiny.TEXTS, sweeper.spots(poolings))


@pytest.mark.parametrize(
    ("kind", "where", "more"),
    [
        ("bert", "last", {}),
        ("albert", "last", {"special_tokens": False}),
        ("gpt2", "last", {"document_prompt": "the "}),
        ("bert", "last", {"long": "chunk", "max_tokens": 5, "tokens": 16}),
        ("bert", "last", {"unit": True, "dimension": 7, "layer_norm": True}),
        ("bart", "decoder last", {}),
        ("t5", "encoder last", {}),
    ],
)
def test_each_spot_is_what_its_own_encoder_gives(tmp_path, kind, where, more) -> None:
    tiny.save(tmp_path, kind)
    _, found = swept(tmp_path, where=where, **more)
    layers = 2 if kind == "bart" else 3
    joins = 2 if layers < 4 else 3
    assert len(found) == (layers + 1 + joins) * len(POOLINGS)
    for spot, vectors in found.items():
        alone = encoders.activations(
            str(tmp_path), where=spot.where, pooling=spot.pooling, device="cpu", **more
        )
        assert vectors == pytest.approx(alone.encode(tiny.TEXTS), abs=1e-5), spot


def test_each_layer_is_transformers_own(tmp_path) -> None:
    tiny.save(tmp_path, "bert")
    _, found = swept(tmp_path, ["mean", "max"])
    states = tiny.truth(tmp_path, tiny.TEXTS)
    for layer, where in enumerate(["0", "1", "2", "last"]):
        mean = np.stack([text[layer].mean(0) for text in states])
        largest = np.stack([text[layer].max(0) for text in states])
        assert found[Spot(where, "mean")] == pytest.approx(mean, abs=1e-5)
        assert found[Spot(where, "max")] == pytest.approx(largest, abs=1e-5)
    two = np.stack([np.hstack([text[2].mean(0), text[3].mean(0)]) for text in states])
    assert found[Spot("concatenate last 2", "mean")] == pytest.approx(two, abs=1e-5)


@pytest.mark.parametrize(("kind", "joins"), [("vit", 2), ("resnet", 0)])
def test_pictures_too_and_only_layers_of_one_shape_are_joined(tmp_path, kind, joins) -> None:
    folder = str(tiny_media.save(getattr(tiny_media, kind), tmp_path))
    rng = np.random.default_rng(0)
    pictures = [png(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)) for _ in range(3)]
    sweeper = Sweeper(folder, device="cpu")
    network = sweeper.network_for(pictures)
    found = sweeper.vectors(pictures, sweeper.spots(["mean"]))
    assert len(found) == len(network.layers()) + 1 + joins
    for spot, vectors in found.items():
        alone = encoders.activations(folder, where=spot.where, device="cpu")
        assert vectors == pytest.approx(alone.encode(pictures), abs=1e-5), spot


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_network_runs_once_for_all_spots(tmp_path) -> None:
    tiny.save(tmp_path, "bert")
    sweeper = Sweeper(str(tmp_path), device="cpu")
    network = sweeper.network_for(tiny.TEXTS)
    wanted, calls = sweeper.spots(POOLINGS), []
    network.layers()[0].register_forward_hook(lambda *_: calls.append(1))
    sweeper.vectors(tiny.TEXTS, wanted)
    assert len(calls) == 1


def test_four_layers_have_all_joins_and_a_side_stands_before_them() -> None:
    found = spots(4, ["cls"], side="decoder")
    assert [spot.where for spot in found] == [
        *("decoder 0", "decoder 1", "decoder 2", "decoder 3", "decoder last"),
        *("decoder mean of last 2", "decoder mean of last 4", "decoder concatenate last 2"),
    ]


class Slow(torch.nn.Module):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def forward(self, x):
        time.sleep(self.seconds)
        return x


class Stack(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([Slow(0.0), Slow(0.05), Slow(0.0)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def test_the_stopwatch_sees_where_the_time_goes() -> None:
    network = Network(Stack())
    watch = Stopwatch(network)
    for _ in range(2):
        with watch.running():
            network.module(torch.ones(1, 2))
    steps = np.diff(watch.seconds, prepend=0)
    assert len(steps) == 4
    assert (steps >= 0).all()
    assert steps[2] >= 0.1
    assert steps[2] == steps.max()


def test_a_network_without_layers_has_nothing_to_choose_from(tmp_path) -> None:
    sweeper = Sweeper("nowhere")
    sweeper.network = Network(torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="Linear has no list of layers"):
        sweeper.spots(["mean"])
