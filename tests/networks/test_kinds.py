"""What a folder says that its model takes, from the files that libraries write."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from spaceport.errors import InputError  # noqa: E402 - behind what may skip
from spaceport.networks.kinds import modalities_of, modality_of  # noqa: E402

PICTURES = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
SOUNDS = {"feature_extractor_type": "WhisperFeatureExtractor", "sampling_rate": 16000}
OLD = {"feature_extractor_type": "ViTFeatureExtractor", "image_mean": [0.5, 0.5, 0.5]}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"tokenizer": {}}, ("texts",)),
        ({"preprocessor_config": PICTURES}, ("images",)),
        ({"preprocessor_config": OLD}, ("images",)),
        ({"preprocessor_config": SOUNDS}, ("audio",)),
        ({"processor_config": {"image_processor": PICTURES}}, ("images",)),
        ({"processor_config": {"feature_extractor": SOUNDS}}, ("audio",)),
        ({"preprocessor_config": SOUNDS, "tokenizer": {}}, ("audio",)),  # it writes texts
        (
            {"preprocessor_config": PICTURES, "tokenizer": {}, "config": {"text_config": {}}},
            ("texts", "images"),
        ),
    ],
)
def test_modalities_of_a_folder(tmp_path, files, wanted):
    for name, told in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    assert modalities_of(tmp_path) == wanted


def test_a_folder_that_does_not_say(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no tokenizer.json and no preprocessor_config.json"):
        modalities_of(tmp_path)


@pytest.mark.parametrize(
    ("item", "takes", "wanted"),
    [
        ("a", ("texts",), "texts"),
        (b"a", ("texts", "audio"), "audio"),
        (b"a", ("images",), "images"),
    ],
)
def test_items_tell_their_modality(item, takes, wanted):
    assert modality_of([item], takes, "net") == wanted


@pytest.mark.parametrize(
    ("item", "takes"), [("a", ("images",)), (b"a", ("texts",)), (1, ("texts",))]
)
def test_items_of_another_modality(item, takes):
    with pytest.raises(InputError, match=f"net takes {takes[0]}. Got {type(item).__name__}"):
        modality_of([item], takes, "net")
