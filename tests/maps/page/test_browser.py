"""The page in a real browser: what it draws, finds and refuses."""

from __future__ import annotations

import json
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from spaceport.maps.page import html
from spaceport.maps.page.base import Level, Page, palette

CORNERS = np.array([[0, 0], [10, 0], [0, 7], [10, 7]])
SIDE = np.repeat(np.arange(4), 30)
ANIMALS = ("cat", "dog", "owl", "eel")


def build(**more):
    """Four clumps of 30 items in the corners of a rectangle."""
    places = CORNERS[SIDE] + np.random.default_rng(0).normal(size=(120, 2)) * 0.3
    given = {
        "ids": [f"{ANIMALS[side]} {i}" for i, side in enumerate(SIDE)],
        "texts": [f"Text of item {i}: a Graph." if i % 2 else "Plain" for i in range(120)],
        "columns": {
            "animal": [ANIMALS[side] for side in SIDE],
            "rare": [f"value {min(i // 5, 14)}" for i in range(120)],
            "year": [1900 + i if i < 110 else None for i in range(120)],
        },
        "levels": [
            Level(SIDE, ANIMALS),
            Level(np.arange(120) // 10, [f"fine {cell}" for cell in range(12)]),
        ],
        "card": [("Rows", "120")],
    }  # fmt: skip
    return Page("demo@1.0.0", places, **(given | more))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "map.html"
    html.write(path, build())
    return path


def pixels(browser):
    with Image.open(BytesIO(browser.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def rgb(color):
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])


def clump(browser, corner):
    """Pixels around one corner's clump, as the page places it."""
    (left, right), (low, high) = (
        browser.run(f"document.getElementById('plot').layout.{axis}axis.range") for axis in "xy"
    )
    box = browser.run("document.getElementById('map').getBoundingClientRect().toJSON()")
    x = box["left"] + (CORNERS[corner][0] - left) / (right - left) * box["width"]
    y = box["top"] + (high - CORNERS[corner][1]) / (high - low) * box["height"]
    return int(x), int(y)


def amount(image, center, color, opacity=0.8, reach=40):
    x, y = center
    wanted = rgb(color) * opacity + rgb(palette().paper) * (1 - opacity)
    near = image[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]
    return (np.abs(near - wanted).max(axis=2) < 25).mean()


def labels(browser):
    visible = "[...document.querySelectorAll('#labels div')].filter(d => d.style.visibility === 'visible')"
    return set(browser.run(f"{visible}.map(d => d.textContent)"))


def test_every_item_is_drawn_in_its_color(browser, written):
    browser.open(written, "#color=animal")
    assert (browser.data("points"), browser.data("renderer")) == ("120", "webgl")
    image = pixels(browser)
    colors = palette().categories[:4]
    for corner, own in enumerate(sorted(range(4), key=lambda side: ANIMALS[side])):
        center = clump(browser, own)
        shares = [amount(image, center, color) for color in colors]
        assert shares[corner] > 0.02
        assert sum(shares) - shares[corner] < 0.002
    assert browser.errors() == []


def test_nothing_is_asked_of_the_network(start_browser, written, tmp_path):
    """In the browser's own log; its own calls home have no file as their origin."""
    outside = tmp_path / "outside.html"
    outside.write_text('<body data-ready="true"><img src="http://example.org/spy.png">')
    log = tmp_path / "net.json"
    browser = start_browser(f"--log-net-log={log}")
    browser.open(written, "#search=graph")
    assert all(address.startswith("file:") for address in browser.requests())
    browser.open(outside)  # the saboteur, to see that the log would tell
    browser.until("performance.getEntriesByType('resource').length > 0")
    browser.close()
    params = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    asked = [
        p["url"] for p in params if p.get("initiator") not in (None, "not an origin") and "url" in p
    ]
    assert {address for address in asked if not address.startswith("file:")} == {
        "http://example.org/spy.png"
    }


def test_what_a_page_smuggles_in_is_refused(browser, tmp_path):
    """Should an escape ever fail: the policy stops picture, script and handler alike."""
    smuggled = b'<img src="http://example.org/spy.png"><script>document.title="run"</script>'
    smuggled += b'<b onclick="document.title=2" id="trap">'
    path = tmp_path / "smuggled.html"
    path.write_bytes(html.render(build()).replace(b"<noscript>", smuggled + b"<noscript>"))
    browser.open(path)
    browser.run("document.getElementById('trap').click()")
    assert browser.run("document.title") == "demo@1.0.0"
    assert sum("Content Security Policy" in text for text in browser.errors()) >= 3


def test_search_highlights_the_matches_and_says_how_many(browser, written):
    browser.open(written, "#search=dog+GRAPH")
    assert browser.data("matches") == "15"
    assert browser.run("document.getElementById('found').textContent") == "15 of 120 items"
    assert browser.run("document.querySelectorAll('#results button').length") == 15
    image, colors = pixels(browser), palette().categories
    assert amount(image, clump(browser, 1), colors[1], opacity=0.95) > 0.01
    assert amount(image, clump(browser, 0), colors[0]) < 0.001  # dimmed
    assert amount(image, clump(browser, 0), colors[0], opacity=0.07) > 0.5


def test_typing_searches_and_enter_zooms_to_what_was_found(browser, written):
    browser.open(written)
    wide = np.ptp(browser.run("document.getElementById('plot').layout.xaxis.range"))
    browser.run("document.getElementById('search').focus()")
    browser.call("Input.insertText", text="eel")
    browser.until("document.body.dataset.matches === '30'")
    browser.key("Enter")
    browser.until("document.getElementById('plot').layout.yaxis.range[0] > 3")
    near = browser.run("document.getElementById('plot').layout.xaxis.range")
    assert near[0] > 3
    assert np.ptp(near) < wide / 3
    assert "search=eel" in browser.run("location.hash")


def test_labels_are_coarse_first_and_fine_when_zoomed(browser, written):
    browser.open(written)
    assert labels(browser) == set(ANIMALS)
    browser.run("document.getElementById('map').focus()")
    for _ in range(3):
        browser.key("+")
    browser.until("document.body.dataset.level === '1'")
    assert all(label.startswith("fine") for label in labels(browser))
    browser.key("0")
    browser.until("document.body.dataset.level === '0'")
    before = browser.run("document.getElementById('plot').layout.xaxis.range[0]")
    browser.key("ArrowRight")
    browser.until(f"document.getElementById('plot').layout.xaxis.range[0] > {before}")


def test_the_wheel_and_a_drag_move_map_and_labels_together(browser, written):
    browser.open(written)
    x, y = clump(browser, 0)
    place = "document.querySelector('#labels div').getBoundingClientRect().left"
    before, range_before = (
        browser.run(place),
        browser.run("document.getElementById('plot').layout.xaxis.range"),
    )
    browser.mouse("mousePressed", x + 150, y - 150, button="left", clickCount=1)
    for step in range(1, 6):
        browser.mouse("mouseMoved", x + 150 + 16 * step, y - 150, button="left", buttons=1)
    browser.mouse("mouseReleased", x + 230, y - 150, button="left", clickCount=1)
    browser.until(
        f"document.getElementById('plot').layout.xaxis.range[0] < {range_before[0] - 0.1}"
    )
    assert browser.run(place) - before == pytest.approx(80, abs=1.5)
    wide = "(r => r[1] - r[0])(document.getElementById('plot').layout.xaxis.range)"
    for _ in range(3):
        time.sleep(0.3)  # the library takes a wheel's turns together
        browser.mouse("mouseWheel", x + 100, y - 100, deltaX=0, deltaY=-200)
    browser.until(f"{wide} < {np.ptp(range_before) * 0.95}")


def test_hover_tells_of_the_item_under_the_pointer(browser, written):
    browser.open(written)
    x, y = clump(browser, 2)
    for step in range(12):
        browser.mouse("mouseMoved", x - 12 + 2 * step, y)
        time.sleep(0.05)
    browser.until("!document.getElementById('hover').hidden")
    told = browser.run("document.getElementById('hover').textContent")
    assert told.startswith("owl ")
    assert "animal: owl" in told
    assert "cell: fine" in told


def test_the_legend_counts_folds_and_picks_out(browser, written):
    browser.open(written, "#color=rare")
    rows = browser.run("[...document.querySelectorAll('#legend li')].map(row => row.textContent)")
    assert rows[0] == "value 1450"  # value 14, 50 items
    assert rows[-1] == "other (7 values)35"
    browser.run("document.querySelector('#legend li:last-child button').click()")
    browser.until("document.body.dataset.matches === '35'")
    assert browser.run("location.hash") == "#color=rare&value=other"


def test_missing_numbers_are_grey(browser, written):
    browser.open(written, "#color=year")
    assert browser.run("document.querySelector('#legend .ends').textContent") == "≤ 1901≥ 2008"
    image, grey = pixels(browser), palette().missing
    assert (
        amount(image, clump(browser, 3), grey, opacity=0.8)
        > amount(image, clump(browser, 0), grey) + 0.005
    )


def test_hostile_items_are_shown_and_not_run(browser, tmp_path):
    attacks = [
        '</script><script>document.title="run"</script>',
        "<img src=x onerror=\"document.title='run'\">",
        "\u2028document.title='run'//",
        "'\"><svg onload=document.title='run'>",
        "${document.title='run'}",
        "<!--<script>",
    ]
    ids = [f"{attacks[i % 6]}{i}" for i in range(120)]
    page = build(
        ids=ids, texts=ids, subtitle=attacks[0], color=attacks[1],
        columns={attacks[1]: [attacks[i % 6] for i in range(120)]},
        levels=[Level(SIDE, attacks[:4])], card=[(attacks[0], attacks[1])], notes=[attacks[3]],
    )  # fmt: skip
    path = tmp_path / "hostile.html"
    html.write(path, page)
    browser.open(path, "#search=title")
    x, y = clump(browser, 0)
    for step in range(12):
        browser.mouse("mouseMoved", x - 12 + 2 * step, y)
        time.sleep(0.02)
    assert browser.run("document.title") == "demo@1.0.0"
    assert (
        browser.run(
            "document.querySelectorAll('#results img, #legend img, #hover img, #labels script, #facts img').length"
        )
        == 0
    )
    assert attacks[1] in browser.run("document.getElementById('card').textContent")
    assert browser.errors() == []


def test_a_phone_shows_it_all_without_scrolling_sideways(browser, written):
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=740,
        deviceScaleFactor=1,
        mobile=True,
    )
    browser.open(written)
    assert browser.run("document.documentElement.scrollWidth") == 360
    assert browser.run("document.getElementById('map').clientWidth") == 360
    assert labels(browser)


