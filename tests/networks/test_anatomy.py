"""What a network is made of, against its own tensors and a count by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from networks import tiny  # noqa: E402
from spaceport.networks.anatomy import modules, operations  # noqa: E402
from spaceport.spaces.choosing import layers  # noqa: E402
from spaceport.spaces.sweeping import Sweeper  # noqa: E402


def network(folder, kind):
    tiny.save(folder, kind)
    return Sweeper(str(folder), device="cpu").network_alone()


def test_the_modules_of_a_network(tmp_path) -> None:
    found = {module.name: module for module in modules(network(tmp_path, "bert"))}
    given = tiny.save(tmp_path / "again", "bert")
    assert list(found) == [name for name, _ in given.named_modules() if name]
    for name, module in given.named_modules():
        if name:
            assert found[name].kind == type(module).__name__
            assert found[name].parameters == sum(p.numel() for p in module.parameters())
    ones = [found[f"encoder.layer.{i}"] for i in range(3)]
    assert [(one.layer, one.shape[-1]) for one in ones] == [(1, 16), (2, 16), (3, 16)]
    assert [one.compute for one in ones] == sorted({one.compute for one in ones})
    assert found["pooler"].compute is None


def test_the_operations_of_a_layer_as_counted_by_hand(tmp_path) -> None:
    bert = network(tmp_path, "bert")
    t = bert.example["input_ids"].shape[1]
    d, wide = 16, 24
    counted = operations(bert)
    products = 2 * t * (4 * d * d + 2 * d * wide)
    attention = 2 * (2 * t * t * d)
    steps = np.diff(counted).tolist()
    assert counted[0] == 0
    assert steps[0] == steps[1]
    assert steps[0] in (products, products + attention)  # torch may not count fused attention


@pytest.mark.parametrize(
    ("kind", "sides"),
    [("albert", {"": 3}), ("gpt2", {"": 3}), ("bart", {"encoder": 3, "decoder": 2})],
)
def test_sides_and_shared_layers(tmp_path, kind, sides) -> None:
    opened = network(tmp_path, kind)
    for side, count in sides.items():
        counted = operations(opened, "" if side == "encoder" else side)
        assert len(counted) == count + 1
        assert counted == sorted(counted)
        assert counted[-1] > 0
    told = [(module.side, module.layer) for module in modules(opened) if module.layer]
    assert {side for side, _ in told} == {*sides}


def test_layers_by_the_name_of_a_model(tmp_path) -> None:
    tiny.save(tmp_path, "gpt2")
    found = [module for module in layers(str(tmp_path)) if module.layer]
    assert [module.name for module in found] == ["h.0", "h.1", "h.2"]
    assert found[-1].compute == 1
