"""What the machines of a queue can hold at most: a larger job waits for ever.

Batch takes such a job and says at the head of the queue why it stands there (user guide, "Job queue
blocked events"). Sizes are EC2's own, as moto carries them.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_OPTIMAL = ("c4", "m4", "r4")
"""User guide, "Compute environment parameters": what `optimal` chooses from in older Regions."""

_LEFT_FOR_JOBS = 0.93
"""The kernel and Docker keep a part (user guide, "Compute resource memory management")."""

_AGENT_MIB = 32
"""What Batch has the agent keep for itself (ECS_RESERVED_MEMORY)."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a job asks for, or a machine has."""

    vcpus: float
    memory_mib: float
    gpus: float

    def holds(self, other: "Size") -> bool:
        """Whether a job of another size fits on a machine of this one."""
        return (
            self.vcpus >= other.vcpus
            and self.memory_mib >= other.memory_mib
            and self.gpus >= other.gpus
        )


def can_hold(instance_types: Iterable[str], job: Size) -> bool:
    """Tell whether any machine of these types and families is large enough for a job."""
    return any(size.holds(job) for offered in instance_types for size in _sizes(offered))


@functools.cache
def _sizes(offered: str) -> list[Size]:
    # With moto's machines comes boto3, which reads the profile that is named where it is imported.
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    families = _OPTIMAL if offered == "optimal" else (offered,)
    return [
        _size(known)
        for name, known in INSTANCE_TYPES.items()
        if name in families or name.partition(".")[0] in families
    ]


def _size(known: Mapping[str, Any]) -> Size:
    return Size(
        vcpus=known["VCpuInfo"]["DefaultVCpus"],
        memory_mib=known["MemoryInfo"]["SizeInMiB"] * _LEFT_FOR_JOBS - _AGENT_MIB,
        gpus=sum(gpu["Count"] for gpu in known.get("GpuInfo", {}).get("Gpus", [])),
    )
