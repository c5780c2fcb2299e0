"""The machines that a run may have: types and their sizes, queues, and what each one comes with."""

import re
from dataclasses import dataclass
from functools import cache

from snakemake_executor_plugin_aws_batch_array.worker.host import task_type
from tomobatch.steps import Queue

_VCPUS = {"medium": 1, "large": 2, "xlarge": 4}
_GIB_A_VCPU = {"c": 2.0, "m": 4.0, "r": 8.0, "g": 4.0}
_REGISTERED = 0.92
"""Of a machine's memory, what its ECS agent offers to jobs; the system has the rest (AWS Batch user
guide, "Compute resource memory management", names 7,6xx of 8,192 MiB and less)."""

_TASK = re.compile(re.escape(task_type(0, 0)).replace("0", r"([\d.]+)"))


@dataclass(frozen=True)
class Fleet:
    """The machines a run may have.

    Attributes
    ----------
    most_children
        Most children of a step at once (``aws-batch-array-size``).
    pilots
        Most children that stay for the whole run (``aws-batch-array-pilots``); None for an array
        for every step.
    cpu_types, gpu_types
        Instance types of the two queues; by default those of the stacks.
    cpu_most_vcpus, gpu_most_vcpus
        Most vCPUs of each at once.
    spot
        Whether the machines are spot ones.
    volume_gib, throughput_mb_s
        The volume of a machine.
    tasks
        Whether all children are tasks on Fargate, which have no machine.
    task_most_vcpus, task_storage_gib
        Most vCPUs of them at once, and the storage of each.
    """

    most_children: int = 100
    pilots: int | None = None
    cpu_types: tuple[str, ...] = tuple(
        f"{family}.{size}"
        for family in ("c6i", "c6a", "c7i", "c7a", "m6i", "m6a")
        for size in ("xlarge", "2xlarge", "4xlarge")
    )
    gpu_types: tuple[str, ...] = tuple(
        f"{family}.{size}" for family in ("g4dn", "g5", "g6") for size in ("xlarge", "2xlarge")
    )
    cpu_most_vcpus: int = 400
    gpu_most_vcpus: int = 400
    spot: bool = True
    volume_gib: float = 100.0
    throughput_mb_s: float = 250.0
    tasks: bool = False
    task_most_vcpus: int = 400
    task_storage_gib: float = 30.0

    @property
    def most_at_once(self) -> int:
        """Most children that share the jobs of a step."""
        return self.most_children if self.pilots is None else self.pilots

    @property
    def market(self) -> str:
        """How its machines are bought."""
        return "spot" if self.spot else "on-demand"

    def types(self, queue: Queue) -> tuple[str, ...]:
        """Return the instance types of a queue."""
        return self.cpu_types if queue == "cpu" else self.gpu_types

    def most_vcpus(self, queue: Queue) -> int:
        """Return the vCPUs that a queue may have at once."""
        if self.tasks:
            return self.task_most_vcpus
        return self.cpu_most_vcpus if queue == "cpu" else self.gpu_most_vcpus


@cache
def machine_vcpus(instance_type: str) -> int | None:
    """Return the vCPUs of a type, which its size tells; None for a size that tells nothing."""
    if is_task(instance_type):
        return int(task_size(instance_type)[0])
    size = instance_type.partition(".")[2]
    if size in _VCPUS:
        return _VCPUS[size]
    times = size.removesuffix("xlarge")
    return 4 * int(times) if size.endswith("xlarge") and times.isdigit() else None


@cache
def machine_memory_mib(instance_type: str) -> float:
    """Return the memory that jobs can have on a type; that of the leanest where it is not known."""
    if is_task(instance_type):
        return 1024 * task_size(instance_type)[1]
    gib = _GIB_A_VCPU.get(instance_type[:1], min(_GIB_A_VCPU.values()))
    return _REGISTERED * 1024 * gib * (machine_vcpus(instance_type) or 1)


def is_task(instance_type: str) -> bool:
    """Tell whether it is no machine, but a task on Fargate."""
    return _TASK.fullmatch(instance_type) is not None


def task_size(instance_type: str) -> tuple[float, float]:
    """Return the vCPUs and the GiB of a task."""
    found = _TASK.fullmatch(instance_type)
    if found is None:
        raise ValueError(f"{instance_type} is no task")
    return float(found[1]), float(found[2])


def has_gpu(instance_type: str) -> bool:
    """Tell whether a type is of the families with NVIDIA GPUs."""
    return instance_type[:1] in ("g", "p")


def family_of(instance_type: str) -> str:
    """Return the family of a type."""
    return instance_type.partition(".")[0]
