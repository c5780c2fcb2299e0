"""``tomobatch doctor``: can this machine compute, and can AWS."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from tomobatch.cli.shared.new_file import refuse_existing
from tomobatch.cli.shared.options import DEFAULT_PREFIX, AsJson, Force, Prefix, Region
from tomobatch.errors import UserError

Kind = Literal["auto", "gpu", "cpu"]


def run(
    device: Annotated[Kind, typer.Option(help="Which device must be there.")] = "auto",
    aws: Annotated[bool, typer.Option("--aws", help="Look at the AWS account instead.")] = False,
    benchmark: Annotated[
        Path | None,
        typer.Option(
            help="Measure the device, below 8 minutes: FILE.json, and FILE.html to look at.",
            metavar="FILE.json",
        ),
    ] = None,
    size: Annotated[
        int, typer.Option(min=32, help="Largest slice of --benchmark, in pixels.")
    ] = 2048,
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Check the OpenCL device and its kernels, or all that jobs need on AWS, each with its fix.

    Example: `tomobatch doctor --device gpu`
    """
    if aws and benchmark is not None:
        raise UserError("--benchmark measures the device of this machine: leave --aws out")
    if aws:
        healthy = _check_aws(prefix, region, as_json)
    else:
        if benchmark is not None:
            _check_target(benchmark, force)
        healthy = _check_device(device, as_json, benchmark, size)
    if not healthy:
        raise typer.Exit(1)


def _check_target(path: Path, force: bool) -> None:
    """Refuse files that could not be written at the end, or are there."""
    from tomobatch.benchmark.run import check_target, page_of

    check_target(path)
    refuse_existing(path, page_of(path), force=force)


def _check_device(device: Kind, as_json: bool, benchmark: Path | None, size: int) -> bool:
    from tomobatch.doctor import examine, render

    report = examine(device)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=1))
    elif not report.chosen:
        raise UserError(report.problem)
    else:
        typer.echo(render(report))
    if benchmark is not None and report.chosen:
        _measure(device, report.to_dict(), benchmark, size, quiet=as_json)
    return report.ok


def _measure(
    device: Kind, checks: dict[str, object], path: Path, size: int, *, quiet: bool
) -> None:
    from tomobatch.benchmark.run import measure, write
    from tomobatch.opencl.devices import find_device

    found = measure(find_device(device), checks, size, say=lambda line: typer.echo(line, err=quiet))
    page = write(found, path)
    for line in found.left_out:
        typer.echo(f"warning: left out: {line}", err=True)
    typer.echo(f"wrote {path} and {page}", err=quiet)


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
