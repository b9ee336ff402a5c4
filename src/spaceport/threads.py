"""Threads of our own, beside which linear algebra keeps to one: results then do not depend on cores."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

__all__ = ["in_order", "one_thread", "workers"]

T = TypeVar("T")

_WAITING = 2
_BRINGS_BLAS = ("faiss", "torch")


def workers(threads: int | None) -> int:
    """How many threads to use; None: one per core that this process may use."""
    if threads is not None:
        return threads
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread(openmp: bool = False) -> Any:
    """Hold BLAS to one thread inside a ``with`` block; more of them would add up in another order.

    NumPy and SciPy bring a BLAS each; one that is loaded inside the block would not be held. With
    `openmp` faiss is held, too: for small work its threads wait for one another longer than they work.
    """
    if not openmp:
        loaded = tuple(name for name in _BRINGS_BLAS if name in sys.modules)
        return _blas(loaded).limit(limits=1, user_api="blas")
    import faiss  # noqa: F401
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


@cache
def _blas(loaded: tuple[str, ...]) -> Any:
    """The libraries that are loaded, looked for once: that takes as long as sketching a small day does."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def in_order(function: Callable[[Any], T], items: Iterable[Any], threads: int = 2) -> Iterator[T]:
    """Give ``function(item)`` of each item in order; up to `threads` run while the next is read.

    Examples
    --------
    >>> list(in_order(len, ["a", "bcd", "ef"]))
    [1, 3, 2]
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= threads + _WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
