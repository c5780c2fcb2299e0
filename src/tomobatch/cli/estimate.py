"""``tomobatch estimate``: what a scan will take, before anything runs."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.cost import Offline
from tomobatch.cli.shared.deployed import deployment
from tomobatch.cli.shared.front_view import limits_of, plot_ways, show_front
from tomobatch.cli.shared.new_file import refuse_existing
from tomobatch.cli.shared.options import (
    AsJson,
    Budget,
    Deadline,
    Force,
    Machines,
    OnQueue,
    Pilots,
    Region,
)
from tomobatch.cli.shared.planning import Wish, plan_ways, told_plan
from tomobatch.cli.shared.scans import find_scans, plan_scans, read_config
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.fleet.figures import Figure
    from tomobatch.fleet.machines import Fleet
    from tomobatch.fleet.prices import Prices

_DAY_MS = 86_400_000


def run(
    scan: Annotated[str, typer.Argument(help="Path, s3:// address, or name in config.yaml.")],
    front: Annotated[
        bool, typer.Option("--front", help="Show every way to run that no other beats.")
    ] = False,
    deadline: Deadline = None,
    budget: Budget = None,
    machines: Machines = None,
    pilots: Pilots = None,
    queue: OnQueue = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the ways into a file: .svg, .png or .pdf.")
    ] = None,
    region: Region = None,
    offline: Offline = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Say how many jobs, bytes, hours and dollars a scan will take on AWS, with config.yaml if any.

    Times and dollars are the middle of many runs that are played through, and where four of five
    of them lie. Ways to run are compared, with an array a step or pilots for all steps, how many
    children, on which queue, as far as --machines, --pilots and --queue leave it open; the one is
    taken that `run` takes: what keeps --deadline and --budget in nine of ten runs, or without
    either the knee between minutes and dollars. A few of those that no other beats are shown, by
    --front every one, by --plot all ways.

    Example: `tomobatch estimate scans/tooth.h5 --deadline 20m`
    """
    if plot is not None:
        refuse_existing(plot, force=force)
    wish = Wish(limits_of(deadline, budget), machines, pilots, queue)
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.cli.shared.estimate_view import show_estimate
    from tomobatch.estimate.estimate import estimate_run
    from tomobatch.fleet.machines import Fleet

    fleet = Fleet()
    config = read_config()
    plans = list(plan_scans(find_scans([scan], config), config).good.values())
    prices = current_prices(fleet, region, offline=offline)
    figures, outputs = known_account(offline=offline)
    if outputs is not None:
        wish = wish.on(outputs)
    ways, way = plan_ways(plans, prices, figures, wish)
    if plot is not None:
        plot_ways(ways, way, plot)
    fleet, where = way.fleet(fleet), way.device
    estimate = estimate_run(plans, prices, fleet, figures, queue=where, device=where)
    if as_json:
        taken = {"children": way.most_children, "pilots": way.pilots, "queue": way.queue}
        typer.echo(json.dumps({**estimate.to_dict(), "way": taken}, indent=1))
        return
    show_front(ways, way, every=front)
    typer.echo(f"{told_plan(ways, way, wish)}\n")
    show_estimate(estimate)
    typer.echo(f"\n{estimate.summary}")


def known_account(*, offline: bool) -> "tuple[dict[str, Figure], dict[str, str] | None]":
    """Return what the runs of the deployment have seen of AWS, and the outputs of its stacks.

    Without a deployment, the dated table, and None.
    """
    from tomobatch.estimate.learn import learn
    from tomobatch.fleet.figures import offline_figures

    if offline:
        return offline_figures(), None
    from tomobatch.aws.runs.seen import read_seen

    try:
        with deployment() as place:
            figures = learn(offline_figures(), read_seen(place))
            return figures, place.outputs
    except UserError:
        # Nothing is deployed yet, or out of reach: the assumptions say that nothing is learnt.
        return offline_figures(), None


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
