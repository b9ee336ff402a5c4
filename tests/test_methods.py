from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

import spaceport as sp
from spaceport import methods
from spaceport.errors import MissingExtra, NotFoundError, ParameterError


def test_an_unknown_method_lists_those_that_there_are() -> None:
    with pytest.raises(NotFoundError, match="Did you mean word2vec"):
        methods.load("encoders", "word2vce")


def test_an_unknown_parameter_lists_those_that_there_are() -> None:
    with pytest.raises(ParameterError, match="Did you mean dimension"):
        methods.make("encoders", "hashing", {"dimensions": 3})


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "hashing(",
        "hashing(print())",
        "hashing(*[3])",
        "hashing(3, dimension=4)",
        "os.system('x')",
        "hashing(dimension=__import__('os'))",
        "a; b",
    ],
)
def test_only_literals_are_read(spec: str) -> None:
    with pytest.raises(ParameterError):
        methods.parse("encoders", spec)


def test_parameters_may_be_given_by_their_place() -> None:
    assert methods.parse("encoders", "hashing(3)").spec == "hashing(dimension=3)"
    with pytest.raises(ParameterError, match=r"by their place\. Got 9"):
        methods.parse("encoders", "hashing(1, 2, 3, 4, 5, 6, 7, 8, 9)")


def test_a_parameter_without_a_default_is_asked_for() -> None:
    with pytest.raises(ParameterError, match="`precomputed` needs `path`"):
        methods.parse("encoders", "precomputed")
    assert methods.read("encoders", "precomputed") == ("precomputed", {})


def test_a_bare_name_is_a_method_with_its_defaults() -> None:
    assert methods.parse("encoders", "hashing").spec == "hashing()"


def test_the_method_stands_where_its_module_would() -> None:
    from spaceport.encoders.hashing import Hashing

    assert sp.encoders.hashing is Hashing
    assert "hashing" in dir(sp.encoders)
    with pytest.raises(AttributeError):
        _ = sp.encoders.nothing


def plug(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(
        methods, "entry_points", lambda group: [p for p in points if p.group == group]
    )


def test_an_outside_package_joins_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(
        monkeypatch,
        EntryPoint("theirs", "spaceport.encoders.hashing:Hashing", "spaceport.encoders"),
    )
    assert "theirs" in methods.names("encoders")
    assert methods.load("encoders", "theirs").__name__ == "Hashing"


def test_a_name_found_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, EntryPoint("hashing", "elsewhere:Hashing", "spaceport.encoders"))
    with pytest.raises(ParameterError, match="Two packages offer a method `hashing`"):
        methods.names("encoders")


def test_a_missing_extra_is_one_line_to_paste() -> None:
    assert "pip install 'spaceport[maps]'" in str(MissingExtra.of("maps", "umap"))
