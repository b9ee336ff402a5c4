"""Limits a minute: wait before a request until the last sixty seconds have room for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

__all__ = ["Pace"]

MINUTE = 60.0


class Pace:
    """No more requests, and no more tokens, in any sixty seconds than told.

    Parameters
    ----------
    requests, tokens : int or None
        The most in sixty seconds; None: no limit.
    clock, sleep : callable
        What tells the time, and what waits.
    """

    def __init__(
        self,
        requests: int | None,
        tokens: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.requests, self.tokens = requests, tokens
        self._clock, self._sleep = clock, sleep
        self._past: deque[tuple[float, int]] = deque()

    def wait(self, tokens: int) -> float:
        """Wait until a request of `tokens` fits, and count it in; gives the seconds waited."""
        began = self._clock()
        while (pause := self._pause(tokens)) > 0:
            self._sleep(pause)
        now = self._clock()
        self._past.append((now, tokens))
        return now - began

    def correct(self, tokens: int) -> None:
        """The latest request had so many tokens."""
        if self._past and tokens:
            self._past[-1] = (self._past[-1][0], tokens)

    def _pause(self, tokens: int) -> float:
        """Seconds until the window has room; a request above the limit waits for an empty one."""
        now = self._clock()
        while self._past and self._past[0][0] <= now - MINUTE:
            self._past.popleft()
        free, used = 0.0, sum(count for _, count in self._past)
        for place, (at, count) in enumerate(self._past):
            crowded = self.requests is not None and len(self._past) - place >= self.requests
            if not crowded and (self.tokens is None or used + tokens <= self.tokens):
                break
            free, used = at + MINUTE - now, used - count
        return free
