"""What a Snakemake job asks for, in the words of AWS Batch."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from snakemake_executor_plugin_aws_batch_array.errors import UserError

MIN_TIMEOUT_S = 60
"""Shortest time limit AWS Batch accepts."""

DEFAULT_MEMORY_MIB = 2048

_LEAST_MEMORY_MIB = 256
"""Jobs that ask for less are alike."""


@dataclass(frozen=True)
class JobResources:
    """Resources of one job.

    Attributes
    ----------
    queue
        As the rule names it; empty if it does not.
    vcpus, memory_mib, gpus
        Amounts. Snakemake's ``mem_mb`` is passed on as MiB.
    timeout_s
        Time limit of one job, at least 60; None if there is no limit.
    image
        Container image, if not that of the queue's job definition; else empty.
    shared_memory_mib
        Size of ``/dev/shm``; None for Docker's 64 MiB.
    work_s
        What the job is expected to take; None if its rule does not say.
    """

    queue: str
    vcpus: int
    memory_mib: int
    gpus: int
    timeout_s: int | None
    image: str = ""
    shared_memory_mib: int | None = None
    work_s: float | None = None

    @property
    def likeness(self) -> Hashable:
        """Equal for jobs that may share an array, whose children ask for the largest amounts.

        Jobs with memory or time of their own each, as from the size of their input, would make an
        array each: amounts within an eighth are alike.
        """
        memory = size_class(self.memory_mib, _LEAST_MEMORY_MIB)
        timeout = None if self.timeout_s is None else size_class(self.timeout_s, MIN_TIMEOUT_S)
        return replace(self, memory_mib=memory, timeout_s=timeout, work_s=None)


def size_class(amount: int, least: int) -> int:
    """Round an amount up: to `least`, or to one of eight steps between two powers of two."""
    step = max(1, (1 << (amount - 1).bit_length()) // 16)
    return max(least, -(-amount // step) * step)


def read_resources(
    resources: Mapping[str, int | float | str], default_timeout_s: int | None
) -> JobResources:
    """Read ``queue, _cores, mem_mb, gpu, runtime`` (minutes), ``image``, ``shm_mb``, ``work_s``.

    Raises
    ------
    UserError
        If a resource is not a number of the right size.
    """
    timeout_s: float | None = default_timeout_s
    if "runtime" in resources:
        timeout_s = _number(resources, "runtime", 0, 0) * 60
    shared_memory_mib = _number(resources, "shm_mb", 0, 4) if "shm_mb" in resources else None
    return JobResources(
        queue=str(resources.get("queue", "")),
        vcpus=int(_number(resources, "_cores", 1, 1)),
        memory_mib=int(_number(resources, "mem_mb", DEFAULT_MEMORY_MIB, 4)),
        gpus=int(_number(resources, "gpu", 0, 0)),
        timeout_s=None if timeout_s is None else max(MIN_TIMEOUT_S, int(timeout_s)),
        image=str(resources.get("image", "")),
        shared_memory_mib=None if shared_memory_mib is None else int(shared_memory_mib),
        work_s=_number(resources, "work_s", 0, 0) if "work_s" in resources else None,
    )


def _number(
    resources: Mapping[str, int | float | str], name: str, default: int, minimum: int
) -> int | float:
    value = resources.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < minimum:
        raise UserError(
            f"resource {name}={value!r} of the rule is not a number of at least {minimum}: "
            "correct it in the rule, the profile or --set-resources."
        )
    return value
