"""Prices of machines by the hour: what AWS says, or a dated table where it can't be asked.

Decision 91.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from tomobatch.fleet.machines import family_of, has_gpu, is_task, machine_vcpus, task_size

H_A_MONTH = 730
"""Hours by which AWS turns a price a month into one an hour."""


@dataclass(frozen=True)
class BesideMachines:
    """Prices in dollars of all that a run pays for beside its machines.

    Attributes
    ----------
    volume_gb_month, throughput_mb_s_month, free_throughput_mb_s
        Of a gp3 volume: its size, and its MB/s beyond those that come with it.
    address_h
        A public IPv4 address.
    put, get
        A request to S3 that writes or lists, and one that reads.
    storage_gb_month
        What is kept on S3.
    egress_gb
        What leaves AWS for the internet, beyond the first 100 GB of a month.
    logs_gb
        What is written to CloudWatch Logs.
    task_storage_gb_h, free_task_storage_gb
        Storage of a task on Fargate, beyond what comes with it.
    """

    volume_gb_month: float
    throughput_mb_s_month: float
    free_throughput_mb_s: float
    address_h: float
    put: float
    get: float
    storage_gb_month: float
    egress_gb: float
    logs_gb: float
    task_storage_gb_h: float
    free_task_storage_gb: float

    def task_storage_h(self, size_gib: float) -> float:
        """Return the price of a task's storage by the hour."""
        return max(0.0, size_gib - self.free_task_storage_gb) * self.task_storage_gb_h

    def volume_h(self, size_gib: float, throughput_mb_s: float) -> float:
        """Return the price of a machine's volume by the hour."""
        more_mb_s = max(0.0, throughput_mb_s - self.free_throughput_mb_s)
        month = size_gib * self.volume_gb_month + more_mb_s * self.throughput_mb_s_month
        return month / H_A_MONTH


@dataclass(frozen=True)
class SpotPrice:
    """A spot price from a moment on, until a later one of the same type and zone."""

    instance_type: str
    zone: str
    since_ms: int
    usd_h: float


@dataclass(frozen=True)
class Prices:
    """Prices in dollars an hour.

    Attributes
    ----------
    source
        One line: where they come from, and of when.
    on_demand
        By instance type. A size that is missing is priced by its vCPUs from another of its family.
    spot_share
        Least, middle and greatest share of the on-demand price that spot machines cost, by family,
        and by ``cpu`` and ``gpu`` for the others; for types without a spot price below.
    beside
        Of what is no machine.
    spot
        Spot prices that AWS named, in any order.
    task_vcpu_h, task_gb_h
        On-demand, of a vCPU and of a gigabyte of a task on Fargate.
    """

    source: str
    on_demand: Mapping[str, float]
    spot_share: Mapping[str, tuple[float, float, float]]
    beside: BesideMachines
    spot: tuple[SpotPrice, ...] = ()
    task_vcpu_h: float = 0.0
    task_gb_h: float = 0.0

    def usd_h(self, instance_type: str, market: str, zone: str, when_ms: int) -> float | None:
        """Return the price of a machine at a time; None if the type is not known."""
        if market == "spot":
            known = [p for p in self.spot if (p.instance_type, p.zone) == (instance_type, zone)]
            if known:
                before = [price for price in known if price.since_ms <= when_ms]
                # Before the first price that was asked for, that one is the closest.
                first = min(known, key=lambda p: p.since_ms)
                return max(before, key=lambda p: p.since_ms, default=first).usd_h
        usd_h = self._on_demand(instance_type)
        if usd_h is None or market != "spot":
            return usd_h
        return usd_h * self._share(instance_type)[1]

    def spot_range(self, instance_type: str) -> tuple[float, float, float] | None:
        """Return the least, the middle and the greatest spot price that is to be expected."""
        known = sorted(p.usd_h for p in self._newest() if p.instance_type == instance_type)
        if known:
            return known[0], known[len(known) // 2], known[-1]
        usd_h = self._on_demand(instance_type)
        if usd_h is None:
            return None
        low, middle, high = self._share(instance_type)
        return usd_h * low, usd_h * middle, usd_h * high

    def _newest(self) -> list[SpotPrice]:
        newest: dict[tuple[str, str], SpotPrice] = {}
        for price in sorted(self.spot, key=lambda p: p.since_ms):
            newest[price.instance_type, price.zone] = price
        return list(newest.values())

    def _on_demand(self, instance_type: str) -> float | None:
        if instance_type in self.on_demand:
            return self.on_demand[instance_type]
        if is_task(instance_type):
            n_vcpus, gib = task_size(instance_type)
            return n_vcpus * self.task_vcpu_h + gib * self.task_gb_h
        vcpus = machine_vcpus(instance_type)
        # A GPU costs the same beside few vCPUs as beside many, so its family has no such rule.
        if vcpus is None or has_gpu(instance_type):
            return None
        for known, usd_h in self.on_demand.items():
            if family_of(known) == family_of(instance_type):
                return usd_h * vcpus / (machine_vcpus(known) or vcpus)
        return None

    def _share(self, instance_type: str) -> tuple[float, float, float]:
        kind = "gpu" if has_gpu(instance_type) else "cpu"
        return self.spot_share.get(family_of(instance_type), self.spot_share[kind])


def offline_prices() -> Prices:
    """Return the table that comes with the package."""
    text = (files("tomobatch.fleet") / "prices.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return Prices(
        source=f"offline table of {table['read']}, {table['region']}",
        on_demand=table["on_demand_usd_h"],
        spot_share={kind: (a, b, c) for kind, (a, b, c) in table["spot_share"].items()},
        beside=BesideMachines(**table["beside_machines"]),
        task_vcpu_h=table["fargate_usd_h"]["vcpu"],
        task_gb_h=table["fargate_usd_h"]["gb"],
    )
