"""Jobs on Fargate get the least size that a task may have, or one line that says why not."""

import pytest

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.fargate import fit, fit_pilots, least_pair
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.resources import JobResources


def asking(vcpus=1, memory_mib=1000, gpus=0, **more):
    return JobResources("fargate", vcpus, memory_mib, gpus, None, **more)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((1, 1000), (1, 2048)),
        ((1, 8192), (1, 8192)),
        ((1, 8193), (2, 9216)),
        ((2, 4224), (2, 5120)),
        ((3, 100), (4, 8192)),
        ((4, 30721), (8, 32768)),
        ((8, 17000), (8, 20480)),
        ((9, 61441), (16, 65536)),
        ((16, 122880), (16, 122880)),
    ],
)
def test_the_least_task_that_holds_a_job(asked, given):
    assert least_pair(*asked) == given
    assert least_pair(*given) == given
    fitted = fit(asking(*asked))
    assert (fitted.vcpus, fitted.memory_mib) == given


def test_pilots_hold_the_vcpus_of_one_step_and_the_memory_of_another():
    """Each had a size of its own; both together have none."""
    kind = Kind("arn", "definition", 8, 17 * 1024, 0)

    assert fit_pilots(kind) == Kind("arn", "definition", 8, 20 * 1024, 0)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (asking(17), "Fargate has no task with 17 vCPUs and 1000 MiB: at most 16 vCPUs and 122880"),
        (asking(1, 122881), "no task with 1 vCPUs and 122881 MiB"),
        (asking(gpus=1), "Fargate has no job with a GPU: give the rule another `queue`"),
        (asking(shared_memory_mib=512), "no job with shm_mb"),
    ],
)
def test_what_no_task_holds_is_said(resources, message):
    with pytest.raises(UserError, match=message):
        fit(resources)
