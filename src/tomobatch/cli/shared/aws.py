"""AWS clients of the commands; imported by none of them before it is needed, for boto3 is slow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.status import Status

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.errors import UserError as PluginUserError
from tomobatch.errors import UserError


def client_maker(region: str | None) -> Callable[[str], Any]:
    """Return a function that makes a client of a service.

    Its clients ask few times, for a user waits: what is down for seconds is told, not waited for.
    """

    def make(service: str) -> Any:  # noqa: ANN401 - as boto3 has it
        try:
            return make_client(service, region, max_attempts=3)
        except PluginUserError:
            raise UserError(
                "no AWS Region is known: give --region, or set AWS_REGION or AWS_PROFILE"
            ) from None

    return make


@contextmanager
def watching(console: Console) -> Iterator[Status]:
    """Show that AWS is at work; whoever interrupts stops watching, and nothing else."""
    try:
        with console.status("Working ...") as status:
            yield status
    except KeyboardInterrupt:
        console.print(
            "Stopped watching. What AWS has begun goes on by itself: run the same command again to "
            "see where it stands."
        )
        raise typer.Exit(130) from None
