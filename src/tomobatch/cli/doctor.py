"""``tomobatch doctor``: can this machine compute, and can AWS."""

import json
from typing import Annotated, Literal

import typer

from tomobatch.cli.shared.options import DEFAULT_PREFIX, AsJson, Prefix, Region
from tomobatch.errors import UserError


def run(
    device: Annotated[
        Literal["auto", "gpu", "cpu"], typer.Option(help="Which device must be there.")
    ] = "auto",
    aws: Annotated[bool, typer.Option("--aws", help="Look at the AWS account instead.")] = False,
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Check the OpenCL device and its kernels, or all that jobs need on AWS, each with its fix.

    Example: `tomobatch doctor --device gpu`
    """
    healthy = _check_aws(prefix, region, as_json) if aws else _check_device(device, as_json)
    if not healthy:
        raise typer.Exit(1)


def _check_device(device: Literal["auto", "gpu", "cpu"], as_json: bool) -> bool:
    from tomobatch.doctor import examine, render

    report = examine(device)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=1))
    elif not report.chosen:
        raise UserError(report.problem)
    else:
        typer.echo(render(report))
    return report.ok


def _check_aws(prefix: str, region: str | None, as_json: bool) -> bool:
    # boto3 takes a third of a second to import, which a look at the device need not spend.
    from dataclasses import asdict

    from tomobatch.aws.account.checkup import examine_aws
    from tomobatch.aws.account.finding import Finding
    from tomobatch.cli.shared.aws import client_maker

    findings: list[Finding] = []
    for finding in examine_aws(client_maker(region), prefix):
        findings.append(finding)
        if not as_json:
            typer.echo(str(finding))
    healthy = all(finding.state != "failed" for finding in findings)
    if as_json:
        answer = {"ok": healthy, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(answer, indent=1))
    else:
        typer.echo("all is well" if healthy else "not well: see what failed above")
    return healthy
