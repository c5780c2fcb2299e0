"""What a Snakemake job asks for, in the words of AWS Batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.errors import UserError

MIN_TIMEOUT_S = 60
"""Shortest time limit AWS Batch accepts."""

DEFAULT_MEMORY_MIB = 2048


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
    """

    queue: str
    vcpus: int
    memory_mib: int
    gpus: int
    timeout_s: int | None


def read_resources(
    resources: Mapping[str, int | float | str], default_timeout_s: int | None
) -> JobResources:
    """Read the resources ``queue, _cores, mem_mb, gpu`` and ``runtime`` (minutes) of a job.

    Raises
    ------
    UserError
        If a resource is not a number of the right size.
    """
    timeout_s: float | None = default_timeout_s
    if "runtime" in resources:
        timeout_s = _number(resources, "runtime", 0, 0) * 60
    return JobResources(
        queue=str(resources.get("queue", "")),
        vcpus=int(_number(resources, "_cores", 1, 1)),
        memory_mib=int(_number(resources, "mem_mb", DEFAULT_MEMORY_MIB, 4)),
        gpus=int(_number(resources, "gpu", 0, 0)),
        timeout_s=None if timeout_s is None else max(MIN_TIMEOUT_S, int(timeout_s)),
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