def test_the_dark_theme_follows_the_system(browser, written):
    browser.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    browser.open(written)
    image = pixels(browser)
    assert np.abs(image[5, -5] - rgb(palette(dark=True).paper)).max() <= 2


def test_without_webgl_the_points_are_still_drawn(no_webgl, written, tmp_path):
    no_webgl.open(written, "#search=cat")
    assert (no_webgl.data("renderer"), no_webgl.data("points"), no_webgl.data("matches")) == (
        "svg",
        "120",
        "30",
    )
    assert no_webgl.run("document.querySelectorAll('#plot .points path').length") == 120
    large = tmp_path / "large.html"
    places = np.random.default_rng(0).normal(size=(13_000, 2))
    html.write(large, Page("large", places, [f"item {i}" for i in range(13_000)]))
    no_webgl.open(large, "#search=item+12999")
    assert (no_webgl.data("points"), no_webgl.data("matches")) == ("4334", "1")
    assert "4,334 of 13,000" in no_webgl.run("document.getElementById('warning').textContent")


@pytest.mark.parametrize("n", [1, 2])
def test_very_small_maps_open(browser, tmp_path, n):
    path = tmp_path / "small.html"
    html.write(path, Page("small", np.arange(n)[:, None] * [1, 1], [f"item {i}" for i in range(n)]))
    browser.open(path)
    assert browser.data("points") == str(n)
    assert browser.run("document.getElementById('found').textContent") == (
        "1 item" if n == 1 else "2 items"
    )
    assert browser.errors() == []


