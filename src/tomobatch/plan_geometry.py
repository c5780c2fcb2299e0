"""The geometry of the slices that a plan asks for."""

from typing import TYPE_CHECKING

from tomobatch.plan import ScanPlan

if TYPE_CHECKING:
    from tomobatch.reconstruct.geometry import Geometry


def parallel_geometry(plan: ScanPlan) -> "Geometry":
    """Return the geometry of a parallel beam's slices, for an axis in the middle of the detector.

    Raises
    ------
    UserError
        Where the slices asked for do not fit the scan.
    """
    # Brings OpenCL along, for which most plans need not wait.
    from tomobatch.reconstruct.geometry import make_geometry

    chosen = plan.config.reconstruct
    return make_geometry(
        plan.header.angles_rad,
        plan.header.n_cols,
        size_px=plan.whole_slice_px,
        roi=chosen.roi_px,
        binning=chosen.binning,
        mask=chosen.mask,
        half_acquisition=chosen.half_acquisition is True,
    )
