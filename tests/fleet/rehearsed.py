"""Runs of a plan on an account that is not the estimate's own invention: the emulator's rehearsal.

What the rehearsal draws (days, machines, prices) and how it bills is its own; of the plan it is
told the jobs, what each computes and moves, and what its children reserve.
"""

import random
from dataclasses import dataclass, fields, replace
from statistics import median

from aws_batch_emulator.rehearsal import FARGATE, Rehearsal
from aws_batch_emulator.rehearsal_world import Crew, Day
from snakemake_executor_plugin_aws_batch_array.fargate import least_pair
from tomobatch.aws.runs.measure import Start
from tomobatch.aws.runs.seen import Seen, SeenStep
from tomobatch.estimate.workload import stages_of, works_of
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.prices import Prices, offline_prices
from tomobatch.fleet.stages import Stage


@dataclass(frozen=True)
class Rehearsed:
    """What came of a run: its time, its bill, and what its records would say."""

    minutes: float
    bill: dict[str, float]
    seen: Seen
    n_reclaimed: int

    @property
    def usd(self) -> float:
        """All of the bill."""
        return sum(self.bill.values())


def rehearse(plan, home, most_children, seed, *, pilots=False, day=None, reclaims=1.0):
    """Run a plan once, as its controller does: each step after the one before, an array for each
    or pilots for all of them."""
    account, rng = Rehearsal(seed, day=day, reclaims=reclaims), random.Random(f"jobs {seed}")  # noqa: S311
    account.wait(rng.uniform(6, 14))
    lists, notices_s, steps, crews, beside = [], [], {}, {}, []
    device = "gpu" if home == "gpu" else "cpu"
    stages = stages_of(works_of(plan, device, device), offline_figures())
    for number, stage in enumerate(stages):
        jobs_s = _jobs_s(stage, account, rng, home)
        submitted_s, first = account.now, len(account.starts)
        queue = FARGATE if home == FARGATE else stage.queue
        if pilots:
            if queue not in crews:
                crews[queue] = _crew(account, queue, stages[number:], most_children)
            account.writes += len(jobs_s) + most_children
            account.reads += len(jobs_s)
            account.run_commands(crews[queue], jobs_s)
        else:
            size, children = _size(stage, queue), _children(jobs_s, stage, most_children)
            tasks = account.submit_array(queue, *size, children)
            account.wait_for(tasks if stage.waited_for else ())
            beside += tasks
        if not stage.waited_for:
            continue
        pause_s = rng.uniform(3, 9)
        account.wait(pause_s)
        notices_s += [] if pilots else [pause_s]
        lists.append((submitted_s, account.starts[first:]))
        (load,) = stage.loads
        mean_s = sum(jobs_s) / len(jobs_s)
        moved_mb = load.read_mb + load.write_mb
        steps[stage.step] = SeenStep(len(jobs_s), mean_s, load.compute_s, moved_mb)
    account.wait_for(beside)
    ended_s = account.now
    for crew in crews.values():
        account.dismiss(crew)
        account.reads += crew.looks
    account.wind_down()
    return Rehearsed(
        ended_s / 60,
        account.bill(),
        _seen(lists, notices_s, steps, home),
        account.reclaimed,
    )


def _size(stage: Stage, queue: str) -> tuple[int, float]:
    """Return vCPUs and memory of a child: on Fargate, a pair that a task may have."""
    if queue != FARGATE:
        return stage.vcpus, stage.memory_mib
    return least_pair(stage.vcpus, round(stage.memory_mib))


def _crew(account: Rehearsal, queue: str, stages: list[Stage], most: int) -> Crew:
    """Start pilots for all stages of a queue, as large as the largest wants them.

    Those of these plans are alike: none wants twice as much as most jobs do.
    """
    alike = [stage for stage in stages if stage.queue == stages[0].queue]
    sizes = [_size(stage, queue) for stage in alike]
    cores, mib = max(cores for cores, _ in sizes), max(mib for _, mib in sizes)
    if queue == FARGATE:
        cores, mib = least_pair(cores, round(mib))
    n = min(most, sum(stage.n_jobs for stage in alike))
    return account.start_crew(queue, cores, mib, n, alike[0].start_s)


