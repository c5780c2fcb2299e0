"""``tomobatch stop``: end a run."""

from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.deployed import NamedRun, Yes, observed

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Look

_WAIT_S = 60.0


def run(
    run: NamedRun,
    now: Annotated[
        bool, typer.Option(help="End jobs in the middle of their work, which is then lost.")
    ] = False,
    yes: Yes = False,
) -> None:
    """End a run: its controller and all jobs that wait; those that run finish what they are at.

    Example: `tomobatch stop tooth --now`
    """
    from rich.console import Console

    from tomobatch.aws.runs.state import Phase
    from tomobatch.aws.runs.stop import stop_run
    from tomobatch.cli.shared.status_view import show_run

    with observed(run) as observer:
        look = observer.look()
        if not look.state.phase.is_active and not _is_controlled_elsewhere(look):
            typer.echo(f"Run {observer.run} is {look.state.phase.value}: there is nothing to end")
            return
        if not confirm(f"Stop run {observer.run}?", yes=yes):
            raise typer.Exit(1)
        console = Console()
        with console.status(f"Ending run {observer.run}"):
            stopped = stop_run(observer, look, now=now, wait_s=_WAIT_S, tick=lambda: None)
            state = observer.look().state
        console.print(show_run(state))
    if stopped.controller_elsewhere:
        typer.echo(
            f"Its controller runs on {stopped.controller_elsewhere}: press Ctrl-C there, or it "
            "submits again what was ended here",
            err=True,
        )
    done = sum(step.done for step in state.steps)
    total = sum(step.total for step in state.steps)
    verb = "Stopping" if state.phase is Phase.STOPPING else "Stopped"
    typer.echo(
        f"{verb} run {observer.run}: {done} of {total} jobs are done and kept. "
        f"Go on with `tomobatch resume {observer.run}`"
    )


def _is_controlled_elsewhere(look: "Look") -> bool:
    from tomobatch.aws.runs.observe import is_here

    controller = look.controller
    return controller is not None and not controller.is_job and not is_here(controller)
