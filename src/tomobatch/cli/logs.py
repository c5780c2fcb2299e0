"""``tomobatch logs``: what the jobs of a run print."""

import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.deployed import RunName, observed
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.runs.logs import Source
    from tomobatch.aws.runs.observe import Look, Observer

_POLL_S = 1.0
_LATE_S = 5.0
"""So long after a job's end its last lines may come yet."""
_MOST = 10


def run(
    run: RunName = None,
    rule: Annotated[
        str | None, typer.Option(help="Only jobs of this rule; `head` is the controller.")
    ] = None,
    chunk: Annotated[int | None, typer.Option(min=0, help="Only jobs on this chunk.")] = None,
    failed: Annotated[bool, typer.Option(help="Only jobs that failed.")] = False,
    follow_log: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job ends.")
    ] = False,
) -> None:
    """Print the logs of jobs, of every attempt; by default the controller's, or the newest job's.

    Example: `tomobatch logs tooth --rule reconstruct --chunk 3`
    """
    from tomobatch.aws.runs.logs import find_sources

    with observed(run) as observer:
        look = observer.look()
        sources = find_sources(look, rule, chunk, failed=failed)
        if not sources:
            raise UserError(_nothing(look, rule, chunk, failed=failed))
        if rule is None and chunk is None and not failed:
            controllers = [source for source in sources if source.title == "controller"]
            sources = controllers or sources[-1:]
        if follow_log:
            if len(sources) > 1:
                raise UserError(f"{len(sources)} jobs match: choose one with --rule and --chunk")
            follow(observer, sources[0], threading.Event())
            return
        for source in sources[:_MOST]:
            show(observer, source)
    if len(sources) > _MOST:
        typer.echo(f"... and {len(sources) - _MOST} more; choose with --rule and --chunk")


def show(observer: "Observer", source: "Source") -> None:
    """Print all that a job has written."""
    from tomobatch.aws.runs.logs import find_span, find_streams, read_lines

    streams = find_streams(observer.place, source.job_id)
    if not streams:
        typer.echo(_heading(f"{source.title}: has not started yet"))
    span = find_span(observer.place, observer.run, source)
    for number, stream in enumerate(streams, start=1):
        attempt = f", attempt {number}" if len(streams) > 1 else ""
        typer.echo(_heading(f"{source.title}{attempt}: {stream.group} {stream.name}"))
        for line, _ in read_lines(observer.place, stream, span):
            typer.echo(line)
        if stream.ending:
            typer.echo(_heading(stream.ending))


def follow(observer: "Observer", source: "Source", pause: threading.Event) -> None:
    """Print what a job writes until it ends, over all its attempts."""
    from tomobatch.aws.runs.logs import find_streams, is_over, read_lines

    place = observer.place
    tokens: dict[str, str] = {}
    ended_s: float | None = None
    while True:
        # Asked before the log is read, so that the last lines of a job are not missed.
        if ended_s is None and is_over(place, source.job_id):
            ended_s = time.monotonic()
        for stream in find_streams(place, source.job_id):
            for line, token in read_lines(place, stream, None, tokens.get(stream.name)):
                typer.echo(line)
                tokens[stream.name] = token
        if ended_s is not None and time.monotonic() - ended_s > _LATE_S:
            return
        pause.wait(_POLL_S)


def _heading(text: str) -> str:
    return typer.style(f"== {text}", bold=True)


def _nothing(look: "Look", rule: str | None, chunk: int | None, *, failed: bool) -> str:
    rules = sorted({each.commands.rule for each in look.submitted})
    if not rules:
        return f"run {look.run} has submitted no job yet"
    if rule is not None and rule not in [*rules, "head"]:
        return f"run {look.run} has no job of rule {rule!r} yet; there are {', '.join(rules)}"
    what = "failed " if failed else ""
    where = "" if chunk is None else f" on chunk {chunk}"
    return f"run {look.run} has no {what}job{where}"
