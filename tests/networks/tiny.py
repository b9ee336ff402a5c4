"""Tiny networks with random weights, saved as Hugging Face saves them, with a tokenizer of their own."""

from __future__ import annotations

import json

import numpy as np

__all__ = ["KINDS", "TEXTS", "save", "tokenizer", "truth"]

TEXTS = [
    "the cat sat on the mat",
    "a dog",
    "",
    "words and more words make a longer text than all the others here, with a comma",
    "the dog sat",
    "naïve cats",
]

_WORDS = sorted({word for text in TEXTS for word in text.replace(",", " ,").split()})
KINDS = (
    "albert",
    "bart",
    "bert",
    "distilbert",
    "gpt2",
    "llama",
    "marian",
    "qwen2",
    "roberta",
    "t5",
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tokenizer(folder, around=True, limit=None):
    """A word-level tokenizer whose padding, begin and end tokens are 0, 2 and 3."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *_WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(SPECIAL)
    if around:
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    made.save(str(folder / "tokenizer.json"))
    if limit:
        (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": limit}))
    return made


def _config(kind):
    import transformers as t

    rows = len(SPECIAL) + len(_WORDS)
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    bert = {"vocab_size": rows, "hidden_size": 16, "num_hidden_layers": 3, "intermediate_size": 24}
    bert |= {"num_attention_heads": 2, "max_position_embeddings": 40, **ids}
    bart = {"vocab_size": rows, "d_model": 16, "encoder_layers": 3, "decoder_layers": 2, **ids}
    for side in ("encoder", "decoder"):
        bart |= {f"{side}_ffn_dim": 24, f"{side}_attention_heads": 2}
    bart |= {"max_position_embeddings": 40, "decoder_start_token_id": 3}
    llama = {**bert, "num_key_value_heads": 1}
    return {
        "bert": lambda: t.BertConfig(**bert),
        "roberta": lambda: t.RobertaConfig(**bert),
        "albert": lambda: t.AlbertConfig(**bert, embedding_size=8),
        "distilbert": lambda: t.DistilBertConfig(
            vocab_size=rows, dim=16, n_layers=3, n_heads=2, hidden_dim=24, **ids
        ),
        "gpt2": lambda: t.GPT2Config(
            vocab_size=rows, n_embd=16, n_layer=3, n_head=2, n_positions=40, **ids
        ),
        "llama": lambda: t.LlamaConfig(**llama),
        "qwen2": lambda: t.Qwen2Config(**llama),
        "t5": lambda: t.T5Config(
            vocab_size=rows, d_model=16, d_kv=8, d_ff=24, num_layers=3, num_decoder_layers=2,
            num_heads=2, pad_token_id=0, eos_token_id=3, decoder_start_token_id=0,
        ),
        "bart": lambda: t.BartConfig(**bart),
        "marian": lambda: t.MarianConfig(**bart),
    }[kind]()  # fmt: skip


def save(folder, kind="bert", seed=0, around=True, limit=None):
    """Write a model of that kind into `folder`; gives it."""
    import torch
    from transformers import AutoModel

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = AutoModel.from_config(_config(kind)).eval()
        for parameter in made.parameters():
            if (
                parameter.ndim == 1
            ):  # biases are zeros and norms ones at first, which hides mistakes
                parameter.data += 0.1 * torch.randn_like(parameter)
    made.save_pretrained(folder)
    tokenizer(folder, around, limit)
    return made


def truth(folder, texts, side="", most=None):
    """Each text alone through transformers' own forward pass: its hidden states, a list of (t, d)."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    words = Tokenizer.from_file(f"{folder}/tokenizer.json")
    if most:
        words.enable_truncation(most)
    states = []
    for text in texts:
        ids = torch.tensor([words.encode(text).ids or [model.config.bos_token_id]])
        given = {"input_ids": ids}
        if side:
            start = torch.tensor([[model.config.decoder_start_token_id]])
            given["decoder_input_ids"] = torch.cat([start, ids[:, :-1]], 1)
        with torch.inference_mode():
            found = model(**given, output_hidden_states=True)
        hidden = getattr(found, f"{side}_hidden_states" if side else "hidden_states")
        states.append([np.asarray(state[0]) for state in hidden])
    return states
