"""Prices of machines by the hour: what AWS says, or a dated table where it can't be asked.

Decision 91.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_VCPUS = {"medium": 1, "large": 2, "xlarge": 4}


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
        Least, middle and greatest share of the on-demand price that spot machines cost, by ``cpu``
        and ``gpu``; for types without a spot price below.
    spot
        Spot prices that AWS named, in any order.
    """

    source: str
    on_demand: Mapping[str, float]
    spot_share: Mapping[str, tuple[float, float, float]]
    spot: tuple[SpotPrice, ...] = ()

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
        vcpus = machine_vcpus(instance_type)
        # A GPU costs the same beside few vCPUs as beside many, so its family has no such rule.
        if vcpus is None or has_gpu(instance_type):
            return None
        family = instance_type.partition(".")[0]
        for known, usd_h in self.on_demand.items():
            if known.partition(".")[0] == family:
                return usd_h * vcpus / (machine_vcpus(known) or vcpus)
        return None

    def _share(self, instance_type: str) -> tuple[float, float, float]:
        return self.spot_share["gpu" if has_gpu(instance_type) else "cpu"]


def offline_prices() -> Prices:
    """Return the table that comes with the package."""
    text = (files("tomobatch.aws.pricing") / "prices.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return Prices(
        source=f"offline table of {table['read']}, {table['region']}",
        on_demand=table["on_demand_usd_h"],
        spot_share={kind: (a, b, c) for kind, (a, b, c) in table["spot_share"].items()},
    )


def machine_vcpus(instance_type: str) -> int | None:
    """Return the vCPUs of a type, which its size tells; None for a size that tells nothing."""
    size = instance_type.partition(".")[2]
    if size in _VCPUS:
        return _VCPUS[size]
    times = size.removesuffix("xlarge")
    return 4 * int(times) if size.endswith("xlarge") and times.isdigit() else None


def has_gpu(instance_type: str) -> bool:
    """Tell whether a type is of the families with NVIDIA GPUs."""
    return instance_type[:1] in ("g", "p")
