"""From a rule's resources to what AWS Batch is asked for, and which jobs are alike."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.resources import (
    JobResources,
    read_resources,
    size_class,
)


@pytest.mark.parametrize(
    ("resources", "default_s", "read"),
    [
        ({}, None, JobResources("", 1, 2048, 0, None)),
        ({"_cores": 4, "mem_mb": 8000, "gpu": 2, "queue": "gpu", "runtime": 30}, None,
         JobResources("gpu", 4, 8000, 2, 1800)),
        ({}, 300, JobResources("", 1, 2048, 0, 300)),
        ({}, 5, JobResources("", 1, 2048, 0, 60)),
        ({"runtime": 0.5}, 300, JobResources("", 1, 2048, 0, 60)),
        ({"runtime": 2.5}, 300, JobResources("", 1, 2048, 0, 150)),
        ({"image": "mine:2", "shm_mb": 512}, None,
         JobResources("", 1, 2048, 0, None, "mine:2", 512)),
        ({"work_s": 21.5}, None, JobResources("", 1, 2048, 0, None, work_s=21.5)),
    ],
)  # fmt: skip
def test_resources(resources, default_s, read):
    assert read_resources(resources, default_s) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shm_mb", 0),
        ("mem_mb", 0),
        ("mem_mb", "lots"),
        ("gpu", -1),
        ("runtime", "1h"),
        ("_cores", 0),
        ("work_s", -1),
    ],
)
def test_wrong_resources_are_named(name, value):
    with pytest.raises(UserError, match=f"{name}={value!r}"):
        read_resources({name: value}, None)


@pytest.mark.parametrize(
    ("amount", "least", "rounded"),
    [(100, 256, 256), (1025, 256, 1152), (1024, 256, 1024), (2000, 1, 2048), (15_000, 1, 15_360),
     (16_385, 1, 18_432), (1, 1, 1), (3, 1, 3), (61, 60, 64)],
)  # fmt: skip
def test_amounts_are_alike_in_eight_steps_between_two_powers_of_two(amount, least, rounded):
    assert size_class(amount, least) == rounded


def test_rounding_adds_an_eighth_at_most():
    assert all(n <= size_class(n, 1) <= n * 9 / 8 + 1 for n in range(1, 5000))


def test_jobs_with_memory_and_time_of_their_own_each_make_few_arrays():
    asked = [read_resources({"mem_mb": 100 + i, "runtime": 30 + i / 10}, None) for i in range(30)]

    assert len({each.likeness for each in asked}) <= 2
    assert len({replace(each, image="x").likeness for each in asked}) <= 2


@pytest.mark.parametrize(
    "more", [{"vcpus": 2}, {"gpus": 1}, {"image": "x"}, {"shared_memory_mib": 64}, {"queue": "q"}]
)
def test_what_else_differs_keeps_jobs_apart(more):
    one = read_resources({}, None)

    assert one.likeness != replace(one, **more).likeness