def _jobs_s(stage: Stage, account: Rehearsal, rng: random.Random, home: str) -> list[float]:
    """Return what each job takes, and count its requests."""
    (load,) = stage.loads
    account.writes += round(load.puts * load.n_jobs)
    account.reads += round(load.gets * load.n_jobs)
    day = account.day
    likely_s = load.compute_s / (day.task_speed if home == FARGATE else day.speed)
    likely_s += (load.read_mb + load.write_mb) / account.day.mb_s
    return [likely_s * rng.gauss(1, 0.06) for _ in range(load.n_jobs)]


def _children(jobs_s: list[float], stage: Stage, most: int) -> list[list[float]]:
    """Deal the jobs out, and let each child start first."""
    n = min(len(jobs_s), most)
    bounds = [len(jobs_s) * child // n for child in range(n + 1)]
    return [[stage.start_s, *jobs_s[bounds[i] : bounds[i + 1]]] for i in range(n)]


def _seen(lists, notices_s, steps, home) -> Seen:
    """Return what the records of the run would tell."""
    on_tasks = home == FARGATE
    asked_s, warm_s, free_s, kept_idle_s = [], [], {}, 0.0
    boots = {"boot_s": [], "gpu_boot_s": [], "task_pull_s": []}
    for submitted_s, starts in lists:
        asked = []
        for task, host, begins, ends in starts:
            if host not in free_s and host.asked >= submitted_s and not task.tries:
                # Machines tell when they were asked for, tasks since when they fetch their image.
                launched_s = host.running if on_tasks else host.asked
                asked.append(launched_s - submitted_s)
                boot = "gpu_boot_s" if host.kind.startswith("g") else "boot_s"
                boots["task_pull_s" if on_tasks else boot].append(begins - launched_s)
            elif free_s.get(host, submitted_s + 1) <= submitted_s and not task.tries:
                warm_s.append(begins - submitted_s)
                kept_idle_s = max(kept_idle_s, submitted_s - free_s[host])
            free_s[host] = max(free_s.get(host, 0.0), ends)
        asked_s += [median(asked)] if asked else []
    return Seen(
        asked_s=() if on_tasks else tuple(asked_s),
        task_start_s=tuple(asked_s) if on_tasks else (),
        warm_s=tuple(warm_s),
        notice_s=tuple(notices_s),
        kept_idle_s=kept_idle_s,
        steps=steps,
        on_tasks=on_tasks,
        **{name: tuple(times) for name, times in boots.items()},
    )


class Measured:
    """An account that is measured: it runs jobs that sleep."""

    def __init__(self, day, seed):
        self.account = Rehearsal(seed, day=day, reclaims=0.0)

    def run(self, queue, n_children, sleep_s):
        submitted_s, first = self.account.now, len(self.account.starts)
        self.account.run_array(queue, 4, 8192, [[sleep_s]] * n_children)
        return [
            Start(
                f"{queue} {host.number}",
                host.running if queue == "fargate" else host.asked,
                submitted_s,
                begins,
                ends,
            )
            for _, host, begins, ends in self.account.starts[first:]
        ]

    def wait(self, seconds):
        self.account.wait(seconds)


def vary(account: Day, rng: random.Random) -> Day:
    """Return a day of an account: as it mostly is, give or take a tenth."""
    changed = {
        each.name: getattr(account, each.name) * rng.uniform(0.9, 1.1)
        for each in fields(Day)
        if each.name not in ("spot", "gpu_spot", "task_spot")
    }
    return replace(account, **changed)


def prices_of(account: Day) -> Prices:
    """Return what AWS states of spot prices on such days, as an estimate may ask."""
    shares = {
        kind: (share * 0.99, share, share * 1.01)
        for kind, share in (
            ("cpu", account.spot),
            ("gpu", account.gpu_spot),
            ("fargate", account.task_spot),
        )
    }
    return replace(offline_prices(), spot_share=shares)
