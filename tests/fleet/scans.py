"""Plans of scans of a size, without the scans."""

import numpy as np

from tomobatch.beam import ConeBeam
from tomobatch.config.schema import load_config
from tomobatch.plan import ScanPlan
from tomobatch.plan_scan import plan_scan
from tomobatch.scan.header import AngleSource, ScanHeader


def plan_of_size(
    n_projections: int,
    n_rows: int,
    n_cols: int,
    beam: ConeBeam | None = None,
    **settings: object,
) -> ScanPlan:
    """Plan a scan of 40 flats and 20 darks over half a turn, or a whole one of a cone beam."""
    turn_rad = np.pi if beam is None else 2 * np.pi
    header = ScanHeader(
        path="x.h5",
        format="APS Data Exchange",
        n_projections=n_projections,
        n_rows=n_rows,
        n_cols=n_cols,
        dtype=np.dtype("uint16"),
        angles_rad=np.arange(n_projections) * turn_rad / n_projections,
        angle_source=AngleSource.FILE,
        pixel_size_um=None,
        energy_kev=None,
        n_flats=40,
        n_darks=20,
        known_axis=None,
        beam=beam,
    )
    return plan_scan(load_config({"scans": {"demo": "x.h5"}, **settings}), "demo", header)
