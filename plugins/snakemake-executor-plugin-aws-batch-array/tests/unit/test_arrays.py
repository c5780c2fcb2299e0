from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakemake_executor_plugin_aws_batch_array.arrays import (
    MAX_ARRAY_SIZE,
    ByWork,
    group_into_arrays,
)

# A job is a pair of what it asks for and its own number.
jobs = st.lists(st.sampled_from("abc"), max_size=200).map(lambda keys: list(zip(keys, range(200))))  # noqa: B905
sizes = st.integers(1, MAX_ARRAY_SIZE)


def likeness(job):
    return job[0]


@given(jobs, sizes)
def test_every_job_is_in_exactly_one_group(some, size):
    groups = group_into_arrays(some, likeness, size)

    assert Counter(job for group in groups for job in group.jobs) == Counter(some)


@given(jobs, sizes)
def test_a_group_holds_all_jobs_that_are_alike_in_their_order(some, size):
    groups = group_into_arrays(some, likeness, size)

    assert len(groups) == len({likeness(job) for job in some})
    for group in groups:
        assert list(group.jobs) == [job for job in some if likeness(job) == likeness(group.jobs[0])]


@given(jobs, sizes)
def test_array_sizes_are_those_batch_accepts(some, size):
    for group in group_into_arrays(some, likeness, size):
        assert group.n_children == min(len(group.jobs), size)
        assert group.is_array == (2 <= group.n_children <= MAX_ARRAY_SIZE)
        assert group.is_array or group.n_children == 1


def test_one_job_is_a_plain_job():
    (group,) = group_into_arrays([("a", 0)], likeness, 100)

    assert not group.is_array


def test_size_one_queues_all_jobs_in_one_plain_job():
    (group,) = group_into_arrays([("a", 0), ("a", 1)], likeness, 1)

    assert not group.is_array
    assert len(group.jobs) == 2


@pytest.mark.parametrize("size", [0, MAX_ARRAY_SIZE + 1])
def test_a_size_batch_does_not_accept_is_refused(size):
    with pytest.raises(ValueError, match="array size"):
        group_into_arrays([], likeness, size)


@pytest.mark.parametrize(
    ("works_s", "child_s", "n_children"),
    [
        ([21] * 64, 240, 6),
        ([240] * 64, 240, 64),
        ([900] * 3, 240, 3),
        ([1], 240, 1),
        ([0, 0], 240, 1),
        ([21] * 64, 0, 64),
        ([21] * 63 + [None], 240, 64),
        ([900] * 500, 240, 100),
    ],
)
def test_a_child_has_so_much_work_or_one_job(works_s, child_s, n_children):
    """One job whose work is not known, or no wish, leaves as many children as there are jobs."""
    some = [("a", i) for i in range(len(works_s))]
    work_s = dict(zip(some, works_s, strict=True))
    (group,) = group_into_arrays(some, likeness, 100, ByWork(child_s), work_s.__getitem__)

    assert group.n_children == n_children
