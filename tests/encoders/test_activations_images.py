"""Activations of networks for pictures: transformers' own values, its own preparation, and bad input."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
Image = pytest.importorskip("PIL.Image", reason="needs the extra `images`")
pytest.importorskip("transformers", reason="needs the extra `torch`")

from encoders.samples import SAMPLES  # noqa: E402 - behind what may skip
from networks import tiny_media  # noqa: E402
from spaceport.encoders.activations import Activations  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.errors import InputError, NotFoundError, ParameterError  # noqa: E402

EXTRA = {"vit": 1, "dinov2": 5, "gray": 1}
"""Tokens that a network puts before those of the patches, as its paper says."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network's folder by its name, saved once."""
    root = tmp_path_factory.mktemp("networks")
    saved = {}

    def find(name):
        if name not in saved:
            saved[name] = tiny_media.save(tiny_media.IMAGES[name], root / name)
        return saved[name]

    return find


def pictures():
    """Six pictures of several shapes, as PNG files and as Pillow has them."""
    rng = np.random.default_rng(3)
    shapes = [(40, 50), (64, 33), (32, 32), (20, 90), (200, 150), (31, 47)]
    shown = [Image.fromarray(rng.integers(0, 256, (*s, 3), dtype=np.uint8)) for s in shapes]
    return [png(picture) for picture in shown], shown


def png(picture):
    with io.BytesIO() as file:
        picture.save(file, "PNG")
        return file.getvalue()


def truth(folder, shown):
    """What transformers makes of pictures: its processor, its model, all hidden states."""
    from transformers import AutoImageProcessor, AutoModel

    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    channels = json.loads((folder / "config.json").read_text()).get("num_channels", 3)
    given = [picture.convert({1: "L", 3: "RGB"}[channels]) for picture in shown]
    values = np.concatenate([processor(one, return_tensors="np")["pixel_values"] for one in given])
    network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        return network(torch.from_numpy(values), output_hidden_states=True)


def places(values, name):
    """Values as (n, places, d): maps laid flat, tokens of the network's own left out."""
    array = values.numpy()
    if array.ndim == 4:
        return array.reshape(*array.shape[:2], -1).swapaxes(1, 2)
    return array[:, EXTRA.get(name, 0) :]


