"""Whether the disk of the results can take what a run is going to write."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tomobatch.errors import UserError
from tomobatch.results import EXPORTS, PROJECTIONS, REPORT, SINOGRAMS, VOLUME

if TYPE_CHECKING:
    from tomobatch.plan import ScanPlan
    from tomobatch.stores.layout import ArrayLayout

_SPARE = 1.02
"""Pictures, logs and indices of shards, beside the arrays."""


def foretell_disk(plans: "Mapping[str, ScanPlan]", results: Path) -> None:
    """Say what a run on this machine is going to write.

    Float32 does not compress much where it is noise, so nothing is taken off for that.

    Raises
    ------
    UserError
        If the disk has less than that to spare.
    """
    open_plans = {name: plan for name, plan in plans.items() if _is_open(plan, results / name)}
    needed = sum(
        max(0, _needed(plan) - _there(results / name)) for name, plan in open_plans.items()
    )
    if needed == 0:
        return
    existing = next(path for path in (results, *results.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    told = f"{show_size(needed)} are needed in {results}, {show_size(free)} are free"
    if needed > free:
        raise UserError(f"{told}: free some, or set `results` to another disk")
    typer.echo(f"Up to {told}")


def _is_open(plan: "ScanPlan", results: Path) -> bool:
    """Tell whether there is anything to do, if the user does not ask for more."""
    from tomobatch.stores.finished import why_not_replace

    return (
        not (results / REPORT).is_file() or why_not_replace(str(results), plan.settings) is not None
    )


def _needed(plan: "ScanPlan") -> int:
    volume = [_size(plan.volume_layout.array(level)) for level in range(plan.n_levels)]
    arrays = _size(plan.projections_layout) + _size(plan.sinograms_layout) + sum(volume)
    return math.ceil(_SPARE * (arrays + len(plan.volume.export) * volume[0]))


def _size(layout: "ArrayLayout") -> int:
    return 4 * math.prod(layout.shape)


def _there(folder: Path) -> int:
    names = (PROJECTIONS, SINOGRAMS, VOLUME, *EXPORTS.values())
    files = (file for name in names for file in (folder / name, *(folder / name).rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file())


def show_size(n_bytes: float) -> str:
    """Return a number of bytes in GB or MB."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
