"""``tomobatch status``: how far a run is."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.deployed import AsJson, RunName, observed
from tomobatch.cli.shared.prices import prices_for

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer
    from tomobatch.aws.runs.state import RunState

_IDLE_LOOKS = 5
"""After so many in a row, a run whose controller is out of sight is taken to have ended."""

Every = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks, with --watch.")]


def run(
    run: RunName = None,
    watch: Annotated[bool, typer.Option(help="Look again and again until the run ends.")] = False,
    every: Every = 5.0,
    as_json: AsJson = False,
) -> None:
    """Show how far a run is, wherever it was started: by step, with machines, time and money.

    With --watch, the exit code is 0 if the run finishes, and 1 if it ends otherwise.

    Example: `tomobatch status tooth --watch`
    """
    with observed(run) as observer:
        if watch:
            watch_run(observer, every, as_json=as_json)
            return
        state = priced_look(observer)
    if as_json:
        typer.echo(json.dumps(state.to_dict(), indent=1))
    else:
        _print(state)


def priced_look(observer: "Observer") -> "RunState":
    """Return how far a run is: its cost, why it waits, and once it is over what came of it."""
    from dataclasses import replace

    from tomobatch.aws.pricing.tell import tell_cost
    from tomobatch.aws.pricing.uses import uses_so_far
    from tomobatch.aws.runs.findings import findings_of

    look = observer.look()
    uses = uses_so_far(look)
    prices, _ = prices_for(uses)
    cost = tell_cost(look, uses, prices)
    known = {}
    if look.record is not None and not look.state.phase.is_active:
        known = findings_of(observer.place, [look.record])[observer.run]
    return replace(
        look.state,
        cost_usd=cost.usd,
        bill=cost.bill,
        prices=prices.source,
        waiting=observer.waiting.reasons(look.submitted, look.head),
        findings=known,
    )


def watch_run(observer: "Observer", every_s: float, *, as_json: bool = False) -> None:
    """Show a run until it ends, and leave with exit code 1 unless it finished."""
    from rich.console import Console
    from rich.live import Live

    from tomobatch.aws.runs.state import Phase
    from tomobatch.cli.shared.status_view import show_run

    console = Console()
    states = _states_until_end(observer, every_s)
    if console.is_terminal and not as_json:
        with Live(console=console, auto_refresh=False) as live:
            for state in states:
                live.update(show_run(state), refresh=True)
    else:
        for state in states:
            _print_line(state, as_json=as_json)
    if state.phase is not Phase.FINISHED:
        raise typer.Exit(1)


def _states_until_end(observer: "Observer", every_s: float) -> "Iterator[RunState]":
    """Walk the states of a run, one at least."""
    from tomobatch.aws.runs.state import Phase

    n_idle = 0
    while True:
        state = priced_look(observer)
        yield state
        n_idle = n_idle + 1 if state.phase is Phase.IDLE else 0
        if not state.phase.is_active and not 0 < n_idle < _IDLE_LOOKS:
            return
        time.sleep(every_s)


def _print(state: "RunState") -> None:
    from rich.console import Console

    from tomobatch.cli.shared.status_view import show_run

    Console().print(show_run(state))


def _print_line(state: "RunState", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(state.to_dict()))
        return
    done, total = (sum(getattr(step, name) for step in state.steps) for name in ("done", "total"))
    typer.echo(f"{state.run} {state.phase.value}: {done}/{total} jobs done")
    for line in state.waiting:
        typer.echo(f"  {line}")
