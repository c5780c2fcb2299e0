"""Threads that share the cores."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from tomobatch.cores import n_usable_cores, threads_on_cores


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("at_most", [None, 1, 3])
def test_linear_algebra_takes_no_threads_of_its_own(at_most):
    before = blas_threads()
    with threads_on_cores(at_most) as threads:
        found = list(
            threads.map(lambda _: (np.ones((2, 2)) @ np.ones(2), blas_threads()), range(4))
        )
        assert threads._max_workers == (at_most or n_usable_cores())
    assert {1} == set.union(*(pools for _, pools in found))
    assert blas_threads() == before
