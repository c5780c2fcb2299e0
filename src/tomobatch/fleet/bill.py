"""What AWS bills for machines and all they come with, by the items of one list.

AWS bills a machine by the second from when it runs to its end, a minute at least, at the price in
effect when it began (docs.aws.amazon.com/AWSEC2/latest/UserGuide/concepts.html, "Billing and
purchasing options"); its volume and its address for the same time. A
task on Fargate is billed alike, from when it fetches its image.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tomobatch.fleet.machines import Fleet, is_task
from tomobatch.fleet.prices import H_A_MONTH, BesideMachines

LEAST_BILLED_S = 60.0
"""AWS bills Linux machines by the second, and a minute at least."""


class Item(StrEnum):
    """What a run is billed for."""

    WORK = "work"
    """Machines while they work; the three that follow, while they don't."""
    START = "starting"
    IDLE = "waiting"
    """Between jobs, and what is left of the minute that is billed at least."""
    LINGER = "lingering"
    """After the last job, until AWS Batch ends them."""
    VOLUMES = "volumes"
    ADDRESSES = "addresses"
    REQUESTS = "S3 requests"
    STORAGE = "S3 storage"
    """Of what is there while the run goes on."""
    LOGS = "logs"


Bill = Mapping[Item, float]
"""Dollars by item; an item that is missing is none of the bill's."""


@dataclass(frozen=True)
class Hire:
    """One machine, from when it is billed to its end.

    Attributes
    ----------
    instance_type, market, zone
        What it is.
    begin_s, end_s
        From when it is billed, until when.
    first_s, last_s
        When its first work began, and its last ended; both its end if it had none.
    worked_s
        Of the time between, what work bore: each job the part that it had of the machine.
    """

    instance_type: str
    market: str
    zone: str
    begin_s: float
    end_s: float
    first_s: float
    last_s: float
    worked_s: float

    @property
    def billed_s(self) -> float:
        """The time that is billed."""
        return max(self.end_s - self.begin_s, LEAST_BILLED_S)

    def seconds(self) -> dict[Item, float]:
        """Return the billed seconds by what the machine did; what is left of a minute is idle."""
        start_s = self.first_s - self.begin_s
        linger_s = self.end_s - self.last_s
        return {
            Item.WORK: self.worked_s,
            Item.START: start_s,
            Item.LINGER: linger_s,
            Item.IDLE: max(0.0, self.billed_s - start_s - linger_s - self.worked_s),
        }


@dataclass(frozen=True)
class Traffic:
    """What a run does with S3 and its logs.

    Attributes
    ----------
    puts, gets
        Requests that write or list, and that read.
    stored_gb_h
        Gigabytes on S3 times hours, while it runs.
    logs_gb
        Written to its logs.
    """

    puts: float = 0.0
    gets: float = 0.0
    stored_gb_h: float = 0.0
    logs_gb: float = 0.0


def bill_of(
    hires: Iterable[tuple[Hire, float]], traffic: Traffic, fleet: Fleet, prices: BesideMachines
) -> dict[Item, float]:
    """Return a bill.

    Parameters
    ----------
    hires
        Each machine with its price in dollars an hour.
    traffic
        Beside the machines.
    fleet
        Which tells the machines' volumes.
    prices
        Of all but the machines.
    """
    usd = dict.fromkeys(Item, 0.0)
    machines_h = tasks_h = 0.0
    for hire, usd_h in hires:
        if is_task(hire.instance_type):
            tasks_h += hire.billed_s / 3600
        else:
            machines_h += hire.billed_s / 3600
        for item, seconds in hire.seconds().items():
            usd[item] += seconds / 3600 * usd_h
    usd[Item.VOLUMES] = machines_h * prices.volume_h(fleet.volume_gib, fleet.throughput_mb_s)
    usd[Item.VOLUMES] += tasks_h * prices.task_storage_h(fleet.task_storage_gib)
    usd[Item.ADDRESSES] = (machines_h + tasks_h) * prices.address_h
    usd[Item.REQUESTS] = traffic.puts * prices.put + traffic.gets * prices.get
    usd[Item.STORAGE] = traffic.stored_gb_h * prices.storage_gb_month / H_A_MONTH
    usd[Item.LOGS] = traffic.logs_gb * prices.logs_gb
    return usd


def total(bill: Bill) -> float:
    """Return all of a bill."""
    return sum(bill.values())
