"""The machines that a run may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

PROFILES = Path(__file__).parents[3] / "profiles"


@dataclass(frozen=True)
class Fleet:
    """The machines a run may have.

    Attributes
    ----------
    most_children
        Most children of a step at once (``aws-batch-array-size``).
    cpu_types, gpu_types
        Instance types of the two queues.
    vcpus
        What a child of a step reserves, 1 if it is not named; None: as profiles/ have it.
    whole_machines
        Whether a child has its CPU machine for itself, instead of a part of it by its vCPUs.
    """

    most_children: int = 100
    cpu_types: tuple[str, ...] = tuple(
        f"{family}.xlarge" for family in ("c6i", "c6a", "c7i", "c7a", "m6i", "m6a")
    )
    gpu_types: tuple[str, ...] = tuple(
        f"{family}.{size}" for family in ("g4dn", "g5", "g6") for size in ("xlarge", "2xlarge")
    )
    vcpus: Mapping[str, int] | None = None
    whole_machines: bool = False

    def reserved(self, step: str) -> int:
        """Return the vCPUs of a child."""
        return (profile_vcpus() if self.vcpus is None else self.vcpus).get(step, 1)


@cache
def profile_vcpus() -> dict[str, int]:
    """Return the vCPUs of a job of each rule as the profile for AWS runs it."""
    default, aws = (
        yaml.safe_load((PROFILES / name / "config.yaml").read_text(encoding="utf-8"))
        for name in ("default", "aws")
    )
    return {rule: min(n, aws["max-threads"]) for rule, n in default["set-threads"].items()}
