"""Make the plan of a scan from its header; what cannot be is refused before anything runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tomobatch.config.schema import Config
from tomobatch.errors import UserError
from tomobatch.normalise.settings import NO_FLATS
from tomobatch.plan import ScanPlan
from tomobatch.plan_geometry import parallel_geometry
from tomobatch.scan.header import ScanHeader
from tomobatch.scan.open import open_scan


@dataclass(frozen=True)
class Plans:
    """The plans of all scans of a configuration.

    Attributes
    ----------
    good
        By name.
    refused
        Why each other scan cannot be reconstructed, by name.
    """

    good: dict[str, ScanPlan]
    refused: dict[str, str]

    @property
    def refusals(self) -> list[str]:
        """Every refused scan and why, a line each."""
        return [f"scan {name!r}: {why}" for name, why in self.refused.items()]


def read_plans(config: Config, locate: Callable[[str], str]) -> Plans:
    """Plan the jobs of every scan; one that cannot be reconstructed does not keep the others.

    Parameters
    ----------
    config
        All of it.
    locate
        Gives the path or s3:// address of a scan, by name.
    """
    good, refused = {}, {}
    for name in config.scans:
        try:
            good[name] = read_plan(config, name, locate(name))
        except UserError as error:
            refused[name] = str(error)
    unlike = {name: why for name in good if (why := _why_unlike(good, name))}
    return Plans(
        {name: plan for name, plan in good.items() if name not in unlike}, {**refused, **unlike}
    )


def _why_unlike(plans: Mapping[str, ScanPlan], name: str) -> str | None:
    """Say why a scan cannot have the calibration of the one that it names; None where it can."""
    plan = plans[name]
    like = plan.calibrated_like
    if like == name:
        return None
    if like not in plans:
        return f"calibrate.like: {like} is no scan of this run that can be reconstructed"
    other = plans[like]
    if other.calibrated_like != like:
        return f"calibrate.like: {like} has its calibration from {other.calibrated_like}: name that"
    for what in ("n_rows", "n_cols", "pixel_size_um", "beam"):
        ours, theirs = getattr(plan.header, what), getattr(other.header, what)
        if ours != theirs:
            return f"calibrate.like: {what} is {ours}, and {theirs} in {like}"
    return None


def read_plan(config: Config, name: str, path: str) -> ScanPlan:
    """Plan the jobs of one scan from the header that lies at a path or s3:// address.

    Raises
    ------
    UserError
        If the scan can't be read, or the slices asked for do not fit it.
    """
    with open_scan(path, config.scans[name].datasets) as opened:
        return plan_scan(config, name, opened.header)


def plan_scan(config: Config, name: str, header: ScanHeader) -> ScanPlan:
    """Plan the jobs of one scan of the configuration.

    Raises
    ------
    UserError
        Where the slices asked for do not fit the scan, or it has no flats and needs some.
    """
    plan = ScanPlan(name, header, config.scans[name], config.volume, config.keep_intermediates)
    if not header.has_open_beam and plan.config.normalise.input == "counts":
        raise UserError(f"{header.path}: {NO_FLATS}")
    if plan.beam is not None and config.volume.orientation != "sample":
        raise UserError(
            f"{header.path}: volume.orientation: {config.volume.orientation} is that of parallel"
            " beams, and this is a cone beam; give volume.orientation: sample"
        )
    _check_slices(plan)
    _check_axis(plan)
    _ = plan.corrections
    return plan


def _check_axis(plan: ScanPlan) -> None:
    """Refuse an axis that the detector does not see, before anything runs."""
    cor_px, last = plan.config.calibrate.cor_px, plan.header.n_cols - 1
    if cor_px is None or 0 <= cor_px <= last:
        return
    told = f"calibrate.cor_px is {cor_px:g}, outside the detector, whose columns are 0 to {last}"
    columns = plan.header.columns
    if not columns.are_the_detectors:
        told += f" as they are taken (column {cor_px:g} of all is {columns.of_detector(cor_px):g})"
    raise UserError(f"{told}; it is the column of the axis in the middle row")


def _check_slices(plan: ScanPlan) -> None:
    """Refuse now what reconstruct jobs would refuse hours later."""
    if plan.beam is not None:
        plan.cone_geometry()
        return
    chosen = plan.config.reconstruct
    if chosen.roi_px is None and chosen.binning == 1 and chosen.half_acquisition is not True:
        return
    parallel_geometry(plan)
