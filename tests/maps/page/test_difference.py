"""The page of a diff: inert whatever the ids and texts hold, and the picture that stands in it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spaceport.maps.page.difference import Sheet, render, write_page, write_picture

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=http://x.y/z onerror=alert(2)> $a_b$ {x} \x00 \ud800"
)


def sheet(text: str = "plain") -> Sheet:
    return Sheet(
        old="a@1.0.0",
        new="a@2.0.0",
        findings=[text],
        items=[("shared", text)],
        sides=[(text, text, text)],
        figures=[(text, text, text)],
        moved=[(text, text, 0.1, [text], [text])],
        kept=[0.1, 0.2, 1.0],
        k=10,
        regions=[(text, 3, 0.5)],
        by=text,
        spectra=[[0.9, 0.1], [0.5, 0.5, 0.0]],
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: bytes) -> Tags:
    tags = Tags()
    tags.feed(page.decode("utf-8"))
    return tags


def test_hostile_texts_reach_the_page_as_text() -> None:
    tags = parsed(render(sheet(HOSTILE)))
    assert "script" not in {tag for tag, _ in tags.seen}
    images = [attributes for tag, attributes in tags.seen if tag == "img"]
    assert len(images) == 1
    assert (images[0]["src"] or "").startswith("data:image/png;base64,")
    assert not any(name.startswith("on") for _, told in tags.seen for name in told)
    assert any("<script>alert(1)</script>" in text for text in tags.text)


def test_saboteur_unescaped_texts_would_be_seen() -> None:
    page = render(sheet("MARK")).replace(b"MARK", HOSTILE.encode("utf-8", "replace"))
    assert "script" in {tag for tag, _ in parsed(page).seen}


def test_it_asks_for_nothing_from_elsewhere() -> None:
    page = render(sheet()).decode()
    assert not re.search(r"(src|href)=(?![\"']?data:)", page)
    assert "default-src 'none'" in page
    tags = {tag for tag, _ in parsed(page.encode()).seen}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "form", "base"})


@pytest.mark.parametrize(("name", "head"), [("d.png", b"\x89PNG"), ("d.svg", b"<?xml")])
def test_the_picture_alone(name: str, head: bytes, tmp_path: Path) -> None:
    write_picture(tmp_path / name, sheet(HOSTILE))
    assert (tmp_path / name).read_bytes().startswith(head)


def test_a_page_with_nothing_to_show(tmp_path: Path) -> None:
    bare = replace(sheet(), moved=[], kept=[], k=0, regions=[], by="", spectra=[[0.0], [0.0]])
    write_page(tmp_path / "d.html", bare)
    assert "No item that was asked has other neighbors." in (tmp_path / "d.html").read_text()
