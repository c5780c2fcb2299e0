"""What a scan will take before anything runs: jobs, bytes, hours and dollars by step, as a range.

Times of a job follow the size of its chunk at rates measured on runs (``rates.json``);
reconstruction follows the cost model of its kernels. Steps follow each other; the jobs of a step
share the machines it may have.

Decision 92.
"""

import json
import math
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from tomobatch.aws.pricing.cost import LEAST_BILLED_S
from tomobatch.aws.pricing.prices import Prices, machine_vcpus
from tomobatch.estimate.fleet import Fleet
from tomobatch.estimate.workload import Work, fitted_rates, works_of
from tomobatch.plan import ScanPlan
from tomobatch.steps import Queue

FASTER, SLOWER = 0.8, 1.3
"""Machines differ from the measured one: the range of times."""

STORAGE_MB_S = 80.0
"""What a job moves to or from S3 in a second; AWS's guidance for one connection is 85 to 90."""

MACHINE_START_S = (120.0, 300.0)
"""Least and most that a queue's first machine takes until it works; assumed, and not billed to us
by the run's records."""

LINGER_S = 300.0
"""How long an idle machine stays before AWS Batch ends it; assumed."""

RECLAIMED_SHARE = 0.1
"""Work that is done twice, at most, because spot machines are taken back; assumed."""


@dataclass(frozen=True)
class Range:
    """A least, a likely and a greatest value."""

    low: float
    likely: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)


@dataclass(frozen=True)
class StepEstimate:
    """What one step will take.

    Attributes
    ----------
    n_jobs, n_children
        Its jobs, and the children that share them.
    read_mb, write_mb
        Of all jobs, before compression.
    job_s
        One job, on a machine as measured.
    elapsed_s
        From the first start to the last end.
    usd
        All of its children.
    """

    step: str
    queue: Queue
    n_jobs: int
    n_children: int
    read_mb: float
    write_mb: float
    job_s: float
    elapsed_s: float
    usd: Range


