"""The cores of this machine."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


def n_usable_cores() -> int:
    """Return how many cores this process may use; all of them where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def threads_on_cores(at_most: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Give threads to work in, one a usable core unless fewer are asked for.

    Linear algebra within takes no threads of its own: those of OpenBLAS wait for each other by
    spinning, which on a busy machine takes twenty times as long as the work.
    """
    n_threads = n_usable_cores() if at_most is None else max(1, at_most)
    with _linear_algebra().limit(limits=1), ThreadPoolExecutor(n_threads) as threads:
        yield threads


@cache
def _linear_algebra() -> ThreadpoolController:
    """Return what holds the libraries for linear algebra; looking for them takes 20 ms."""
    return ThreadpoolController().select(user_api="blas")
