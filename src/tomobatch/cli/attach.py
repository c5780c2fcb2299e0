"""``tomobatch attach``: follow a run that was left to itself."""

import threading
from typing import TYPE_CHECKING

import typer

from tomobatch.cli.logs import follow
from tomobatch.cli.shared.deployed import RunName, observed
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Look


def run(run: RunName = None) -> None:
    """Follow what the controller of a run prints, and end with the state of the run.

    Ctrl-C leaves the run alone.

    Example: `tomobatch attach tooth`
    """
    from rich.console import Console

    from tomobatch.aws.runs.logs import Source
    from tomobatch.aws.runs.state import Phase
    from tomobatch.cli.shared.status_view import show_run
    from tomobatch.cli.status import priced_look

    with observed(run) as observer:
        look = observer.look()
        job_id = _head_job(look)
        for line in observer.waiting.reasons(look.submitted, look.head):
            typer.echo(line, err=True)
        try:
            follow(observer, Source("controller", job_id), threading.Event())
        except KeyboardInterrupt:
            typer.echo(f"\nDetached; `tomobatch stop {observer.run}` would end the run")
            return
        state = priced_look(observer)
        Console().print(show_run(state))
        if state.phase is not Phase.FINISHED:
            raise typer.Exit(1)


def _head_job(look: "Look") -> str:
    controller = look.controller
    if controller is None or not controller.is_job:
        where = f"runs on {controller.host}" if controller is not None else "does not run"
        raise UserError(
            f"the controller of run {look.run} {where}, not as a job: "
            f"watch it with `tomobatch status {look.run} --watch`"
        )
    return controller.job_id