def thumbnail(color, format="WEBP"):
    with BytesIO() as file:
        Image.new("RGB", (40, 30), color).save(file, format)
        return file.getvalue()


def test_pictures_stand_beside_the_pointer_and_in_the_results(browser, tmp_path):
    """Each corner's items have one color; the last kind of animal has none; hostile bytes stay out."""
    colors, kinds = ("#ff0000", "#00ff00", "#0000ff"), ("WEBP", "PNG", "JPEG")
    drawn = [thumbnail(color, kind) for color, kind in zip(colors, kinds, strict=True)]
    hostile = b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.title=1'></svg>"
    path = tmp_path / "pictures.html"
    html.write(path, build(pictures=[[*drawn, hostile][side] for side in SIDE]))
    browser.open(path)
    for corner, color in enumerate(colors):
        x, y = clump(browser, corner)
        for step in range(12):
            browser.mouse("mouseMoved", x - 12 + 2 * step, y)
            time.sleep(0.05)
        browser.until(
            f"document.getElementById('hover').textContent.startsWith('{ANIMALS[corner]}')"
        )
        browser.until("document.querySelector('#hover img')?.naturalWidth === 40")
        assert amount(pixels(browser), middle_of(browser, "#hover img"), color, 1, reach=15) > 0.9
    browser.open(path, "#search=owl")
    assert browser.run("document.querySelectorAll('#results img').length") == 30
    assert amount(pixels(browser), middle_of(browser, "#results img"), colors[2], 1, reach=5) > 0.9
    browser.open(path, "#search=eel")
    assert browser.run("document.querySelectorAll('#results button').length") == 30
    assert browser.run("document.querySelectorAll('#results img').length") == 0
    assert browser.run("document.title") == "demo@1.0.0"
    assert browser.errors() == []
    assert all(address.startswith(("file:", "data:image/")) for address in browser.requests())


def middle_of(browser, selector):
    box = browser.run(f"document.querySelector('{selector}').getBoundingClientRect().toJSON()")
    return int(box["left"] + box["width"] / 2), int(box["top"] + box["height"] / 2)