def close(given, wanted):
    return np.abs(given - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("name", tiny_media.IMAGES)
def test_every_layer_is_transformers_own(folder, name):
    files, shown = pictures()
    found = truth(folder(name), shown)
    for layer, values in enumerate(found.hidden_states[:-1]):
        vectors = Activations(str(folder(name)), where=str(layer)).encode(files)
        assert close(vectors, places(values, name).mean(1)), layer
    last = Activations(str(folder(name))).encode(files)
    assert close(last, places(found.last_hidden_state, name).mean(1))


@pytest.mark.parametrize("name", ["vit", "resnet"])
def test_poolings(folder, name):
    files, shown = pictures()
    values = truth(folder(name), shown).last_hidden_state
    there = places(values, name)
    wanted = {
        "max": there.max(1),
        "flatten": values.numpy().reshape(len(files), -1),
        "last token": there[:, -1],
    }
    for pooling, rows in wanted.items():
        assert close(Activations(str(folder(name)), pooling=pooling).encode(files), rows), pooling


def test_layers_of_other_sizes_are_pooled_and_then_put_side_by_side(folder):
    files, shown = pictures()
    states = truth(folder("resnet"), shown).hidden_states
    vectors = Activations(str(folder("resnet")), where="concatenate 1, 2").encode(files)
    wanted = [states[layer].numpy().mean((2, 3)) for layer in (1, 2)]
    assert close(vectors, np.concatenate(wanted, axis=1))
    with pytest.raises(InputError, match=r"shapes \(8, 8, 8\) and \(16, 4, 4\) have no mean"):
        Activations(str(folder("resnet")), where="mean of 1, 2").encode(files)


def test_cls_is_the_networks_own_token(folder):
    files, shown = pictures()
    values = truth(folder("dinov2"), shown).last_hidden_state.numpy()
    vectors = Activations(str(folder("dinov2")), pooling="cls").encode(files)
    assert close(vectors, values[:, 0])
    assert not close(vectors, values[:, 1:].mean(1))


def test_a_named_module_and_an_output(folder):
    files, shown = pictures()
    found = truth(folder("resnet"), shown)
    stage = Activations(str(folder("resnet")), where="encoder.stages.0").encode(files)
    assert close(stage, found.hidden_states[1].numpy().mean((2, 3)))
    pooled = Activations(str(folder("resnet")), where="output pooler_output").encode(files)
    assert close(pooled, found.pooler_output.numpy()[:, :, 0, 0])


def test_preparation_is_what_the_file_says_in_plain_pillow(folder):
    """Resized, cropped, scaled and normalized by hand; the oracle is Pillow and arithmetic."""
    from spaceport.networks.inputs.images import Pictures

    files, shown = pictures()
    made = Pictures(folder("dinov2"), torch.nn.Identity()).pieces(files)
    told = json.loads((folder("dinov2") / "preprocessor_config.json").read_text())
    for piece, picture in zip(made.arrays, shown, strict=True):
        width, height = picture.size
        scale = 32 / min(width, height)
        size = [32 if side == min(width, height) else int(side * scale) for side in picture.size]
        small = np.asarray(picture.resize(size, Image.Resampling(told["resample"])), np.float64)
        top, left = (size[1] - 28) // 2, (size[0] - 28) // 2
        cut = small[top : top + 28, left : left + 28] / 255
        wanted = (cut - told["image_mean"]) / told["image_std"]
        assert np.abs(piece["pixel_values"] - wanted.transpose(2, 0, 1)).max() < 1e-5


def test_the_same_picture_in_every_kind_of_file(folder):
    """Turned by EXIF, on transparent ground, with a palette: one picture, one vector."""
    rng = np.random.default_rng(4)
    flat = Image.fromarray(
        np.kron(rng.integers(0, 6, (8, 8, 3)) * 51, np.ones((5, 5, 1))).astype(np.uint8)
    )
    clear = flat.copy()
    clear.putalpha(255)
    turned, exif = flat.transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[0x0112] = 6
    with io.BytesIO() as file:
        turned.save(file, "PNG", exif=exif)
        upright = file.getvalue()
    palette = flat.convert("P", palette=Image.Palette.WEB, dither=Image.Dither.NONE)
    kinds = [png(flat), png(clear), upright, png(palette)]
    vectors = Activations(str(folder("vit"))).encode(kinds)
    assert close(vectors, np.repeat(vectors[:1], 4, axis=0))
    other = Activations(str(folder("vit"))).encode([png(turned)])
    assert not close(other, vectors[:1])


def test_a_network_of_one_channel_sees_gray(folder):
    files, shown = pictures()
    colored = Activations(str(folder("gray"))).encode(files)
    already = Activations(str(folder("gray"))).encode([png(one.convert("L")) for one in shown])
    assert close(colored, already)


def test_other_channels_are_refused(folder, tmp_path):
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    def four():
        config = ViTConfig(**tiny_media.TRANSFORMER, image_size=16, patch_size=4, num_channels=4)
        return ViTModel(config), ViTImageProcessorPil()

    made = tiny_media.save(four, tmp_path)
    with pytest.raises(InputError, match="takes pictures of 4 channels"):
        Activations(str(made)).encode(pictures()[0])


def test_pictures_that_cannot_be_read_are_counted(folder):
    files, _ = pictures()
    with pytest.raises(
        InputError, match="2 of 4 pictures cannot be read; the first, at position 1"
    ):
        Activations(str(folder("vit"))).encode([files[0], b"no picture", files[1], files[2][:90]])


def test_texts_for_a_network_of_pictures_are_refused(folder):
    with pytest.raises(InputError, match="takes images. Got str"):
        Activations(str(folder("vit"))).encode(["a cat"])


def test_a_processor_that_is_not_there(folder, tmp_path):
    made = tiny_media.save(tiny_media.vit, tmp_path)
    (made / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    (made / "config.json").write_text(
        (made / "config.json").read_text().replace('"model_type": "vit"', '"model_type": "bert"')
    )
    with pytest.raises(InputError, match="cannot be read"):
        Activations(str(made)).encode(pictures()[0])


def test_wrong_names_list_the_layers(folder):
    with pytest.raises(NotFoundError, match="has 3") as raised:
        Activations(str(folder("vit")), where="7").encode(pictures()[0])
    assert "layers.2 (17, 16)" in str(raised.value)
    with pytest.raises(ParameterError, match="`dimension` must be at most 16"):
        Activations(str(folder("vit")), dimension=17).encode(pictures()[0])


def test_it_takes_what_the_folder_says(folder, tmp_path):
    encoder = Activations(str(folder("vit")))
    assert encoder.takes("images")
    assert not encoder.takes("texts")
    assert not encoder.takes("audio")


def test_saved_and_read_back(folder, tmp_path):
    encoder = Activations(str(folder("resnet")), where="1")
    source = SAMPLES["images"]()
    vectors = encoder.encode(source)
    encoder.save(tmp_path)
    assert np.array_equal(load(tmp_path).encode(source), vectors)
    assert encoder.facts()["images"] == 40


def test_what_prepares_pictures_is_part_of_the_fingerprint(folder):
    encoder = Activations(str(folder("vit")))
    assert encoder.libraries == ("torch", "transformers", "pillow")
    assert Activations("minilm").libraries == ("torch", "transformers", "tokenizers")
    assert (encoder.at_once, Activations("minilm").at_once) == (64, 1024)


def test_preparation_is_part_of_the_fingerprint(tmp_path):
    made = tiny_media.save(tiny_media.vit, tmp_path)
    before = Activations(str(made)).fingerprint
    path = made / "preprocessor_config.json"
    path.write_text(path.read_text().replace('"height": 32', '"height": 40'))
    assert Activations(str(made)).fingerprint != before


def test_a_value_that_is_no_number_names_the_item(folder):
    encoder = Activations(str(folder("vit")))
    files, _ = pictures()
    encoder.encode(files)
    door = encoder._model.door(files)
    with torch.no_grad():
        door.network.module.embeddings.cls_token.fill_(torch.nan)
    with pytest.raises(InputError, match="NaN or infinity for 6 of 6 items"):
        encoder.encode(files)
