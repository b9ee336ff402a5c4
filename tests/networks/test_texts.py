"""Texts as token numbers: what the tokenizer says, cut or chunked, never empty."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="needs the extra `static` or `torch`")

from networks import tiny
from spaceport.errors import InputError, ParameterError
from spaceport.networks.texts import Tokenizer


@pytest.fixture
def folder(tmp_path):
    tiny.tokenizer(tmp_path)
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "bert", "max_position_embeddings": 40, "pad_token_id": 0})
    )
    return tmp_path


def settings(folder, **told):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **told}))


def test_tokens_are_the_tokenizers_own(folder):
    oracle = tiny.tokenizer(folder)
    pieces = Tokenizer(folder).pieces(tiny.TEXTS)
    for text, tokens in zip(tiny.TEXTS, pieces.tokens, strict=True):
        assert tokens.tolist() == oracle.encode(text).ids
    assert pieces.parents.tolist() == list(range(len(tiny.TEXTS)))
    assert pieces.long == 0


def test_a_long_text_is_cut_or_chunked_without_losing_a_token(folder):
    words = Tokenizer(folder, most=5)
    text = tiny.TEXTS[3]
    (cut,) = words.pieces([text]).tokens
    chunked = words.pieces(["a dog", text, "a dog"], chunk=True)
    whole = Tokenizer(folder).pieces([text]).tokens[0]
    assert cut.tolist() == [*whole[:4], 3]
    inner = [
        tokens[1:-1] for tokens, of in zip(chunked.tokens, chunked.parents, strict=True) if of == 1
    ]
    assert np.concatenate(inner).tolist() == whole[1:-1].tolist()
    assert max(chunked.lengths) == 5
    assert (chunked.long, words.pieces([text, "a dog"]).long) == (1, 1)
    assert np.all(np.diff(chunked.parents) >= 0)


def test_padding_stands_behind_and_is_told(folder):
    settings(folder, pad_token_id=1)
    pieces = Tokenizer(folder).pieces(["a dog", "the cat sat"])
    ids, there = pieces.padded(np.array([0, 1]))
    assert there.tolist() == [[True] * 4 + [False], [True] * 5]
    assert ids[0, 4] == 1
    inputs, real = pieces.batch(np.array([0, 1]))
    assert np.array_equal(inputs["attention_mask"], there)
    assert np.array_equal(real, there)


def test_special_tokens_go_through_but_do_not_count(folder):
    pieces = Tokenizer(folder, special_tokens=False).pieces(["a dog", ""])
    inputs, real = pieces.batch(np.array([0, 1]))
    assert inputs["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert real.tolist() == [[False, True, True, False], [True, True, False, False]]
    assert pieces.names(0, real[0]) == ["a", "dog"]


def test_in_a_decoder_positions_stand_behind_their_tokens(folder):
    pieces = Tokenizer(folder, special_tokens=False, moved=True).pieces(["a dog"])
    _, real = pieces.batch(np.array([0]))
    assert real.tolist() == [[False, False, True, True]]
    assert pieces.names(0, np.ones(4, bool)) == ["", "[CLS]", "a", "dog"]
    assert pieces.names(0, real[0]) == ["a", "dog"]


@pytest.mark.parametrize(
    ("told", "token"),
    [({"bos_token_id": 2, "eos_token_id": 3}, 2), ({"eos_token_id": 3}, 3), ({}, 0)],
)
def test_a_text_of_no_tokens_becomes_one(folder, told, token):
    tiny.tokenizer(folder, around=False)
    settings(folder, **told)
    pieces = Tokenizer(folder).pieces(["", "a dog"])
    assert pieces.tokens[0].tolist() == [token]
    assert pieces.lengths.tolist() == [1, 2]


def test_odd_texts(folder):
    words = Tokenizer(folder)
    lone, pair = words.pieces(["cat \ud800 dog", "cat \ud83d\ude80 dog"]).tokens
    assert lone.tolist() == words.pieces(["cat \ufffd dog"]).tokens[0].tolist()
    assert pair.tolist() == words.pieces(["cat \U0001f680 dog"]).tokens[0].tolist()
    assert len(words.pieces(["a\x00dog", "dog " * 250_000]).tokens[1]) == 40


def test_a_prompt_stands_before_the_text(folder):
    words = Tokenizer(folder)
    assert (
        words.pieces(["dog"], "the cat ").tokens[0].tolist()
        == words.pieces(["the cat dog"]).tokens[0].tolist()
    )


@pytest.mark.parametrize(
    ("config", "files", "most"),
    [
        ({}, {}, 40),
        ({"max_position_embeddings": 600}, {}, 512),
        ({}, {"sentence_bert_config.json": {"max_seq_length": 20}}, 20),
        ({}, {"tokenizer_config.json": {"model_max_length": 30}}, 30),
        ({}, {"tokenizer_config.json": {"model_max_length": 10**30}}, 40),
        ({"model_type": "roberta", "pad_token_id": 1}, {}, 38),
        ({"model_type": "roberta", "pad_token_id": 0}, {}, 39),
        ({"model_type": "t5", "max_position_embeddings": 9}, {}, 512),
        ({"max_position_embeddings": None, "n_positions": 12}, {}, 12),
        ({"max_position_embeddings": None, "text_config": {"max_position_embeddings": 17}}, {}, 17),
    ],
)
def test_the_longest_piece_is_what_the_files_say(folder, config, files, most):
    settings(folder, **config)
    for name, told in files.items():
        (folder / name).write_text(json.dumps(told))
    assert Tokenizer(folder).most == most


def test_no_more_than_there_are_positions(folder):
    with pytest.raises(ParameterError, match=r"`max_tokens` must be an int in \[3, 40\]. Got 41"):
        Tokenizer(folder, most=41)


def test_a_model_for_lower_case_gets_it(folder):
    from tokenizers import Tokenizer as Fast

    fast = Fast.from_file(str(folder / "tokenizer.json"))
    told = json.loads(fast.to_str())
    (folder / "tokenizer.json").write_text(json.dumps({**told, "normalizer": None}))
    upper = Tokenizer(folder).pieces(["A DOG"]).tokens[0]
    (folder / "sentence_bert_config.json").write_text('{"do_lower_case": true}')
    lower = Tokenizer(folder).pieces(["A DOG"]).tokens[0]
    assert upper.tolist() == [2, 1, 1, 3]
    assert lower.tolist() == Tokenizer(folder).pieces(["a dog"]).tokens[0].tolist()


def test_a_tokenizer_of_another_model_is_refused(folder):
    words = Tokenizer(folder)
    count = len(tiny.SPECIAL) + len(tiny._WORDS)
    words.check(count)
    with pytest.raises(
        InputError, match=f"up to {count - 1}, and the network has embeddings of {count - 1}"
    ):
        words.check(count - 1)


def test_no_tokenizer_and_a_broken_one(folder):
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        Tokenizer(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"no tokenizer.json.\nSave the tokenizer"):
        Tokenizer(folder)
