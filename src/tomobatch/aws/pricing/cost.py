"""What a run has cost, item by item, from the stretches of work that its machines did."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tomobatch.fleet.bill import Hire, Item, Traffic, bill_of, total
from tomobatch.fleet.figures import Figures, offline_figures
from tomobatch.fleet.machines import Fleet, has_gpu, is_task, machine_vcpus
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
    launched_ms
        When the machine was launched; 0 if unknown.
    n_before
        Attempts before this one that lost their machines before they could say that they started.
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
    launched_ms: int = 0
    n_before: int = 0


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
        Work by step, type and market, in the order the steps began.
    bill
        All that is billed, by item.
    unseen
        What of the bill nobody saw, and is taken to be as it mostly is: dollars by the reason.
    n_machines, billed_h
        How many machines there were, and the hours that they are billed for.
    unpriced
        Types without a known price, "" for machines that could not find out their own.
    prices
        Where the prices come from.
    """

    lines: tuple[CostLine, ...]
    bill: Mapping[Item, float]
    unseen: Mapping[str, float]
    n_machines: int
    billed_h: float
    unpriced: tuple[str, ...]
    prices: str

    @property
    def usd(self) -> float:
        """All of it."""
        return total(self.bill)

    @property
    def lost_usd(self) -> float:
        """What reclaims and failures cost."""
        return sum(line.lost_usd for line in self.lines)

    @property
    def wasted_share(self) -> float:
        """Part of the cost that came to nothing: lost work, and machines that did none."""
        waste = (Item.START, Item.IDLE, Item.LINGER)
        wasted_usd = self.lost_usd + sum(self.bill[item] for item in waste)
        return wasted_usd / self.usd if self.usd > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **asdict(self),
            "usd": self.usd,
            "lost_usd": self.lost_usd,
            "wasted_share": self.wasted_share,
        }


@dataclass(frozen=True)
class Stretch:
    """One machine's uses, the earliest first, and when it began and ended, as far as is known.

    Attributes
    ----------
    hire
        As it is billed.
    assumed_start_s, assumed_end_s
        What of its start and of its end nobody saw.
    """

    uses: tuple[Use, ...]
    hire: Hire
    assumed_start_s: float
    assumed_end_s: float


def cost_of(
    records: Iterable[Use],
    prices: Prices,
    *,
    until_ms: int | None = None,
    traffic: Traffic | None = None,
    figures: Figures | None = None,
    fleet: Fleet | None = None,
) -> Cost:
    """Return what work has cost.

    A machine is billed from its launch to its end at the price in effect when it began; each
    attempt bears the part it had of the machine, by its vCPUs, or all of it where there is a GPU,
    of which a machine has one. A machine that was taken back ended with its work. Of the others
    nobody sees the end: they linger as long as machines mostly do, and so does the start of those
    whose launch is not known.

    Parameters
    ----------
    records
        The stretches of work.
    until_ms
        The present, for a run that goes on: nothing after it has cost yet. None once it is over.
    traffic
        What is known of its requests, storage and logs.
    figures, fleet
        What is taken of machines that tell nothing.
    """
    figures, fleet = figures or offline_figures(), fleet or Fleet()
    stretches = _stretches(records, figures, until_ms)
    lines: dict[tuple[str, str, str], CostLine] = {}
    unpriced: set[str] = set()
    hires: list[tuple[Hire, float]] = []
    unseen: dict[str, float] = defaultdict(float)
    volume_h = prices.beside.volume_h(fleet.volume_gib, fleet.throughput_mb_s)
    storage_h = prices.beside.task_storage_h(fleet.task_storage_gib)
    for stretch in stretches:
        first = stretch.uses[0]
        beside_usd_h = prices.beside.address_h
        beside_usd_h += storage_h if is_task(first.instance_type) else volume_h
        usd_h = prices.usd_h(first.instance_type, first.market, first.zone, first.start_ms)
        if usd_h is None:
            unpriced.add(first.instance_type)
            usd_h = 0.0
        hires.append((stretch.hire, usd_h))
        unseen["start"] += stretch.assumed_start_s / 3600 * (usd_h + beside_usd_h)
        unseen["end"] += stretch.assumed_end_s / 3600 * (usd_h + beside_usd_h)
        for use in stretch.uses:
            line = _line(use, usd_h)
            key = (line.step, line.instance_type, line.market)
            lines[key] = _sum(lines[key], line) if key in lines else line
    bill = bill_of(hires, traffic or Traffic(), fleet, prices.beside)
    unseen["traffic"] = bill[Item.REQUESTS] + bill[Item.STORAGE] + bill[Item.LOGS]
    by_start = sorted(records, key=lambda use: use.start_ms)
    steps = list(dict.fromkeys(use.step for use in by_start))
    ordered = sorted(lines.values(), key=lambda x: (steps.index(x.step), x.instance_type, x.market))
    return Cost(
        tuple(ordered),
        bill,
        dict(unseen),
        len(stretches),
        sum(hire.billed_s for hire, _ in hires) / 3600,
        tuple(sorted(unpriced)),
        prices.source,
    )


