"""What a run will take before anything runs: jobs, bytes, minutes and dollars, with their ranges.

Times of a job follow the size of its chunk at rates measured on runs (``rates.json``);
reconstruction follows the cost model of its kernels. What becomes of the jobs on AWS is played
through (``tomobatch.fleet``) under many draws of what is not known: the middle draw is told, and
the range that holds four of five.

Decision 92.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from tomobatch.aws.runs.foretold import Foretold, ForetoldStep
from tomobatch.errors import UserError
from tomobatch.estimate.afterwards import Afterwards, kept
from tomobatch.estimate.assumptions import assumptions
from tomobatch.estimate.workload import Work, stages_of, works_of
from tomobatch.fleet.bill import Hire, Item, Traffic, bill_of, total
from tomobatch.fleet.figures import Figures, offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import Prices
from tomobatch.fleet.simulate import Played, Simulation
from tomobatch.fleet.stages import Stage, merge
from tomobatch.fleet.weather import Weather
from tomobatch.plan import ScanPlan
from tomobatch.steps import Queue

N_DRAWS, SEED = 100, 7
_SHARES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Range:
    """A value that nine of ten draws reach, the middle one, and one that nine of ten stay below."""

    low: float
    likely: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Range":
        """Return the range of some draws."""
        return cls(*(float(value) for value in np.quantile(list(values), _SHARES)))


@dataclass(frozen=True)
class StepEstimate:
    """What one step will take.

    Attributes
    ----------
    n_jobs, n_children
        Its jobs, and the children that share them.
    read_mb, write_mb
        Of all jobs, before compression.
    compute_s, job_s
        One job: on the measured machine without moving data, and all of it at the likely rates.
    elapsed_s
        From its submission to its last end.
    """

    step: str
    queue: Queue
    n_jobs: int
    n_children: int
    read_mb: float
    write_mb: float
    compute_s: float
    job_s: float
    elapsed_s: Range

    @property
    def moved_mb(self) -> float:
        """All that its jobs read and write."""
        return self.read_mb + self.write_mb


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Attributes
    ----------
    scan
        Its scan, or the first of them and how many more.
    steps
        In order.
    bill
        By item, all of which make ``usd``.
    elapsed_s, usd
        All of it.
    machines, billed_h, worked_h
        How many there will be, the hours that are billed, and those of them that work.
    puts, gets, stored_gb
        Requests to S3, and what is there while it runs.
    afterwards
        What is not of the bill of the run.
    assumptions
        What the figures rest on, a line each.
    """

    scan: str
    steps: tuple[StepEstimate, ...]
    bill: dict[Item, Range]
    elapsed_s: Range
    usd: Range
    machines: Range
    billed_h: Range
    worked_h: Range
    puts: float
    gets: float
    stored_gb: float
    afterwards: Afterwards
    assumptions: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line for those who think in scans."""
        return (
            f"{self.scan}: about {spell_time(self.elapsed_s.likely)}, ${_money(self.usd.likely)} "
            f"(${_money(self.usd.low)}-{_money(self.usd.high)})"
        )

    @property
    def foretold(self) -> Foretold:
        """What the run's record keeps of it."""
        return Foretold(
            usd=astuple(self.usd),
            elapsed_s=astuple(self.elapsed_s),
            puts=self.puts,
            gets=self.gets,
            stored_gb=self.stored_gb,
            steps={
                step.step: ForetoldStep(step.compute_s, step.moved_mb / step.n_jobs)
                for step in self.steps
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "summary": self.summary}


@dataclass(frozen=True)
class _Draw:
    played: Played
    traffic: Traffic
    bill: dict[Item, float]


def estimate_run(
    plans: Sequence[ScanPlan],
    prices: Prices,
    fleet: Fleet | None = None,
    figures: Figures | None = None,
    *,
    queue: Queue = "cpu",
    device: Queue = "cpu",
    detached: bool = False,
    n_draws: int = N_DRAWS,
) -> Estimate:
    """Estimate a run of some scans.

    Parameters
    ----------
    plans
        Their chunks, from their headers.
    prices
        Of machines and what comes with them.
    fleet
        The machines; by default those of the stacks with their default parameters.
    figures
        What is known of AWS; by default the table of the package.
    queue, device
        Where reconstruction runs, and what computes there.
    detached
        Whether Snakemake runs as a job, too.
    n_draws
        Runs to play through.

    Raises
    ------
    NoMachineFits
        If a job wants more than any machine of its queue has.
    UserError
        If no price is known of a type of machine.
    """
    fleet, figures = fleet or Fleet(), figures or offline_figures()
    works = [works_of(plan, queue, device) for plan in plans]
    stages = merge([stages_of(each, figures) for each in works])
    stored_gb, afterwards = kept(plans, works, prices)
    # Each day has draws of its own, so that the days are the same for any two ways to run.
    days = map(np.random.default_rng, np.random.SeedSequence(SEED).spawn(n_draws))
    draws = [
        _play(stages, fleet, Weather.draw(figures, rng), prices, stored_gb, detached=detached)
        for rng in days
    ]
    more = f" and {len(plans) - 1} more" if len(plans) > 1 else ""
    return Estimate(
        scan=plans[0].name + more,
        steps=_steps(works, stages, fleet, figures, [draw.played for draw in draws]),
        bill={item: Range.of(draw.bill[item] for draw in draws) for item in Item},
        elapsed_s=_over(draws, lambda draw: draw.played.elapsed_s),
        usd=_over(draws, lambda draw: total(draw.bill)),
        machines=_over(draws, lambda draw: len(draw.played.hires)),
        billed_h=_over(draws, lambda draw: sum(h.billed_s for h in draw.played.hires) / 3600),
        worked_h=_over(draws, lambda draw: sum(h.worked_s for h in draw.played.hires) / 3600),
        puts=_over(draws, lambda draw: draw.traffic.puts).likely,
        gets=_over(draws, lambda draw: draw.traffic.gets).likely,
        stored_gb=stored_gb,
        afterwards=afterwards,
        assumptions=assumptions(prices, fleet, figures, device, n_draws),
    )


def _over(draws: Sequence[_Draw], value: Callable[[_Draw], float]) -> Range:
    return Range.of(value(draw) for draw in draws)


def _play(
    stages: Sequence[Stage],
    fleet: Fleet,
    weather: Weather,
    prices: Prices,
    stored_gb: float,
    *,
    detached: bool,
) -> _Draw:
    played = Simulation(stages, fleet, weather, detached=detached).play()
    loads = [load for stage in stages for load in stage.loads]
    traffic = Traffic(
        puts=played.puts + sum(load.n_jobs * load.puts for load in loads),
        gets=played.gets + sum(load.n_jobs * load.gets for load in loads),
        stored_gb_h=stored_gb * played.elapsed_s / 3600,
        logs_gb=sum(load.n_jobs for load in loads) * weather["log_kb_a_job"] / 1e6,
    )
    hires = [(hire, _usd_h(weather, prices, hire)) for hire in played.hires]
    return _Draw(played, traffic, bill_of(hires, traffic, fleet, prices.beside))


def _usd_h(weather: Weather, prices: Prices, hire: Hire) -> float:
    usd_h = weather.usd_h(prices, hire.instance_type, hire.market)
    if usd_h is None:
        raise UserError(f"{hire.instance_type}: no price is known of this type of machine")
    return usd_h


def _steps(
    works: Sequence[Sequence[Work]],
    stages: Sequence[Stage],
    fleet: Fleet,
    figures: Figures,
    played: Sequence[Played],
) -> tuple[StepEstimate, ...]:
    steps = []
    for number, stage in enumerate(stages):
        same = [work for each in works for work in each if work.step == stage.step]
        read_mb, write_mb = sum(work.read_mb for work in same), sum(work.write_mb for work in same)
        compute_s = sum(work.n_jobs * work.compute_s for work in same) / stage.n_jobs
        likely_s = sum(work.n_jobs * work.likely_s(figures) for work in same) / stage.n_jobs
        spans_s = (each.spans_s[number] for each in played)
        steps.append(
            StepEstimate(
                step=stage.step,
                queue=stage.queue,
                n_jobs=stage.n_jobs,
                n_children=stage.n_children(fleet.most_at_once),
                read_mb=read_mb,
                write_mb=write_mb,
                compute_s=compute_s,
                job_s=likely_s,
                elapsed_s=Range.of(end_s - start_s for start_s, end_s in spans_s),
            )
        )
    return tuple(steps)


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
