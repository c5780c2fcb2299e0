"""``tomobatch calibrate-fleet``: measure what AWS is like on this account."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.deployed import Yes, deployment
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tomobatch.aws.runs.measure import Kind
    from tomobatch.aws.runs.seen import Seen

_PROMISE = (
    "Jobs that sleep are run on {}, cold, warm and after pauses, to see how soon machines start "
    "and how long they stay. That takes half an hour a queue of machines and about $2 in all."
)


def run(
    queue: Annotated[
        list[str] | None,
        typer.Option(help="A queue to measure, cpu, gpu or fargate; by default all there are."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Measure what estimates only assume of AWS, with jobs that sleep, after asking.

    Later estimates and plans take what was found, as they take what runs see.

    Example: `tomobatch calibrate-fleet --queue cpu`
    """
    from tomobatch.aws.runs.measure import measure
    from tomobatch.aws.runs.seen import put_seen
    from tomobatch.aws.runs.sleepers import Sleepers

    with deployment() as place:
        queues = _queues(queue or [], place.outputs)
        typer.echo(_PROMISE.format(" and ".join(queues)))
        if not confirm("Measure?", yes=yes):
            raise UserError("nothing was measured")
        name = f"calibrate-fleet-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
        sleepers = Sleepers(place, name)
        try:
            seen = measure(sleepers, queues, typer.echo)
        finally:
            sleepers.end()
        put_seen(place, name, seen)
    for line in told(seen):
        typer.echo(line)


def _queues(asked: "Sequence[str]", outputs: "dict[str, str]") -> "list[Kind]":
    every: tuple[Kind, ...] = ("cpu", "gpu", "fargate")
    there = [each for each in every if f"{each.capitalize()}JobQueue" in outputs]
    for each in asked:
        if each not in there:
            raise UserError(f"--queue {each}: the stacks have {', '.join(there)}")
    return [each for each in there if not asked or each in asked]


def told(seen: "Seen") -> list[str]:
    """Return what was found, in lines."""
    from statistics import fmean

    times = {
        "machines are asked for": seen.asked_s,
        "a CPU machine works": seen.boot_s,
        "a GPU machine works": seen.gpu_boot_s,
        "a job starts on a machine that is there": seen.warm_s,
        "a task begins to fetch its image": seen.task_start_s,
        "a task works": seen.task_pull_s,
    }
    lines = [f"until {what}: {fmean(each):.0f} s" for what, each in times.items() if each]
    if seen.gone_idle_s:
        lines.append(
            f"an idle machine stays between {seen.kept_idle_s:.0f} and {seen.gone_idle_s:.0f} s"
        )
    elif seen.kept_idle_s:
        lines.append(f"an idle machine stays longer than {seen.kept_idle_s:.0f} s")
    return lines
