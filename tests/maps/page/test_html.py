"""The file itself: what it holds, and that it can ask for nothing. What it does is in test_browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaceport.maps.page import html
from spaceport.maps.page.base import Level, Page

HOSTILE = '</script><script>document.title="run"</script>'


class Reader(HTMLParser):
    """Takes a page apart: its attributes, its scripts, its styles, its policy."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.attributes, self.scripts, self.styles, self.policy, self._inside = [], [], [], "", None
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._inside = (tag, dict(attrs))
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"]

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        tag, attributes = self._inside or ("", {})
        if tag == "script":
            self.scripts.append((attributes.get("id"), data))
        if tag == "style":
            self.styles.append(data)

    @property
    def data(self):
        packed = dict(self.scripts)["data"]
        return json.loads(gzip.decompress(base64.b64decode(packed)), parse_constant=pytest.fail)


def small(**more):
    given = {
        "title": "demo@1.0.0",
        "ids": ["x", "y", "z"],
        "texts": ["one", "two", "three"],
        "columns": {
            "venue": ["a", None, "b"],
            "year": [1999, None, 2001],
            "day": [date(2000, 1, 1)] * 3,
        },
        "levels": [Level(np.array([0, 0, 1]), ["first", "second"])],
        "card": [("Rows", "3")],
        "notes": ["Note."],
    }
    return Page(positions=[[0, 0], [1, 0], [0, 3]], **(given | more))


def test_nothing_points_outside():
    page = Reader(html.render(small()))
    names = {name for _, name, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "action", "data", "poster", "background"}
    assert not any(name.startswith("on") for name in names)  # no handler stands in an attribute
    assert not re.search(r"url\(|@import", "".join(page.styles))
    assert "default-src 'none'" in page.policy
    assert "connect-src 'none'" in page.policy


def test_the_policy_lets_these_two_scripts_run_and_no_other():
    page = Reader(html.render(small()))
    running = [text for name, text in page.scripts if name != "data"]
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running
    ]
    allowed = re.search("script-src ([^;]*)", page.policy).group(1).split()
    assert len(running) == 2
    assert allowed == ["'unsafe-eval'", *(f"'sha256-{digest}'" for digest in digests)]


def test_hostile_words_stay_words():
    page = small(
        ids=[HOSTILE, "y", "z"],
        texts=[HOSTILE] * 3,
        title=HOSTILE,
        subtitle=HOSTILE,
        columns={HOSTILE: [HOSTILE] * 3},
    )
    reader = Reader(html.render(page))
    assert len(reader.scripts) == 3
    assert reader.data["ids"][0] == HOSTILE


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=()), min_size=1),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_ids_in_any_unicode_come_back(monkeypatch_library, ids):
    page = Page("t", np.zeros((len(ids), 2)), ids, texts=ids)
    data = Reader(html.render(page)).data
    assert data["ids"] == ids
    assert data["texts"] == ids


@pytest.fixture(scope="module")
def monkeypatch_library():
    """A short library, so that each example need not hash five megabytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "_library", lambda: "// short")
        yield


def test_positions_come_back_within_half_a_step():
    places = np.random.default_rng(0).normal(size=(500, 2)) * [10, 3] + 7
    data = html.payload(Page("t", places, [str(i) for i in range(500)]))
    steps = np.frombuffer(base64.b64decode(data["positions"]), "<u2").reshape(-1, 2)
    frame = data["frame"]
    back = steps * frame["step"] + [frame["left"], frame["bottom"]]
    assert np.abs(back - places).max() <= frame["step"] * 0.51
    assert frame["step"] == pytest.approx(np.ptp(places[:, 0]) / 65_535, rel=1e-5)


def test_columns_come_back_with_their_gaps():
    venue, year, day = html.payload(small())["columns"]
    codes = np.frombuffer(base64.b64decode(venue["codes"]), "<i4")
    assert [venue["names"][code] if code >= 0 else None for code in codes] == ["a", None, "b"]
    assert venue["sizes"] == [1, 1]
    assert year["values"] == [1999, None, 2001]
    assert day["values"] == [946_684_800_000] * 3


def test_an_outlier_is_said_to_be_beyond_the_scale():
    told = html.payload(
        Page(
            "t",
            np.zeros((200, 2)),
            [str(i) for i in range(200)],
            columns={"x": [*range(199), 10**6]},
        )
    )
    assert told["columns"][0]["cutHigh"]
    assert told["columns"][0]["high"] < 200


def test_texts_are_cut_to_the_stated_length():
    told = html.payload(small(texts=["w" * 1000, "", None]))["texts"]
    assert [len(text) for text in told] == [html.TEXT_LENGTH, 0, 0]


def test_the_same_page_gives_the_same_bytes():
    assert html.render(small()) == html.render(small())


def test_a_large_page_stays_small():
    """18,363 abstracts of 300 letters each: under 12 MB, the library's 4.8 MB counted."""
    generator = np.random.default_rng(0)
    words = ["".join(letters) for letters in generator.choice(list("abcdefghij"), (5000, 6))]
    texts = [" ".join(row)[:300] for row in generator.choice(words, (18_363, 50))]
    page = Page(
        "t", generator.normal(size=(18_363, 2)), [f"item {i}" for i in range(18_363)], texts
    )
    assert len(html.render(page)) < 12e6


def test_without_plotly_the_remedy_is_one_line_to_paste():
    script = (
        "import sys; sys.modules['plotly'] = None\n"
        "import spaceport.maps.page.html as h, spaceport.maps.page.base as b\n"
        "from spaceport.errors import MissingExtra\n"
        "try: h.render(b.Page('t', [[0, 0]], ['a']))\n"
        "except MissingExtra as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[1] == "Run: pip install 'spaceport[maps]'"
