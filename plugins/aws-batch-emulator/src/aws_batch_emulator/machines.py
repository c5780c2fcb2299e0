"""The machines children run on, and the metadata service that tells a child about its own.

A child finds the service by the standard variable AWS_EC2_METADATA_SERVICE_ENDPOINT, which
every AWS SDK honours. Each machine has its own address below the emulator's.
"""

import json
import secrets
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from aws_batch_emulator.fargate import INSTANCE_TYPE
from aws_batch_emulator.jobs import Machine


class Fleet:
    """Hands out machines per queue and remembers them; a returned one serves the next child."""

    def __init__(self, region: str) -> None:
        self._lock = threading.Lock()
        self._zones = [f"{region}{letter}" for letter in "abc"]
        self._idle: dict[str, list[Machine]] = {}
        self._by_id: dict[str, Machine] = {}
        self._n_tasks = 0

    def take(self, queue: str, instance_types: Sequence[str], market: str) -> Machine:
        """Return an idle machine of a queue, or a new one."""
        with self._lock:
            if idle := self._idle.get(queue):
                return idle.pop()
            number = len(self._by_id)
            machine = Machine(
                instance_id=f"i-{secrets.token_hex(8)}1",
                instance_type=_concrete(instance_types[number % len(instance_types)]),
                zone=self._zones[number % len(self._zones)],
                market=market,
                launched=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            )
            self._by_id[machine.instance_id] = machine
            return machine

    def take_task(self, task_id: str, market: str) -> Machine:
        """Return what a task on Fargate has in place of a machine, for itself alone."""
        with self._lock:
            self._n_tasks += 1
            zone = self._zones[self._n_tasks % len(self._zones)]
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            return Machine(task_id, INSTANCE_TYPE, zone, market, now)

    def give_back(self, queue: str, machine: Machine) -> None:
        """Let the next child of the queue have this machine; a task's goes with it."""
        if machine.instance_type == INSTANCE_TYPE:
            return
        with self._lock:
            self._idle.setdefault(queue, []).append(machine)

    def metadata(self, method: str, path: str) -> str | None:
        """Answer one request to the metadata service; None where there is no such item.

        `path` is the machine's id, then the path as on a real machine.
        """
        instance_id, _, item = path.partition("/")
        machine = self._by_id.get(instance_id)
        if machine is None:
            return None
        if method == "PUT" and item == "latest/api/token":
            return secrets.token_urlsafe(24)
        return _items(machine).get(item.rstrip("/"))


def _items(machine: Machine) -> dict[str, str]:
    region = machine.zone[:-1]
    document = {
        "instanceId": machine.instance_id,
        "instanceType": machine.instance_type,
        "availabilityZone": machine.zone,
        "region": region,
        "pendingTime": machine.launched,
    }
    return {
        "latest/meta-data/instance-id": machine.instance_id,
        "latest/meta-data/instance-type": machine.instance_type,
        "latest/meta-data/instance-life-cycle": machine.market,
        "latest/meta-data/placement/availability-zone": machine.zone,
        "latest/meta-data/placement/region": region,
        "latest/dynamic/instance-identity/document": json.dumps(document),
    }


def _concrete(instance_type: str) -> str:
    """Turn a family ("c7a") or "optimal" into a type a machine can have."""
    if "." in instance_type:
        return instance_type
    return "m5.2xlarge" if instance_type == "optimal" else f"{instance_type}.2xlarge"
