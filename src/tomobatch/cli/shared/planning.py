"""How a run on AWS is to go: as its user says, and for the rest as the planner chooses.

Decision 108.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer
import yaml

from tomobatch.cli.shared.front_view import Limits, describe
from tomobatch.errors import UserError
from tomobatch.steps import STEPS

if TYPE_CHECKING:
    from tomobatch.aws.runs.place import Place
    from tomobatch.aws.runs.record import RunRecord
    from tomobatch.estimate.estimate import Estimate
    from tomobatch.estimate.planner import Home, Way
    from tomobatch.fleet.figures import Figures
    from tomobatch.fleet.prices import Prices
    from tomobatch.plan import ScanPlan
    from tomobatch.steps import Queue

PROFILE = "profiles/aws"
"""The profile that leaves to the planner what a user does not say; any other says it itself."""

_NO_CLAIMS = "the stacks are of an earlier version; `tomobatch setup` gives jobs the right to claim"
_DEFAULTS = Path("profiles") / "default" / "config.yaml"
_GPUS = {"cpu": 0, "gpu": 1, "fargate": 0}
_NAMES = {"cpu": "on the CPU queue", "gpu": "on the GPU queue", "fargate": "on Fargate Spot"}


@dataclass(frozen=True)
class Wish:
    """What a user says of the way to run; None is left open.

    Attributes
    ----------
    limits
        A time and an amount that are to be kept.
    machines, pilots
        Most children of a step at once; how many children are to stay for all steps.
    queue
        Where slices are reconstructed.
    has_fargate
        Whether there is a queue of tasks on Fargate, which a plan may take.
    may_pilot
        Whether pilots have the right to claim commands: stacks of 0.1 do not give it.
    """

    limits: Limits = field(default_factory=Limits)
    machines: int | None = None
    pilots: int | None = None
    queue: Literal["cpu", "gpu", "fargate"] | None = None
    has_fargate: bool = False
    may_pilot: bool = True

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.machines is not None and self.pilots is not None:
            raise UserError("--machines and --pilots exclude each other: choose one")
        if self.pilots is not None and not self.may_pilot:
            raise UserError(f"--pilots: {_NO_CLAIMS}")

    def on(self, outputs: Mapping[str, str]) -> "Wish":
        """Return what is left of it on stacks with these outputs.

        Raises
        ------
        UserError
            If pilots are asked for, and have not the right.
        """
        from snakemake_executor_plugin_aws_batch_array.deployment import PILOT_CLAIMS

        return replace(
            self,
            has_fargate="FargateJobQueue" in outputs,
            may_pilot=PILOT_CLAIMS in outputs,
        )

    @property
    def counts(self) -> list[int]:
        """How many children may be tried."""
        from tomobatch.estimate.planner import counts_up_to
        from tomobatch.estimate.profile import profile_children

        said = self.machines if self.pilots is None else self.pilots
        return counts_up_to(profile_children()) if said is None else [said]

    @property
    def kinds(self) -> tuple[bool, ...]:
        """Whether pilots may be tried, and arrays a step."""
        if self.pilots is not None:
            return (True,)
        return (False, True) if self.machines is None and self.may_pilot else (False,)

    @property
    def given(self) -> dict[str, bool]:
        """Which options of the command line said something."""
        said = {
            "--deadline": self.limits.deadline_s,
            "--budget": self.limits.budget_usd,
            "--machines": self.machines,
            "--pilots": self.pilots,
            "--queue": self.queue,
        }
        return {option: value is not None for option, value in said.items()}

    def queues(self, plans: "Sequence[ScanPlan]") -> "tuple[Home, ...]":
        """Return the queues that may be tried: where nothing is said, the devices say it.

        Raises
        ------
        UserError
            If the devices and the queue contradict each other.
        """
        from tomobatch.estimate.planner import device_of

        devices = {plan.config.reconstruct.device for plan in plans} - {"auto"}
        for device in sorted(devices):
            if self.queue is not None and device != device_of(self.queue):
                raise UserError(
                    f"--queue {self.queue}: reconstruct.device is {device} in config.yaml, where "
                    "auto leaves it open"
                )
        if self.queue is not None:
            return (self.queue,)
        if "gpu" in devices:
            return ("gpu",)
        fargate: tuple[Home, ...] = ("fargate",) if self.has_fargate else ()
        return ("cpu", *fargate) if devices else ("cpu", "gpu", *fargate)


def plan_ways(
    plans: "Sequence[ScanPlan]",
    prices: "Prices",
    figures: "Figures",
    wish: Wish,
    *,
    detached: bool = False,
) -> "tuple[list[Way], Way]":
    """Return the ways to run some scans that a wish leaves open, and the one to take.

    Raises
    ------
    UserError
        If none keeps what is asked.
    """
    from tomobatch.estimate import planner
    from tomobatch.fleet.machines import Fleet

    ways = planner.ways_to_run(
        plans,
        prices,
        Fleet(),
        figures,
        counts=wish.counts,
        queues=wish.queues(plans),
        pilots=wish.kinds,
        detached=detached,
    )
    return ways, planner.choose_way(ways, wish.limits.deadline_s, wish.limits.budget_usd)


def choose_way(
    place: "Place",
    plans: "Mapping[str, ScanPlan]",
    profile: str,
    wish: Wish,
    *,
    detached: bool,
) -> "tuple[Way | None, Estimate]":
    """Choose how a run is to go, say it and why, and return it with what it will take and cost.

    Where another profile than ``PROFILE`` is asked for and nothing else, it goes as that says:
    the way is None then, and the estimate that of the defaults.
    """
    from tomobatch.aws.runs.seen import read_seen
    from tomobatch.cli.shared.estimate_view import show_bill
    from tomobatch.estimate.estimate import estimate_run
    from tomobatch.estimate.learn import learn
    from tomobatch.estimate.planner import device_of
    from tomobatch.fleet.figures import offline_figures
    from tomobatch.fleet.machines import Fleet
    from tomobatch.fleet.prices import offline_prices

    figures, prices = learn(offline_figures(), read_seen(place)), offline_prices()
    known = list(plans.values())
    wish = wish.on(place.outputs)
    way, fleet = None, Fleet()
    queue: Queue = device_of(wish.queues(known)[0])
    if profile == PROFILE or any(wish.given.values()):
        ways, way = plan_ways(known, prices, figures, wish, detached=detached)
        fleet, queue = way.fleet(fleet), way.device
        typer.echo(told_plan(ways, way, wish))
        if not wish.may_pilot:
            typer.echo(f"Pilots are left out: {_NO_CLAIMS}")
    estimate = estimate_run(
        known, prices, fleet, figures, queue=queue, device=queue, detached=detached
    )
    show_bill(estimate)
    typer.echo(estimate.summary)
    return way, estimate


def told_plan(ways: "Sequence[Way]", way: "Way", wish: Wish) -> str:
    """Return the line that says which way is taken, and why."""
    return f"Plan: {describe(way)}{_why(ways, way, wish)}"


def _why(ways: "Sequence[Way]", way: "Way", wish: Wish) -> str:
    """Return why a way was taken; on what device is said where that was left open."""
    from tomobatch.estimate import planner

    if len(ways) == 1:
        return ", as asked"
    asked = wish.limits.deadline_s, wish.limits.budget_usd
    why = f", {planner.why_chosen(*asked)}"
    for queue in dict.fromkeys(each.queue for each in ways if each.queue != way.queue):
        name = _NAMES[queue]
        try:
            other = planner.choose_way([each for each in ways if each.queue == queue], *asked)
        except UserError:
            why += f"; none {name} does"
        else:
            minutes = f"{other.elapsed_s / 60:.0f} minutes"
            why += f"; {name} {other.children}, {minutes} and ${other.usd:.2f}"
    return why


def as_planned(record: "RunRecord", way: "Way | None") -> "RunRecord":
    """Return the record of a run with the way it is to go."""
    if way is None:
        return record
    n = way.most_children
    return replace(record, size=n, pilots=n if way.pilots else None, queue=way.queue)


def to_queue(queue: str | None) -> list[str]:
    """Return what Snakemake is told so that slices are reconstructed on a queue.

    It takes the resources of all rules from one place: beside those of the command line, the
    profile's count no more.
    """
    if queue is None:
        return []
    if queue not in _GPUS:
        raise UserError(f"the queue {queue!r} of the run's record is none of {', '.join(_GPUS)}")
    profile = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8")) if _DEFAULTS.is_file() else {}
    resources: dict[str, dict[str, object]] = dict(profile.get("set-resources", {}))
    for rule in (step.rule for step in STEPS if step.on_device):
        resources[rule] = {**resources.get(rule, {}), "queue": queue, "gpu": _GPUS[queue]}
    return [
        *(_all_to(queue, profile.get("default-resources", [])) if queue == "fargate" else ()),
        "--set-resources",
        *(
            f"{rule}:{name}={value}"
            for rule, each in resources.items()
            for name, value in each.items()
        ),
    ]


def _all_to(queue: str, defaults: Sequence[str]) -> list[str]:
    """Return the default resources of a profile with another queue."""
    others = [each for each in defaults if each.partition("=")[0] != "queue"]
    return ["--default-resources", *others, f'queue="{queue}"']
