"""Which parts of two encoders differ, and how they are named."""

from __future__ import annotations

from spaceport.spaces.compatibility.findings import _encoder
from spaceport.spaces.compatibility.parts import Part, differing

MODEL = {
    "method": "activations",
    "revision": 1,
    "parameters": {"where": "6", "pooling": "mean"},
    "state": {"model": {"files": {"tokenizer.json": "a" * 64, "model.safetensors": "b" * 64}}},
    "arrays": {},
    "libraries": {"torch": "2.6.0"},
}


def changed(**parts: object) -> dict[str, object]:
    return {**MODEL, **parts}


def told(new: dict[str, object]) -> list[str]:
    return [part.text for part in differing(MODEL, new)]


def named(new: dict[str, object]) -> tuple[str, str]:
    (found,) = _encoder(differing(MODEL, new))
    return found.name, found.text


def test_nothing_differs() -> None:
    assert differing(MODEL, dict(MODEL)) == []
    assert list(_encoder([])) == []


def test_a_swapped_tokenizer_is_named() -> None:
    files = {"tokenizer.json": "c" * 64, "model.safetensors": "b" * 64}
    new = changed(state={"model": {"files": files}})
    assert told(new) == ["tokenizer.json differs"]
    assert named(new) == ("tokenizer", "The encoder differs: tokenizer.json differs.")


def test_a_parameter_and_a_library() -> None:
    new = changed(parameters={"where": "5", "pooling": "mean"}, libraries={"torch": "2.7.0"})
    assert told(new) == ["where 6 → 5", "torch 2.6.0 → 2.7.0"]
    assert named(new)[0] == "encoder"


def test_a_parameter_that_is_on_one_side_only() -> None:
    assert told(changed(parameters={"where": "6"})) == ["pooling mean → none"]
    assert differing(changed(parameters={}), MODEL)[0] == Part("parameters.where", None, "6")


def test_where_one_side_does_not_know_its_libraries_they_are_not_told() -> None:
    old = {name: value for name, value in MODEL.items() if name != "libraries"}
    assert differing(old, MODEL) == []


def test_of_two_methods_only_the_method_is_told() -> None:
    assert told({"method": "lsa", "parameters": {"seed": 3}}) == ["method activations → lsa"]
    assert told({"method": "", "vectors": "f"}) == ["method activations → (imported)"]
    assert differing({"method": "", "vectors": "f"}, {"method": "", "vectors": "e"}) == []


def test_what_was_learnt_is_told_only_where_nothing_else_differs() -> None:
    learnt = changed(arrays={"idf": "d" * 32, "components": "e" * 32})
    assert named(learnt) == (
        "refitted",
        "The same method with the same parameters learnt something else: idf, components.",
    )
    both = {**learnt, "parameters": {"where": "5", "pooling": "mean"}}
    assert named(both) == ("encoder", "The encoder differs: where 6 → 5.")


def test_long_values_are_not_printed() -> None:
    assert Part("parameters.words", ["x" * 30] * 3, ["y"]).text == "words differs"
    assert Part("parameters.flag", True, False).text == "flag true → false"
