"""Threads of our own: order is kept, errors come out, linear algebra is held to one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info

from spaceport.threads import in_order, one_thread, workers


def test_results_come_in_order_and_errors_come_out() -> None:
    assert list(in_order(lambda x: x * x, range(50), 3)) == [x * x for x in range(50)]
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda x: 1 / x, [1, 0, 1]))


def test_nothing_is_read_far_ahead() -> None:
    read = []
    found = in_order(lambda x: x, (read.append(x) or x for x in range(100)), threads=2)
    next(found)
    assert len(read) <= 5


def test_linear_algebra_keeps_to_one_thread_and_is_let_go() -> None:
    def counts() -> list[int]:
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    with one_thread():
        pass  # both libraries are loaded now
    before = counts()
    with one_thread():
        assert set(counts()) == {1}
    assert counts() == before


LATE = """
from spaceport.threads import one_thread
with one_thread():
    import scipy.linalg
    from threadpoolctl import threadpool_info
    print({lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"})
"""


def test_a_library_that_was_not_loaded_before_is_held_too() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", LATE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "{1}\n"


def test_workers() -> None:
    assert workers(3) == 3
    assert workers(None) >= 1
