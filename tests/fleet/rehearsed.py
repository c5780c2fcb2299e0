"""Runs of a plan on an account that is not the estimate's own invention: the emulator's rehearsal.

What the rehearsal draws (days, machines, prices) and how it bills is its own; of the plan it is
told the jobs, what each computes and moves, and what its children reserve.
"""

import random
from dataclasses import dataclass, fields, replace
from statistics import median

from aws_batch_emulator.rehearsal import Day, Rehearsal
from tomobatch.aws.runs.seen import Seen, SeenStep
from tomobatch.estimate.workload import stages_of, works_of
from tomobatch.fleet.figures import Figure, offline_figures
from tomobatch.fleet.prices import Prices, offline_prices
from tomobatch.fleet.stages import Stage


@dataclass(frozen=True)
class Rehearsed:
    """What came of a run: its time, its bill, what its records would say, and how long idle
    machines stayed."""

    minutes: float
    usd: float
    seen: Seen
    stays_s: float
    n_reclaimed: int


def rehearse(plan, queue, most_children, seed, *, day=None, reclaims=1.0):
    """Run a plan once, as its controller does: an array a step, each after the one before."""
    account, rng = Rehearsal(seed, day=day, reclaims=reclaims), random.Random(f"jobs {seed}")  # noqa: S311
    account.wait(rng.uniform(6, 14))
    lists, notices_s, steps = [], [], {}
    for stage in stages_of(works_of(plan, queue, queue), offline_figures()):
        if not stage.waited_for:
            continue
        jobs_s = _jobs_s(stage, account, rng)
        submitted_s, first = account.now, len(account.starts)
        account.run_array(
            stage.queue, stage.vcpus, stage.memory_mib, _children(jobs_s, stage, most_children)
        )
        ended_s = account.now
        pause_s = rng.uniform(3, 9)
        account.wait(pause_s)
        notices_s.append(pause_s)
        lists.append((submitted_s, account.starts[first:]))
        (load,) = stage.loads
        mean_s = sum(jobs_s) / len(jobs_s)
        moved_mb = load.read_mb + load.write_mb
        steps[stage.step] = SeenStep(len(jobs_s), mean_s, load.compute_s, moved_mb)
    account.wind_down()
    return Rehearsed(
        ended_s / 60,
        sum(account.bill().values()),
        _seen(lists, notices_s, steps),
        account.day.stays,
        account.reclaimed,
    )


def _jobs_s(stage: Stage, account: Rehearsal, rng: random.Random) -> list[float]:
    """Return what each job takes, and count its requests."""
    (load,) = stage.loads
    account.writes += round(load.puts * load.n_jobs)
    account.reads += round(load.gets * load.n_jobs)
    likely_s = load.compute_s / account.day.speed
    likely_s += (load.read_mb + load.write_mb) / account.day.mb_s
    return [likely_s * rng.gauss(1, 0.06) for _ in range(load.n_jobs)]


def _children(jobs_s: list[float], stage: Stage, most: int) -> list[list[float]]:
    """Deal the jobs out, and let each child start first."""
    n = min(len(jobs_s), most)
    bounds = [len(jobs_s) * child // n for child in range(n + 1)]
    return [[stage.start_s, *jobs_s[bounds[i] : bounds[i + 1]]] for i in range(n)]


def _seen(lists, notices_s, steps) -> Seen:
    """Return what the records of the run would tell."""
    asked_s, boots, warm_s, free_s = [], {"boot_s": [], "gpu_boot_s": []}, [], {}
    for submitted_s, starts in lists:
        asked = []
        for task, host, begins, ends in starts:
            if host not in free_s and host.asked >= submitted_s and not task.tries:
                asked.append(host.asked - submitted_s)
                boot = "gpu_boot_s" if host.kind.startswith("g") else "boot_s"
                boots[boot].append(begins - host.asked)
            elif free_s.get(host, submitted_s + 1) <= submitted_s and not task.tries:
                warm_s.append(begins - submitted_s)
            free_s[host] = max(free_s.get(host, 0.0), ends)
        asked_s += [median(asked)] if asked else []
    return Seen(
        asked_s=tuple(asked_s),
        boot_s=tuple(boots["boot_s"]),
        gpu_boot_s=tuple(boots["gpu_boot_s"]),
        warm_s=tuple(warm_s),
        notice_s=tuple(notices_s),
        steps=steps,
    )


def with_linger(figures: dict[str, Figure], stays_s: list[float]) -> dict[str, Figure]:
    """Return figures of an account of which is known how long its idle machines stay."""
    middle = sorted(stays_s)[len(stays_s) // 2]
    known = replace(
        figures["linger_s"], low=min(stays_s), likely=middle, high=max(stays_s), kind="learnt"
    )
    return figures | {"linger_s": known}


def vary(account: Day, rng: random.Random) -> Day:
    """Return a day of an account: as it mostly is, give or take a tenth."""
    changed = {
        each.name: getattr(account, each.name) * rng.uniform(0.9, 1.1)
        for each in fields(Day)
        if each.name not in ("spot", "gpu_spot")
    }
    return replace(account, **changed)


def prices_of(account: Day) -> Prices:
    """Return what AWS states of spot prices on such days, as an estimate may ask."""
    shares = {
        kind: (share * 0.99, share, share * 1.01)
        for kind, share in (("cpu", account.spot), ("gpu", account.gpu_spot))
    }
    return replace(offline_prices(), spot_share=shares)
