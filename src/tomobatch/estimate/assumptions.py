"""What an estimate rests on, in lines for people."""

import json
from importlib.resources import files

from tomobatch.estimate.workload import fitted_rates
from tomobatch.fleet.bill import LEAST_BILLED_S
from tomobatch.fleet.figures import Figures, figures_date
from tomobatch.fleet.machines import Fleet, family_of
from tomobatch.fleet.prices import Prices
from tomobatch.steps import Queue
from tomobatch.words import counted

_DECIDING = ("linger_s", "decide_s", "boot_s", "warm_s", "storage_mb_s", "speed")
"""Figures that most of the range comes from, the most deciding first."""

_DECIDING_ON_FARGATE = ("task_start_s", "task_pull_s", "task_speed", "storage_mb_s")

_WORDS = {
    "linger_s": "an idle machine stays {} s",
    "decide_s": "AWS Batch decides on new machines within {} s",
    "boot_s": "a machine boots within {} s",
    "warm_s": "a job on a machine that is there starts within {} s",
    "storage_mb_s": "a job moves {} MB/s",
    "speed": "machines are {} times as fast as the measured one",
    "task_start_s": "a task begins to fetch its image within {} s",
    "task_pull_s": "fetches it in {} s",
    "task_speed": "tasks are {} times as fast as the measured machine",
}


def assumptions(
    prices: Prices, fleet: Fleet, figures: Figures, device: Queue, n_draws: int
) -> tuple[str, ...]:
    """Return the lines, what is only assumed named as such."""
    costs = json.loads((files("tomobatch.reconstruct") / "costs.json").read_text(encoding="utf-8"))
    return (
        f"prices: {prices.source}; {_machines(fleet)} and an address, billed for "
        f"{LEAST_BILLED_S:.0f} s at least",
        f"{_children(fleet)}, and as many machines to be had",
        f"rates of the steps: {fitted_rates()['measured']}",
        f"kernels on the {device.upper()}: {costs['measured'][device]}",
        *_of_aws(figures, _DECIDING_ON_FARGATE if fleet.tasks else _DECIDING),
        f"the range holds four of five of {n_draws} runs that were played through",
    )


def _machines(fleet: Fleet) -> str:
    if fleet.tasks:
        return f"{fleet.market} tasks on Fargate, each with {fleet.task_storage_gib:.0f} GiB"
    families = dict.fromkeys(map(family_of, (*fleet.cpu_types, *fleet.gpu_types)))
    named = ", ".join(families)
    return f"{fleet.market} machines of {named}, each with a volume of {fleet.volume_gib:.0f} GiB"


def _children(fleet: Fleet) -> str:
    if fleet.pilots is None:
        return f"at most {fleet.most_children} children of a step at once"
    stay = "stay" if fleet.pilots > 1 else "stays"
    pilots = counted(fleet.pilots, "pilot")
    return f"{pilots} that {stay} for the whole run, or as many as there are jobs"


def _of_aws(figures: Figures, deciding: tuple[str, ...]) -> list[str]:
    """Return what is taken of AWS, by where it comes from: what runs told, the rest."""
    known: dict[str, list[str]] = {"learnt": [], "assumed": [], "looked up": []}
    for name in deciding:
        figure = figures[name]
        kind = figure.kind if figure.kind in known else "looked up"
        known[kind].append(_WORDS[name].format(_span(figure.low, figure.likely, figure.high)))
    intros = {
        "learnt": "learnt from runs of this account",
        "assumed": f"assumed ({figures_date()})",
        "looked up": f"looked up ({figures_date()})",
    }
    return [f"{intros[kind]}: {'; '.join(lines)}" for kind, lines in known.items() if lines]


def _span(low: float, likely: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}, likely {likely:.3g}"
