"""``tomobatch teardown``: the account as it was before ``setup``."""

from typing import Annotated

import typer
from rich.console import Console

from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.options import DEFAULT_PREFIX, Prefix, Region, Yes
from tomobatch.errors import UserError


def run(
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete all scans and results too, for good.")
    ] = False,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Leave the bucket and the logs.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove all stacks, the last one first; a bucket with data only when told to.

    Example: `tomobatch teardown --keep-data`
    """
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.aws.account.teardown import live_jobs, teardown
    from tomobatch.cli.setup import show_stacks
    from tomobatch.cli.shared.aws import client_maker, watching

    console = Console(stderr=True, highlight=False)
    make = client_maker(region)
    with aws_mistakes():
        client = make("cloudformation")
        console.print(show_stacks(client, prefix, "delete"))
        if n_live := live_jobs(make, prefix):
            console.print(
                f"warning: {n_live} jobs or arrays wait or run, and end with their queues"
            )
        data = ", and all data in its bucket" if delete_data else ""
        where = client.meta.region_name
        if not confirm(f"Delete the stacks {prefix}-* in {where}{data}?", yes=yes):
            raise UserError("nothing was deleted")
        with watching(console):
            teardown(
                client,
                make("s3"),
                make("iam"),
                prefix,
                tell=console.print,
                delete_data=delete_data,
                keep_data=keep_data,
            )
