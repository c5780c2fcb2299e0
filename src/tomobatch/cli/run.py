"""``tomobatch run``: send scans to AWS and start the workflow there."""

import getpass
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch import __version__
from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.deployed import Yes, deployment
from tomobatch.cli.shared.detached import start_detached
from tomobatch.cli.shared.disk import foretell_disk
from tomobatch.cli.shared.front_view import limits_of
from tomobatch.cli.shared.here import look_for_devices, run_here
from tomobatch.cli.shared.options import Budget, Deadline, Machines, OnQueue, Pilots, Verbose
from tomobatch.cli.shared.planning import PROFILE, Wish, as_planned, choose_way, to_queue
from tomobatch.cli.shared.profile import data_url
from tomobatch.cli.shared.quotas import warn_of_quotas
from tomobatch.cli.shared.replacing import may_replace, replacing
from tomobatch.cli.shared.scans import (
    Entry,
    count_jobs,
    find_scans,
    moved,
    plan_scans,
    read_config,
    write_sheet,
)
from tomobatch.cli.shared.snakemake import run_snakemake, show_command, snakemake_command
from tomobatch.cli.shared.uploading import check_before_upload, upload_beside, upload_scan
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.runs.place import Place
    from tomobatch.aws.runs.record import RunRecord
    from tomobatch.plan import ScanPlan
    from tomobatch.plan_scan import Plans

Scans = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCAN]...",
        help="Path or s3:// address of a scan, or its name in config.yaml; all of that by default.",
    ),
]
Profile = Annotated[str, typer.Option(help="How to run: a folder of profiles/.")]


def run(
    scan: Scans = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run; by default that of its scan.")
    ] = None,
    detach: Annotated[
        bool, typer.Option(help="Run Snakemake itself as a job: this machine can be switched off.")
    ] = False,
    local: Annotated[bool, typer.Option(help="Run on this machine.")] = False,
    replaces: Annotated[
        bool,
        typer.Option(
            "--replace", help="Over another scan of its name, and results with other settings."
        ),
    ] = False,
    profile: Profile = PROFILE,
    deadline: Deadline = None,
    budget: Budget = None,
    machines: Machines = None,
    pilots: Pilots = None,
    queue: OnQueue = None,
    yes: Yes = False,
    verbose: Verbose = False,
) -> None:
    """Reconstruct scans on AWS, uploading them first, or on this machine.

    Under a name that is there already, what it lacks is done. On AWS the ways to run are compared,
    and the knee between minutes and dollars is taken, or what keeps --deadline and --budget in nine
    of ten runs; --machines, --pilots and --queue say of it what you want. Another --profile is
    followed as it is.

    Example: `tomobatch run scans/tooth.h5 --detach --deadline 20m`
    """
    wish = Wish(limits_of(deadline, budget), machines, pilots, queue)
    config = read_config()
    scans = find_scans(scan or [], config)
    if not scans:
        raise UserError("no scan given, and none in config.yaml; try `tomobatch run path/to/scan`")
    snakemake_command([])
    plans = plan_scans(scans, config)
    for line in plans.refusals:
        typer.echo(f"error: {line}", err=True)
    called = name_of(name, scans)
    if local:
        _refuse_here(detach, wish)
        results = Path(str(config.get("results", "results")))
        run_local(called, scans, plans, results, replaces=replaces, yes=yes, verbose=verbose)
    else:
        run_on_aws(
            called,
            scans,
            plans,
            profile,
            wish,
            detach=detach,
            replaces=replaces,
            yes=yes,
        )
    if plans.refused:
        n_all = len(plans.good) + len(plans.refused)
        raise UserError(
            f"{len(plans.refused)} of {n_all} scans cannot be reconstructed, the others are not"
            f" held up: {', '.join(plans.refused)}; why is said above"
        )


def _refuse_here(detach: bool, wish: Wish) -> None:
    """Refuse what has no meaning on this machine."""
    for option, is_given in {"--detach": detach, **wish.given}.items():
        if is_given:
            raise UserError(f"--local and {option} exclude each other: choose one")


def run_local(
    called: str,
    scans: Mapping[str, Entry],
    plans: "Plans",
    results: Path,
    *,
    replaces: bool = False,
    yes: bool = False,
    verbose: bool = False,
) -> None:
    """Reconstruct those scans that can be on this machine, their results in a folder each."""
    scans = {scan: entry for scan, entry in scans.items() if scan in plans.good}
    there = {scan: str(results / scan) for scan in scans}
    look_for_devices(plans.good)
    replaces = replaces or may_replace(there, plans.good, scans, yes=yes)
    foretell_disk(plans.good, results)
    run_here(called, scans, results, plans.refused, replaces=replaces, verbose=verbose)


