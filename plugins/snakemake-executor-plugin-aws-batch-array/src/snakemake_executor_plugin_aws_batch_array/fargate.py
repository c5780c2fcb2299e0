"""What a task on Fargate may ask for: pairs of vCPUs and memory, and no device.

Amazon ECS developer guide, "Task CPU and memory" (2026-11). A job is given the least pair that
holds what it asks for.
"""

from dataclasses import replace

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.resources import JobResources

FARGATE = "fargate"
"""Short name of the queue whose children are tasks on Fargate, and have no instance."""

_GIB = {
    1: range(2, 9),
    2: range(4, 17),
    4: range(8, 31),
    8: range(16, 61, 4),
    16: range(32, 121, 8),
}
"""The memory that a task may have, by its vCPUs; less than one vCPU is not asked for here."""


def fit(resources: JobResources) -> JobResources:
    """Return what a job gets on Fargate.

    Raises
    ------
    UserError
        If it asks for more than a task may have, for a GPU or for shared memory.
    """
    for asked, what in ((resources.gpus, "a GPU"), (resources.shared_memory_mib, "shm_mb")):
        if asked:
            raise UserError(f"Fargate has no job with {what}: give the rule another `queue`.")
    vcpus, memory_mib = least_pair(resources.vcpus, resources.memory_mib)
    return replace(resources, vcpus=vcpus, memory_mib=memory_mib)


def fit_pilots(kind: Kind) -> Kind:
    """Return the size of pilots on Fargate that hold a kind."""
    vcpus, memory_mib = least_pair(kind.vcpus, kind.memory_mib)
    return replace(kind, vcpus=vcpus, memory_mib=memory_mib)


def least_pair(vcpus: int, memory_mib: int) -> tuple[int, int]:
    """Return the least vCPUs and memory in MiB of a task that holds so much.

    Raises
    ------
    UserError
        If none does.
    """
    for offered, sizes_gib in _GIB.items():
        held = [1024 * gib for gib in sizes_gib if 1024 * gib >= memory_mib]
        if offered >= vcpus and held:
            return offered, held[0]
    raise UserError(
        f"Fargate has no task with {vcpus} vCPUs and {memory_mib} MiB: at most "
        f"{max(_GIB)} vCPUs and {1024 * _GIB[max(_GIB)][-1]} MiB; give the rule another `queue`."
    )