def _stretches(records: Iterable[Use], figures: Figures, until_ms: int | None) -> list[Stretch]:
    """Sort uses by machine; one that does not know its machine has it for itself."""
    by_machine: dict[str, list[Use]] = defaultdict(list)
    for number, use in enumerate(sorted(records, key=lambda use: use.start_ms)):
        by_machine[use.instance_id or f"unknown {number}"].append(use)
    return [_stretch(uses, figures, until_ms) for uses in by_machine.values()]


def _stretch(uses: list[Use], figures: Figures, until_ms: int | None) -> Stretch:
    first_s, last_s = uses[0].start_ms / 1000, max(use.stop_ms for use in uses) / 1000
    launched_ms = max(use.launched_ms for use in uses)
    of_task = is_task(uses[0].instance_type)
    if launched_ms and of_task:
        begin_s, assumed_start_s = min(launched_ms / 1000, first_s), 0.0
    elif launched_ms:
        # EC2 tells when it was asked for; it is billed from when it runs.
        begin_s = min(launched_ms / 1000 + figures["pending_s"].likely, first_s)
        assumed_start_s = 0.0
    else:
        assumed_start_s = _boot_s(uses[0].instance_type, figures)
        begin_s = first_s - assumed_start_s
    assumed_end_s = 0.0 if of_task else figures["linger_s"].likely
    if max(uses, key=lambda use: use.stop_ms).reclaimed:
        assumed_end_s = 0.0
    if until_ms is not None:
        assumed_end_s = max(0.0, min(assumed_end_s, until_ms / 1000 - last_s))
    hire = Hire(
        uses[0].instance_type,
        uses[0].market,
        uses[0].zone,
        begin_s,
        last_s + assumed_end_s,
        first_s,
        last_s,
        sum(_part(use) * (use.stop_ms - use.start_ms) / 1000 for use in uses),
    )
    return Stretch(tuple(uses), hire, assumed_start_s, assumed_end_s)


def _boot_s(instance_type: str, figures: Figures) -> float:
    if is_task(instance_type):
        return figures["task_pull_s"].likely
    names = ("boot_s", "place_s", "pull_s", *(("gpu_boot_s",) if has_gpu(instance_type) else ()))
    return sum(figures[name].likely for name in names)


def _part(use: Use) -> float:
    """Return the part of its machine that an attempt had."""
    vcpus = machine_vcpus(use.instance_type)
    return 1.0 if has_gpu(use.instance_type) or vcpus is None else min(1.0, use.vcpus / vcpus)


def _line(use: Use, usd_h: float) -> CostLine:
    machine_h = _part(use) * (use.stop_ms - use.start_ms) / _MS_PER_H
    lost_h = _part(use) * use.lost_ms / _MS_PER_H
    return CostLine(
        step=use.step,
        instance_type=use.instance_type,
        market=use.market,
        n_attempts=1 + use.n_before,
        n_reclaimed=int(use.reclaimed) + use.n_before,
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
