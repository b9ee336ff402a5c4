"""A real Chromium for the tests of the page, driven through its own debugging pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--mute-audio", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
_SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_NO_WEBGL = ("--disable-3d-apis",)


class Browser:
    """One browser with one tab; close it, or use it in a `with`."""

    def __init__(self, *flags: str, size: tuple[int, int] = (1000, 700)) -> None:
        assert _BROWSER is not None
        self._profile = tempfile.mkdtemp(prefix="spaceport-browser-")
        from_here, self._to = os.pipe()
        self._from, to_here = os.pipe()
        command = [_BROWSER, *_QUIET, *flags, f"--window-size={size[0]},{size[1]}",
                   f"--user-data-dir={self._profile}", "--remote-debugging-pipe", "about:blank"]  # fmt: skip
        relay = f'exec "$@" 3<&{from_here} 4>&{to_here}'
        self._process = subprocess.Popen(
            ["bash", "-c", relay, "browser", *command],
            pass_fds=(from_here, to_here), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(from_here)
        os.close(to_here)
        self._buffer, self._number, self._session = b"", 0, None
        self.events: list[dict[str, Any]] = []
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        target = {"targetId": pages[0]["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **target)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a page written by Spaceport and wait until it says that it is drawn."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.as_uri() + fragment)
        self.until("document.body && document.body.dataset.ready === 'true'")

    def run(self, script: str) -> Any:
        """Value of an expression in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str, seconds: float = 60) -> None:
        """Wait until `condition` holds in the page."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"never: {condition}; {self.errors()}"
            time.sleep(0.05)

    def data(self, name: str) -> str:
        """An attribute by which the page says what it shows."""
        return str(self.run(f"document.body.dataset.{name}"))

    def key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=13 * (key == "Enter"),
            )

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def errors(self) -> list[str]:
        """What the page threw or the browser refused since it was opened."""
        thrown = [e["params"]["exceptionDetails"]["text"] for e in self.events
                  if e.get("method") == "Runtime.exceptionThrown"]  # fmt: skip
        logged = [e["params"]["entry"] for e in self.events if e.get("method") == "Log.entryAdded"]
        return thrown + [entry["text"] for entry in logged if entry["level"] == "error"]

    def requests(self) -> list[str]:
        """Address of everything that was asked for, blank pages left out."""
        sent = [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]  # fmt: skip
        return [url for url in sent if url != "about:blank"]

    def screenshot(self) -> bytes:
        """The tab as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def close(self) -> None:
        """End the browser that this object started, and forget its profile."""
        if self._process.returncode is not None:
            return
        os.write(self._to, b'{"id":0,"method":"Browser.close"}\0')
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._from, 1 << 16)
            assert part, "the browser has ended"
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)


def _start(*flags: str) -> Iterator[Browser]:
    if _BROWSER is None:
        pytest.skip(
            "no Chromium on this machine: install the package chromium to test the page in it"
        )
    with Browser(*flags) as started:
        yield started


@pytest.fixture(scope="session")
def _webgl() -> Iterator[Browser]:
    yield from _start(*_SOFTWARE_WEBGL)


@pytest.fixture
def browser(_webgl: Browser) -> Browser:
    """A browser with WebGL (in software), 1000 x 700, light."""
    _webgl.events.clear()
    _webgl.call("Emulation.clearDeviceMetricsOverride")
    _webgl.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}]
    )
    return _webgl


@pytest.fixture
def start_browser() -> Iterator[Callable[..., Browser]]:
    """Starts a browser with other flags; it ends with the test."""
    started: list[Iterator[Browser]] = []

    def start(*flags: str) -> Browser:
        started.append(_start(*flags))
        return next(started[-1])

    yield start
    for one in started:
        next(one, None)


@pytest.fixture
def no_webgl(start_browser: Callable[..., Browser]) -> Browser:
    return start_browser(*_NO_WEBGL)
