"""What the account may start of the machines that a run is going to take."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tomobatch.estimate.planner import Home


def warn_of_quotas(home: "Home | None", *, detached: bool) -> None:
    """Say which machines the account may not start, for which jobs would wait without a word.

    Parameters
    ----------
    home
        Where slices are reconstructed; None if a profile says it.
    detached
        Whether Snakemake runs as a job.
    """
    from snakemake_executor_plugin_aws_batch_array.region import find_region
    from tomobatch.aws.account.quotas import starved_machines
    from tomobatch.cli.shared.aws import client_maker

    for line in starved_machines(client_maker(None), find_region(), _kinds(home, detached)):
        typer.echo(f"warning: {line}", err=True)


def _kinds(home: "Home | None", detached: bool) -> tuple[str, ...]:
    """Return the machines of a run: on Fargate is all of it, but the job of Snakemake."""
    if home == "fargate":
        return ("CPU", "Fargate") if detached else ("Fargate",)
    return ("CPU",) if home == "cpu" else ("CPU", "GPU")
