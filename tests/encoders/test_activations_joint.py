"""A network of two towers: texts and pictures in one space, each tower by itself."""

from __future__ import annotations

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
Image = pytest.importorskip("PIL.Image", reason="needs the extra `images`")
transformers = pytest.importorskip("transformers", reason="needs the extra `torch`")

from networks import tiny, tiny_media  # noqa: E402 - behind what may skip
from spaceport.encoders.activations import Activations  # noqa: E402
from spaceport.errors import InputError  # noqa: E402

TEXTS = ["the cat sat on the mat", "a dog", "naïve cats and more words"]


def clip():
    config = transformers.CLIPConfig(
        text_config={
            **tiny_media.TRANSFORMER, "vocab_size": 60, "max_position_embeddings": 24,
            "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0,
        },
        vision_config={**tiny_media.TRANSFORMER, "image_size": 32, "patch_size": 8},
        projection_dim=10,
    )  # fmt: skip
    size = {"shortest_edge": 32}
    return transformers.CLIPModel(config), transformers.CLIPImageProcessorPil(
        size=size, crop_size={"height": 32, "width": 32}
    )


def siglip():
    config = transformers.SiglipConfig(
        text_config={
            **tiny_media.TRANSFORMER, "vocab_size": 60, "max_position_embeddings": 24,
            "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0, "projection_size": 16,
        },
        vision_config={**tiny_media.TRANSFORMER, "image_size": 32, "patch_size": 8},
    )  # fmt: skip
    size = {"height": 32, "width": 32}
    return transformers.SiglipModel(config), transformers.SiglipImageProcessorPil(size=size)


@pytest.fixture(scope="module", params=[clip, siglip], ids=lambda make: make.__name__)
def folder(request, tmp_path_factory):
    made = tiny_media.save(request.param, tmp_path_factory.mktemp("joint"))
    tiny.tokenizer(made)
    return made


def pictures():
    rng = np.random.default_rng(6)
    files, shown = [], []
    for side in (32, 40, 55):
        shown.append(Image.fromarray(rng.integers(0, 256, (side, 44, 3), dtype=np.uint8)))
        with io.BytesIO() as file:
            shown[-1].save(file, "PNG")
            files.append(file.getvalue())
    return files, shown


def network(folder):
    return transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


def pixels(folder, shown):
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    parts = [processor(one, return_tensors="pt")["pixel_values"] for one in shown]
    return torch.cat(parts)


def ids(folder, text):
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
    if "SiglipModel" in (folder / "config.json").read_text():  # as it was trained: filled, no mask
        found += [0] * (24 - len(found))
    return torch.tensor([found])


def length(text):
    """Tokens of a text: its words, and one at either end."""
    return len(text.split()) + 2


def close(given, wanted):
    return np.abs(given - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


def test_projections_are_what_the_network_compares(folder):
    """Unit length, they give transformers' own logits but for its scale and shift."""
    files, shown = pictures()
    ours = Activations(str(folder), where="output image_embeds", unit=True).encode(files)
    texts = Activations(str(folder), where="output text_embeds", unit=True).encode(TEXTS)
    module = network(folder)
    with torch.inference_mode():
        found = [module(ids(folder, text), pixels(folder, shown)) for text in TEXTS]
    wanted = np.concatenate([one.image_embeds.numpy()[None] for one in found])[0]
    assert close(ours, wanted)
    assert close(texts, np.concatenate([one.text_embeds.numpy() for one in found]))
    logits = np.concatenate([one.logits_per_text.numpy() for one in found])
    assert np.corrcoef((texts @ ours.T).ravel(), logits.ravel())[0, 1] > 0.9999


def test_each_tower_has_its_own_layers(folder):
    files, shown = pictures()
    module = network(folder)
    with torch.inference_mode():
        seen = module.vision_model(pixels(folder, shown), output_hidden_states=True)
        read = module.text_model(ids(folder, TEXTS[0]), output_hidden_states=True)
    extra = int(module.config.model_type == "clip")  # its class token; SigLIP has none
    first = Activations(str(folder), where="first")
    assert close(first.encode(files), seen.hidden_states[1][:, extra:].numpy().mean(1))
    states = read.hidden_states[1][:, : length(TEXTS[0])].numpy()
    assert close(first.encode(TEXTS)[:1], states.mean(1))
    assert first.facts()["images"] == 3
    assert first.facts()["texts"] == 3


def test_a_module_of_a_tower_by_its_name(folder):
    files, shown = pictures()
    module = network(folder)
    caught = []
    module.vision_model.encoder.layers[1].mlp.register_forward_hook(
        lambda _, __, out: caught.append(out)
    )
    with torch.inference_mode():
        module.vision_model(pixels(folder, shown))
    name = "vision_model.encoder.layers.1.mlp"
    vectors = Activations(str(folder), where=name, pooling="flatten").encode(files)
    assert close(vectors, caught[0].flatten(1).numpy())


def test_it_takes_both(folder):
    encoder = Activations(str(folder))
    assert encoder.takes("images")
    assert encoder.takes("texts")
    assert not encoder.takes("audio")
    with pytest.raises(InputError, match="takes texts and images. Got dict"):
        encoder.encode([{"a": 1}])