def run_on_aws(
    called: str,
    scans: Mapping[str, Entry],
    plans: "Plans",
    profile: str,
    wish: Wish,
    *,
    detach: bool,
    replaces: bool = False,
    yes: bool = False,
) -> None:
    """Send those scans that can be reconstructed to AWS, and start a run of them there."""
    from tomobatch.scan.distortion_settings import files_to_send

    scans = {scan: entry for scan, entry in scans.items() if scan in plans.good}
    _ask_for_a_region()
    data_url(profile)
    for called_so, entry in scans.items():
        check_before_upload(str(entry["path"]), plans.good[called_so].config.datasets)
    needed = files_to_send(plan.config.datasets.distortion for plan in plans.good.values())
    jobs = count_jobs(plans.good.values())
    with deployment() as place:
        way, estimate = choose_way(place, plans.good, profile, wish, detached=detach)
        warn_of_quotas(None if way is None else way.queue, detached=detach)
        _ask(place, called, scans, jobs, yes=yes)
        on_s3 = _upload(scans, plans.good, str(place.scans), replace=replaces)
        record = _new_record(place, called, on_s3, jobs, profile)
        record = replace(as_planned(record, way), foretold=estimate.foretold)
        there = {scan: f"{record.results}/{scan}" for scan in scans}
        replaces = replaces or may_replace(there, plans.good, on_s3, yes=yes)
        start(place, record, detach=detach, replaces=replaces, needed=needed)


def _ask_for_a_region() -> None:
    """Refuse where no Region is known: most who see it have no account, and mean this machine."""
    from snakemake_executor_plugin_aws_batch_array.region import find_region
    from tomobatch.aws.account.mistakes import aws_mistakes

    try:
        with aws_mistakes():
            find_region()
    except UserError as error:
        why = str(error).removesuffix(".")
        raise UserError(f"{why}; or run here: tomobatch run --local") from None


def name_of(name: str | None, scans: Mapping[str, Entry]) -> str:
    """Return the name of a run: as given, or after its scans.

    Raises
    ------
    UserError
        If a name that was given can't be that of a folder.
    """
    from snakemake_executor_plugin_aws_batch_array.identity import safe_name

    first = next(iter(scans))
    chosen = name or (first if len(scans) == 1 else f"{first}-and-{len(scans) - 1}-more")
    if name is not None and safe_name(name, 40) != name:
        raise UserError(
            f"--name {name}: may hold up to 40 letters, digits, hyphens and underscores, "
            f"such as {safe_name(name, 40) or 'tooth'}"
        )
    return safe_name(chosen, 40)


def start(
    place: "Place",
    record: "RunRecord",
    *,
    detach: bool,
    replaces: bool = False,
    needed: Sequence[str] = (),
) -> None:
    """Start Snakemake for a run: as a job, or as a process on this terminal.

    ``needed`` are files that the configuration is read from as well.
    """
    from tomobatch.aws.runs.launch import sheet_of, snakemake_arguments
    from tomobatch.aws.runs.record import Controller, note_finish, put_record
    from tomobatch.aws.runs.seen import note_seen
    from tomobatch.aws.runs.sources import pack_sources, put_sources

    record = replace(record, made_by=__version__)
    sheet = sheet_of(record)
    write_sheet(Path(sheet), record.scans)
    told = snakemake_arguments(record, sheet)
    arguments = [*told, *to_queue(record.queue), *replacing(replaces)]
    sources, checksum = put_sources(place, record.name, pack_sources(Path(), [sheet, *needed]))
    if detach:
        typer.echo(show_command(arguments))
        start_detached(place, record, sources, checksum, arguments)
        return

    def note(pid: int) -> None:
        controller = Controller(host=platform.node(), pid=pid)
        put_record(place, replace(record, detached=False, controller=controller))

    run_snakemake(arguments, note)
    note_finish(place, record.name)
    note_seen(place, record.name)
    typer.echo(f"Bring the results down with `tomobatch fetch {record.name}`")


def _upload(
    scans: Mapping[str, Entry], plans: "Mapping[str, ScanPlan]", folder: str, *, replace: bool
) -> dict[str, Entry]:
    """Put scans, and the files that they are read from as well, into a folder on S3."""
    for name, entry in scans.items():
        upload_beside(str(entry["path"]), plans[name].config.datasets, folder, replace=replace)
    return moved(scans, lambda path: upload_scan(path, folder, replace=replace))


def _ask(
    place: "Place", name: str, scans: Mapping[str, Entry], jobs: Mapping[str, int], *, yes: bool
) -> None:
    """Tell what will be started; ask only where a run of that name has other scans."""
    from tomobatch.aws.runs.record import get_record

    typer.echo(f"Run {name}: {', '.join(scans)}, {sum(jobs.values())} jobs")
    earlier = get_record(place, name)
    if earlier is not None and set(earlier.scans) != set(scans):
        question = f"A run {name} of {', '.join(earlier.scans)} exists. Take its name over?"
        if not confirm(question, yes=yes):
            raise typer.Exit(1)


def _new_record(
    place: "Place", name: str, scans: dict[str, Entry], jobs: dict[str, int], profile: str
) -> "RunRecord":
    from tomobatch.aws.runs.record import RunRecord

    return RunRecord(
        name=name,
        results=str(place.runs / name),
        scans=scans,
        jobs=jobs,
        profile=profile,
        user=os.environ.get("USER") or getpass.getuser(),
        started_ms=time.time_ns() // 1_000_000,
    )
