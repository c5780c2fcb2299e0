"""What the results of a run cost once it is over: to keep them, and to bring them home."""

from collections.abc import Sequence
from dataclasses import dataclass

from tomobatch.estimate.workload import Work
from tomobatch.fleet.prices import Prices
from tomobatch.plan import ScanPlan


@dataclass(frozen=True)
class Afterwards:
    """What results cost once the run is over.

    Attributes
    ----------
    kept_gb, fetched_gb
        What stays on S3, scans included; and what `fetch` brings home, before compression.
    storage_usd_month, egress_usd
        What that costs.
    """

    kept_gb: float
    fetched_gb: float
    storage_usd_month: float
    egress_usd: float


def kept(
    plans: Sequence[ScanPlan], works: Sequence[Sequence[Work]], prices: Prices
) -> tuple[float, Afterwards]:
    """Return the gigabytes that a run has on S3 at its end, and what becomes of its results."""
    written = [{work.step: work.write_mb / 1000 for work in each} for each in works]
    fetched_gb = sum(
        gb
        for each in written
        for step, gb in each.items()
        if step == "reconstruct" or step.startswith("export_")
    )
    scans_gb = sum(
        work.read_mb / 1000
        for each in works
        for work in each
        if work.step in ("average_references", "preprocess")
    )
    between_gb = sum(each["preprocess"] + each["process"] for each in written)
    kept_gb = scans_gb + fetched_gb
    kept_gb += between_gb if all(plan.keep_intermediates for plan in plans) else 0.0
    beside = prices.beside
    return scans_gb + fetched_gb + between_gb, Afterwards(
        kept_gb,
        fetched_gb,
        kept_gb * beside.storage_gb_month,
        fetched_gb * beside.egress_gb,
    )
