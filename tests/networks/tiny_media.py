"""Tiny random networks for pictures and sounds, saved as their makers save them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AUDIO", "IMAGES", "save"]

TRANSFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
CONVOLUTIONS = {"conv_dim": [8, 8, 8], "conv_kernel": [10, 3, 3], "conv_stride": [5, 4, 4]}


def vit():
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    config = ViTConfig(**TRANSFORMER, image_size=32, patch_size=8)
    return ViTModel(config), ViTImageProcessorPil(size={"height": 32, "width": 32})


def dinov2():
    from transformers import (
        BitImageProcessorPil,
        Dinov2WithRegistersConfig,
        Dinov2WithRegistersModel,
    )

    config = Dinov2WithRegistersConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, mlp_ratio=2, image_size=28,
        patch_size=7, num_register_tokens=4,
    )  # fmt: skip
    size, crop = {"shortest_edge": 32}, {"height": 28, "width": 28}
    return Dinov2WithRegistersModel(config), BitImageProcessorPil(size=size, crop_size=crop)


def resnet():
    from transformers import ConvNextImageProcessorPil, ResNetConfig, ResNetModel

    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24], depths=[1, 2, 1], layer_type="basic"
    )
    return ResNetModel(config), ConvNextImageProcessorPil(
        size={"shortest_edge": 32}, crop_pct=0.875
    )


def convnext():
    from transformers import ConvNextConfig, ConvNextImageProcessorPil, ConvNextModel

    config = ConvNextConfig(hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 2, 1], image_size=32)
    return ConvNextModel(config), ConvNextImageProcessorPil(size={"shortest_edge": 32})


def swin():
    from transformers import SwinConfig, SwinModel, ViTImageProcessorPil

    config = SwinConfig(
        image_size=32, patch_size=4, embed_dim=8, depths=[1, 2], num_heads=[2, 2], window_size=4
    )
    return SwinModel(config), ViTImageProcessorPil(size={"height": 32, "width": 32})


def siglip():
    from transformers import SiglipImageProcessorPil, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(**TRANSFORMER, image_size=32, patch_size=8)
    return SiglipVisionModel(config), SiglipImageProcessorPil(size={"height": 32, "width": 32})


def gray():
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    config = ViTConfig(**TRANSFORMER, image_size=16, patch_size=4, num_channels=1)
    processor = ViTImageProcessorPil(
        size={"height": 16, "width": 16}, image_mean=[0.4], image_std=[0.3]
    )
    return ViTModel(config), processor


def wav2vec2(norm="group", attention_mask=False):
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    config = Wav2Vec2Config(
        **TRANSFORMER, **CONVOLUTIONS, num_feat_extract_layers=3, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer",
    )  # fmt: skip
    return Wav2Vec2Model(config), Wav2Vec2FeatureExtractor(return_attention_mask=attention_mask)


def hubert():
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    config = HubertConfig(
        **TRANSFORMER, **CONVOLUTIONS, num_feat_extract_layers=3, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    return HubertModel(config), Wav2Vec2FeatureExtractor()


def whisper():
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    config = WhisperConfig(
        vocab_size=50, d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=20,
        max_source_positions=100, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1, suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    return WhisperModel(config), WhisperFeatureExtractor(feature_size=20, chunk_length=2)


def ast():
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    config = ASTConfig(
        **TRANSFORMER, max_length=100, num_mel_bins=32, frequency_stride=10, time_stride=10
    )
    return ASTModel(config), ASTFeatureExtractor(max_length=100, num_mel_bins=32)


IMAGES = {f.__name__: f for f in (vit, dinov2, resnet, convnext, swin, siglip, gray)}
AUDIO = {f.__name__: f for f in (wav2vec2, hubert, whisper, ast)}


def save(make, folder: Path) -> Path:
    """Make a network with weights drawn from one seed, far enough from zero, and save it."""
    folder.mkdir(exist_ok=True)
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, preparing = make()
        with torch.no_grad():
            for weights in network.parameters():
                weights.add_(0.1 * torch.randn_like(weights))
    network.save_pretrained(folder)
    preparing.save_pretrained(folder)
    return folder
