"""``tomobatch resume``: go on with a run."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch import __version__
from tomobatch.cli.run import start
from tomobatch.cli.shared.deployed import NamedRun, observed
from tomobatch.cli.shared.detached import start_detached
from tomobatch.cli.shared.planning import to_queue
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Look
    from tomobatch.aws.runs.place import Place
    from tomobatch.aws.runs.record import RunRecord


def run(
    run: NamedRun,
    detach: Annotated[
        bool | None,
        typer.Option(
            "--detach/--attach", help="Run Snakemake as a job, or here; by default as before."
        ),
    ] = None,
) -> None:
    """Go on with a run that was stopped, failed or lost its controller; what is done is kept.

    As a job it uses the workflow and the configuration as they were; here, those of this folder.

    Example: `tomobatch resume tooth`
    """
    from tomobatch.aws.runs.state import Phase

    with observed(run) as observer:
        look = observer.look()
        record = _record(look)
        if look.state.phase is Phase.FINISHED:
            typer.echo(
                f"Run {record.name} is finished; get it with `tomobatch fetch {record.name}`"
            )
            return
        if look.is_controlled:
            raise UserError(
                f"run {record.name} is under way ({look.state.controller}): "
                f"watch it with `tomobatch status {record.name} --watch`"
            )
        as_job = record.detached if detach is None else detach
        fresh = replace(record, controller=None, stopped_ms=None, finished_ms=None)
        if as_job:
            _submit_again(observer.place, fresh)
        else:
            start(observer.place, fresh, detach=False)


def _record(look: "Look") -> "RunRecord":
    if look.record is None:
        raise UserError(
            f"run {look.run} was not started by `tomobatch run`: give its snakemake command "
            "again, which goes on where it was"
        )
    return look.record


def _submit_again(place: "Place", record: "RunRecord") -> None:
    """Submit the controller with the sources that were stored when the run was started."""
    from hashlib import sha256

    from tomobatch.aws.runs.launch import sheet_of, snakemake_arguments
    from tomobatch.cli.shared.snakemake import show_command

    if record.made_by != __version__:
        raise UserError(
            f"run {record.name} was started by tomobatch {record.made_by}, whose workflow the image"
            f" of {__version__} may not run: `tomobatch resume {record.name} --attach` goes on with"
            " this folder's, `tomobatch run` starts it anew"
        )
    path = place.runs / record.name / "sources.tar.gz"
    archive = place.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
    arguments = [*snakemake_arguments(record, sheet_of(record)), *to_queue(record.queue)]
    typer.echo(show_command(arguments))
    start_detached(place, record, path, sha256(archive).hexdigest(), arguments)
