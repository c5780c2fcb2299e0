"""What a job of each rule reserves of a machine, as the profile for AWS runs it."""

from functools import cache
from typing import Any

import yaml

from tomobatch.workflow import workflow_folder


@cache
def profile_vcpus() -> dict[str, int]:
    """Return the vCPUs of a job of each rule; of a rule that is not named, 1."""
    threads, most = _read("default")["set-threads"], _read("aws")["max-threads"]
    return {rule: min(n, most) for rule, n in threads.items()}


@cache
def profile_memory_mb() -> float:
    """Return the memory of a job whose rule does not name its own."""
    resources = dict(each.split("=") for each in _read("default")["default-resources"])
    return float(resources["mem_mb"])


@cache
def profile_children() -> int:
    """Return the most children of a step at once."""
    return int(_read("aws")["aws-batch-array-size"])


def _read(name: str) -> dict[str, Any]:
    text = (workflow_folder() / "profiles" / name / "config.yaml").read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(text)
    return settings