@dataclass(frozen=True)
class Estimate:
    """What a scan will take.

    Attributes
    ----------
    steps
        In order.
    waiting_usd
        CPU machines that stand between steps and while others work, and what is left of the minute
        that AWS bills at least for any machine.
    elapsed_s, usd
        All of it.
    assumptions
        What the figures rest on, a line each.
    """

    scan: str
    steps: tuple[StepEstimate, ...]
    waiting_usd: Range
    elapsed_s: Range
    usd: Range
    assumptions: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line for those who think in scans."""
        return (
            f"{self.scan}: about {spell_time(self.elapsed_s.likely)}, "
            f"${_money(self.usd.low)}-{_money(self.usd.high)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "summary": self.summary}


def estimate_scan(
    plan: ScanPlan,
    prices: Prices,
    fleet: Fleet | None = None,
    *,
    queue: Queue = "gpu",
    device: Queue = "gpu",
) -> Estimate:
    """Estimate one scan.

    Parameters
    ----------
    plan
        Its chunks, from its header.
    prices
        Of machines.
    fleet
        The machines; by default those of the stacks with their default parameters.
    queue, device
        Where reconstruction runs, and what computes there.
    """
    fleet = fleet or Fleet()
    steps = [_estimate_step(work, prices, fleet) for work in works_of(plan, queue, device)]
    handover_s = fitted_rates()["handover_s"]
    waited_for = [step for step, its in zip(steps, plan.steps, strict=True) if its.waited_for]
    waits_s = _waiting_s(waited_for, handover_s)
    cpu_s, gpu_s = waits_s + _unused_s(steps, "cpu", waits_s), _unused_s(steps, "gpu", 0.0)
    waiting = _price(cpu_s, 1, "cpu", fleet, prices, "process")
    waiting += _price(gpu_s, 1, "gpu", fleet, prices, "reconstruct")
    likely_s = sum(step.elapsed_s + handover_s for step in waited_for)
    start_low, start_high = MACHINE_START_S
    n_queues = len({step.queue for step in steps})
    return Estimate(
        scan=plan.name,
        steps=tuple(steps),
        waiting_usd=waiting,
        elapsed_s=Range(
            likely_s * FASTER + start_low * n_queues,
            likely_s + (start_low + start_high) / 2 * n_queues,
            likely_s * SLOWER + start_high * n_queues,
        ),
        usd=sum((step.usd for step in steps), waiting),
        assumptions=_assumptions(prices, fleet, device),
    )


def _estimate_step(work: Work, prices: Prices, fleet: Fleet) -> StepEstimate:
    rates = fitted_rates()
    fixed_s, ns = rates["fixed_s"][work.step], rates["ns_a_value"].get(work.step, 0.0)
    moved_s = (work.read_mb + work.write_mb) / work.n_jobs / STORAGE_MB_S
    job_s = fixed_s + ns * work.values_a_job * 1e-9 + work.kernel_s + moved_s
    n_children = min(work.n_jobs, fleet.most_children)
    elapsed_s = rates["start_s"] + math.ceil(work.n_jobs / n_children) * job_s
    return StepEstimate(
        step=work.step,
        queue=work.queue,
        n_jobs=work.n_jobs,
        n_children=n_children,
        read_mb=work.read_mb,
        write_mb=work.write_mb,
        job_s=job_s,
        elapsed_s=elapsed_s,
        usd=_price(elapsed_s, n_children, work.queue, fleet, prices, work.step),
    )


def _waiting_s(steps: list[StepEstimate], handover_s: float) -> float:
    """Return the time that CPU machines stand, of all of them: between steps, and during others.

    A machine that the next step has no use for stays until it has lingered.
    """
    there, idle_s, waiting_s = 0, 0.0, 0.0
    for step in steps:
        busy = min(there, step.n_children) if step.queue == "cpu" else 0
        span_s = handover_s + step.elapsed_s
        waiting_s += busy * handover_s + (there - busy) * min(span_s, LINGER_S - idle_s)
        idle_s += span_s
        if step.queue == "cpu" and (step.n_children >= there or idle_s >= LINGER_S):
            there, idle_s = step.n_children, 0.0
        elif idle_s >= LINGER_S:
            there, idle_s = 0, 0.0
    return waiting_s


def _unused_s(steps: list[StepEstimate], queue: Queue, waiting_s: float) -> float:
    """Return what is left of the least time that AWS bills, of all machines of a queue."""
    of_queue = [step for step in steps if step.queue == queue]
    n_machines = max((step.n_children for step in of_queue), default=0)
    used_s = waiting_s + sum(step.n_children * step.elapsed_s for step in of_queue)
    return max(0.0, n_machines * LEAST_BILLED_S - used_s)


def _price(
    elapsed_s: float, n_children: int, queue: Queue, fleet: Fleet, prices: Prices, step: str
) -> Range:
    """Return what children cost that run for a time, over the types they may run on."""
    types = fleet.cpu_types if queue == "cpu" else fleet.gpu_types
    by_type = []
    for name in types:
        priced = prices.spot_range(name)
        if priced is None:
            continue
        part = 1.0
        if queue == "cpu" and not fleet.whole_machines:
            part = fleet.reserved(step) / (machine_vcpus(name) or 1)
        by_type.append([part * usd_h for usd_h in priced])
    hours = n_children * elapsed_s / 3600
    likely = sorted(middle for _, middle, _ in by_type)
    return Range(
        hours * FASTER * min(low for low, _, _ in by_type),
        hours * (likely[(len(likely) - 1) // 2] + likely[len(likely) // 2]) / 2,
        hours * SLOWER * (1 + RECLAIMED_SHARE) * max(high for _, _, high in by_type),
    )


def _assumptions(prices: Prices, fleet: Fleet, device: Queue) -> tuple[str, ...]:
    kernel_costs = json.loads(
        (files("tomobatch.reconstruct") / "costs.json").read_text(encoding="utf-8")
    )["measured"][device]
    low, high = (round(seconds / 60) for seconds in MACHINE_START_S)
    return (
        f"prices: {prices.source}; machines: {', '.join(fleet.cpu_types)}; "
        f"{', '.join(fleet.gpu_types)}",
        f"at most {fleet.most_children} children of a step at once, and as many machines to be had",
        f"rates of the steps: {fitted_rates()['measured']}",
        f"kernels on the {device.upper()}: {kernel_costs}",
        f"a job moves {STORAGE_MB_S:.0f} MB/s; machines are {SLOWER:g} times slower to "
        f"{1 / FASTER:g} times faster than the measured one; up to {RECLAIMED_SHARE:.0%} of the "
        "work is done twice after reclaims",
        f"an idle machine stays {LINGER_S / 60:.0f} minutes; any is billed for a minute at least",
        f"the first machine of a queue starts within {low} to {high} minutes, which are not in the "
        "dollars; nor are storage and requests",
    )


def spell_time(seconds: float) -> str:
    """Return a time as a user would say it."""
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} seconds"
    if minutes < 90:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.1f} hours"


def _money(value: float) -> str:
    return f"{value:.2f}" if value >= 0.05 else f"{value:.3f}"
