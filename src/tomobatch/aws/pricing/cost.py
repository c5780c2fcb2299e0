"""What machines have cost, from the stretches of work they did."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tomobatch.fleet.bill import LEAST_BILLED_S
from tomobatch.fleet.machines import has_gpu, machine_vcpus
from tomobatch.fleet.prices import Prices

_MS_PER_H = 3_600_000


@dataclass(frozen=True)
class Use:
    """One stretch of work on one machine: an attempt of a child.

    Attributes
    ----------
    step
        The rule whose jobs ran.
    instance_id, instance_type, zone, market
        The machine; empty if the attempt could not find out.
    vcpus
        What the attempt reserved of it.
    start_ms, stop_ms
        Milliseconds since 1970.
    lost_ms
        Time that came to nothing: of commands that a reclaim cut off, or that failed.
    reclaimed
        Whether the attempt was cut off.
    """

    step: str
    instance_id: str
    instance_type: str
    zone: str
    market: str
    vcpus: int
    start_ms: int
    stop_ms: int
    lost_ms: int = 0
    reclaimed: bool = False


@dataclass(frozen=True)
class CostLine:
    """What one step cost on one type of machine.

    Attributes
    ----------
    n_attempts, n_reclaimed
        How often work started, and how often the machine was taken back under it.
    machine_h
        Hours, each as large a part of one as the attempt had of its machine.
    usd, lost_usd
        The cost, and what of it came to nothing.
    """

    step: str
    instance_type: str
    market: str
    n_attempts: int
    n_reclaimed: int
    machine_h: float
    usd: float
    lost_usd: float


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes
    ----------
    lines
        By step, type and market, in the order the steps began.
    idle_usd
        Machines that stood, in part or as a whole, between their first and last work.
    n_machines
        How many there were.
    unpriced
        Types without a known price, "" for machines that could not find out their own.
    prices
        Where the prices come from.
    """

    lines: tuple[CostLine, ...]
    idle_usd: float
    n_machines: int
    unpriced: tuple[str, ...]
    prices: str

    @property
    def usd(self) -> float:
        """All of it."""
        return sum(line.usd for line in self.lines) + self.idle_usd

    @property
    def lost_usd(self) -> float:
        """What reclaims and failures cost."""
        return sum(line.lost_usd for line in self.lines)

    @property
    def wasted_share(self) -> float:
        """Part of the cost that came to nothing, idle machines included."""
        return (self.lost_usd + self.idle_usd) / self.usd if self.usd > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **asdict(self),
            "usd": self.usd,
            "lost_usd": self.lost_usd,
            "wasted_share": self.wasted_share,
        }


def cost_of(records: Iterable[Use], prices: Prices) -> Cost:
    """Return what work has cost.

    A machine is billed from its first to its last work, for a minute at least, at the price in
    effect when it began; each attempt bears the part it had of the machine, by its vCPUs, or all
    of it where there is a GPU, of which a machine has one. What nobody bears is idle. The minutes
    in which a machine starts, and waits to be ended, are in nobody's records and not counted.
    """
    uses = sorted(records, key=lambda use: use.start_ms)
    lines: dict[tuple[str, str, str], CostLine] = {}
    unpriced: set[str] = set()
    machines = _by_machine(uses)
    idle_usd = 0.0
    for stretch in machines:
        first = stretch[0]
        usd_h = prices.usd_h(first.instance_type, first.market, first.zone, first.start_ms)
        if usd_h is None:
            unpriced.add(first.instance_type)
            usd_h = 0.0
        billed_ms = max(use.stop_ms for use in stretch) - first.start_ms
        borne_usd = 0.0
        for use in stretch:
            line = _line(use, usd_h)
            borne_usd += line.usd
            key = (line.step, line.instance_type, line.market)
            lines[key] = _sum(lines[key], line) if key in lines else line
        billed_usd = max(billed_ms, 1000 * LEAST_BILLED_S) / _MS_PER_H * usd_h
        idle_usd += max(0.0, billed_usd - borne_usd)
    steps = list(dict.fromkeys(use.step for use in uses))
    ordered = sorted(lines.values(), key=lambda x: (steps.index(x.step), x.instance_type, x.market))
    return Cost(tuple(ordered), idle_usd, len(machines), tuple(sorted(unpriced)), prices.source)


def _by_machine(uses: list[Use]) -> list[list[Use]]:
    """Sort uses by machine; one that does not know its machine has it for itself."""
    by_machine: dict[str, list[Use]] = defaultdict(list)
    for number, use in enumerate(uses):
        by_machine[use.instance_id or f"unknown {number}"].append(use)
    return list(by_machine.values())


def _line(use: Use, usd_h: float) -> CostLine:
    vcpus = machine_vcpus(use.instance_type)
    whole = has_gpu(use.instance_type) or vcpus is None
    part = 1.0 if whole or vcpus is None else min(1.0, use.vcpus / vcpus)
    machine_h = part * (use.stop_ms - use.start_ms) / _MS_PER_H
    lost_h = part * use.lost_ms / _MS_PER_H
    return CostLine(
        step=use.step,
        instance_type=use.instance_type,
        market=use.market,
        n_attempts=1,
        n_reclaimed=int(use.reclaimed),
        machine_h=machine_h,
        usd=machine_h * usd_h,
        lost_usd=lost_h * usd_h,
    )


def _sum(one: CostLine, other: CostLine) -> CostLine:
    return CostLine(
        step=one.step,
        instance_type=one.instance_type,
        market=one.market,
        n_attempts=one.n_attempts + other.n_attempts,
        n_reclaimed=one.n_reclaimed + other.n_reclaimed,
        machine_h=one.machine_h + other.machine_h,
        usd=one.usd + other.usd,
        lost_usd=one.lost_usd + other.lost_usd,
    )
