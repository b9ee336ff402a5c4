"""Which tokens of a network of patches are its own: transformers' models, and the paper's numbers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
transformers = pytest.importorskip("transformers", reason="needs the extra `torch`")

from spaceport.networks.inputs.images import extra_tokens  # noqa: E402 - behind what may skip

SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
PATCHES = {**SMALL, "image_size": 16, "patch_size": 8}


@pytest.mark.parametrize(
    ("name", "params", "count"),
    [
        ("ViT", PATCHES, 1),
        ("DeiT", PATCHES, 2),
        ("Beit", PATCHES, 1),
        ("CLIPVision", PATCHES, 1),
        ("SiglipVision", PATCHES, 0),
        ("Dinov2WithRegisters", {**PATCHES, "num_register_tokens": 4}, 5),
        ("DINOv3ViT", {**PATCHES, "num_register_tokens": 3}, 4),
        ("AST", {**SMALL, "max_length": 32, "num_mel_bins": 16}, 2),
        ("ResNet", {"embedding_size": 4, "hidden_sizes": [4], "depths": [1]}, 0),
        ("Bert", {**SMALL, "vocab_size": 9}, 0),
    ],
)
def test_extra_tokens(name, params, count):
    config = getattr(transformers, f"{name}Config")(**params)
    assert extra_tokens(getattr(transformers, f"{name}Model")(config)) == count
