"""``tomobatch estimate``: what a scan will take, before anything runs."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.cost import Offline
from tomobatch.cli.shared.deployed import deployment
from tomobatch.cli.shared.front_view import Limits, parse_time, take_way
from tomobatch.cli.shared.options import AsJson, Pilots, Region
from tomobatch.cli.shared.scans import find_scans, plan_scans, read_config
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.fleet.figures import Figure
    from tomobatch.fleet.machines import Fleet
    from tomobatch.fleet.prices import Prices

_DAY_MS = 86_400_000


def run(
    scan: Annotated[str, typer.Argument(help="Path, s3:// address, or name in config.yaml.")],
    machines: Annotated[
        int, typer.Option(min=1, help="Most children of a step at once: aws-batch-array-size.")
    ] = 100,
    pilots: Pilots = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Reconstruct on the CPU queue too.")] = False,
    front: Annotated[
        bool, typer.Option("--front", help="Show the ways to run that no other beats, too.")
    ] = False,
    deadline: Annotated[
        str | None, typer.Option(help="Take the cheapest way within a time such as 20m or 1h30m.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Take the fastest way for so many dollars.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the ways into a file: .svg, .png or .pdf.")
    ] = None,
    region: Region = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say how many jobs, bytes, hours and dollars a scan will take on AWS, with config.yaml if any.

    Times and dollars are the middle of many runs that are played through, and where four of five
    of them lie. With --front, --deadline, --budget or --plot, ways to run are compared, up to
    --machines at once, a step or as pilots for all steps, and on either queue. One is taken: what
    keeps both in nine of ten runs, or without either the knee between minutes and dollars.

    Example: `tomobatch estimate scans/tooth.h5 --deadline 20m`
    """
    limits = Limits(None if deadline is None else parse_time(deadline, "--deadline"), budget, plot)
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.cli.shared.estimate_view import show_estimate
    from tomobatch.estimate.estimate import estimate_run
    from tomobatch.estimate.planner import ways_to_run
    from tomobatch.fleet.machines import Fleet
    from tomobatch.steps import Queue

    fleet = Fleet(most_children=machines, pilots=pilots)
    config = read_config()
    plans = list(plan_scans(find_scans([scan], config), config).good.values())
    prices = current_prices(fleet, region, offline=offline)
    figures = known_figures(offline=offline)
    where: Queue = "cpu" if cpu else "gpu"
    if front or limits.any:
        queues: tuple[Queue, ...] = ("cpu",) if cpu else ("cpu", "gpu")
        most = machines if pilots is None else pilots
        kinds = (False, True) if pilots is None else (True,)
        ways = ways_to_run(plans, prices, fleet, figures, most=most, queues=queues, pilots=kinds)
        way = take_way(ways, limits, show=not as_json)
        fleet, where = way.fleet(fleet), way.queue
    estimate = estimate_run(plans, prices, fleet, figures, queue=where, device=where)
    if as_json:
        typer.echo(json.dumps(estimate.to_dict(), indent=1))
        return
    show_estimate(estimate)
    typer.echo(f"\n{estimate.summary}")


def known_figures(*, offline: bool) -> "dict[str, Figure]":
    """Return what the runs of the deployment have seen of AWS; the dated table without any."""
    from tomobatch.estimate.learn import learn
    from tomobatch.fleet.figures import offline_figures

    if offline:
        return offline_figures()
    from tomobatch.aws.runs.seen import read_seen

    try:
        with deployment() as place:
            return learn(offline_figures(), read_seen(place))
    except UserError:
        # Nothing is deployed yet, or out of reach: the assumptions say that nothing is learnt.
        return offline_figures()


def current_prices(fleet: "Fleet", region: str | None, *, offline: bool) -> "Prices":
    """Return today's spot prices; those of the dated table if AWS can't be asked."""
    from tomobatch.fleet.prices import offline_prices

    if offline:
        return offline_prices()
    from tomobatch.aws.pricing.live import live_prices
    from tomobatch.cli.shared.aws import client_maker

    now_ms = time.time_ns() // 1_000_000
    types = (*fleet.cpu_types, *fleet.gpu_types)
    try:
        return live_prices(client_maker(region)("ec2"), types, now_ms - _DAY_MS, now_ms)
    except UserError as error:
        typer.echo(f"{error} The offline table serves instead.", err=True)
        return offline_prices()
