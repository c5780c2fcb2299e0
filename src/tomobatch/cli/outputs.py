"""``tomobatch outputs``: what the deployed stacks are called, for shells and pipelines."""

import json

import typer

from tomobatch.cli.shared.options import DEFAULT_PREFIX, AsJson, Prefix, Region


def run(prefix: Prefix = DEFAULT_PREFIX, region: Region = None, as_json: AsJson = False) -> None:
    """Print the outputs of the stacks: bucket, queues, job definitions, roles, repository.

    Example: `tomobatch outputs --json`
    """
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.aws.account.stacks import read_outputs
    from tomobatch.cli.shared.aws import client_maker

    with aws_mistakes():
        show_outputs(read_outputs(client_maker(region)("cloudformation"), prefix), as_json=as_json)


def show_outputs(outputs: dict[str, str], *, as_json: bool) -> None:
    """Print outputs, one a line or as JSON."""
    if as_json:
        typer.echo(json.dumps(outputs, indent=1, sort_keys=True))
    else:
        for name, value in sorted(outputs.items()):
            typer.echo(f"{name}: {value}")
