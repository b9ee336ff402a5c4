"""The small convolutional network: its shapes, its entrance, and that pictures do not mix."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from spaceport.encoders import _pictures  # noqa: E402
from spaceport.networks.convolutional import (  # noqa: E402
    Block,
    Entrance,
    decoder,
    network,
    standardized,
)
from spaceport.networks.training import seeded  # noqa: E402


def pictures(count: int = 5, height: int = 13, width: int = 9) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.random((count, 3, height, width), dtype=np.float32))


def test_standardizing_is_that_of_the_pixels_method() -> None:
    given = pictures()
    wanted = _pictures.standardized(given.permute(0, 2, 3, 1).numpy())
    found = standardized(given).permute(0, 2, 3, 1).numpy()
    assert np.abs(found - wanted).max() < 1e-5


@pytest.mark.parametrize("standardize", [False, True])
def test_the_entrance_evens_out_by_what_it_learnt(standardize) -> None:
    entrance = Entrance(standardize)
    given = pictures()
    inner = standardized(given) if standardize else given
    assert torch.equal(entrance(given), inner)
    entrance.learn([0.1, 0.2, 0.3], [1.0, 2.0, 4.0])
    for channel, (mean, deviation) in enumerate([(0.1, 1), (0.2, 2), (0.3, 4)]):
        wanted = (inner[:, channel] - mean) / deviation
        assert torch.allclose(entrance(given)[:, channel], wanted, atol=1e-6)


def test_a_block_whose_inner_part_says_nothing_lets_the_input_through() -> None:
    block = Block(3).eval()
    torch.nn.init.zeros_(block.inner[-1].weight)
    given = pictures() - 0.5
    assert torch.equal(block(given), given.clamp(min=0))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (13, 9), (32, 32)])
def test_sizes_come_out_as_asked(height, width) -> None:
    given = pictures(2, height, width)
    vectors = network(7, 2, standardize=True)(given)
    assert vectors.shape == (2, 7)
    assert decoder(7, 2, (width, height))(vectors).shape == given.shape


def test_a_pictures_vector_does_not_depend_on_the_others() -> None:
    with seeded(0):
        found = network(7, 4, standardize=True).eval()
    given = pictures()
    with torch.inference_mode():
        together = found(given)
        alone = torch.cat([found(one[None]) for one in given])
    assert torch.allclose(together, alone, atol=1e-5)
    assert together.std(dim=0).min() > 0


def test_every_weight_learns() -> None:
    body = network(5, 2, standardize=False)
    given = pictures(4, 16, 16)
    ((decoder(5, 2, (16, 16))(body(given)) - given) ** 2).mean().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in body.parameters())
