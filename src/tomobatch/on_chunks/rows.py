"""What step 2 does to rows: what is missing is filled, and stripes are removed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.fan import rows_to_parallel
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError
from tomobatch.normalise.missing import bridge
from tomobatch.reconstruct.slices import fbp
from tomobatch.stripes.choice import Reconstruct, StripeChoice, choose_removal
from tomobatch.stripes.removal import remove_stripes
from tomobatch.stripes.settings import StripeSettings


def process_rows(
    sinograms: Float32Array,
    angles_rad: npt.NDArray[np.float64],
    settings: StripeSettings,
    choice: StripeChoice,
) -> BoolArray:
    """Fill what is missing in sinograms float32 (y, angle, x) and remove their stripes, in place.

    Returns
    -------
    Which projections were missing, bool (angle,).
    """
    missing = bridge(sinograms, angles_rad)
    remove_stripes(
        sinograms,
        settings.model_copy(update={"method": choice.method}),
        bridges_odd_columns=choice.bridges_odd_columns,
        out=sinograms,
    )
    return missing


def choose_stripes(
    sinograms: Float32Array,
    rows: Sequence[int],
    angles_rad: npt.NDArray[np.float64],
    n_rows: int,
    settings: StripeSettings,
    beam: ConeBeam | None = None,
) -> StripeChoice:
    """Choose what is done against the stripes of a scan, by some of its rows.

    Parameters
    ----------
    sinograms
        float32 (y, angle, x) of those rows; what is missing in them is filled in place.
    rows
        Their numbers in the scan.
    angles_rad
        float64 (angle,), in any order.
    n_rows
        Rows of the scan.
    settings
        What the user asks for.
    beam
        The cone beam, of which rows are judged as rebinned to parallel rays; None of a parallel
        one.
    """
    bridge(sinograms, angles_rad)
    order = np.argsort(angles_rad, kind="stable")
    sinograms, angles_rad = sinograms[:, order], angles_rad[order]

    def reconstruct(cor_px: float) -> Reconstruct:
        return lambda some: fbp(some, angles_rad, cor_px, device="cpu")

    # Where a drift is followed, stripes do not stay in their columns.
    beam = beam and replace(beam, drift_px=())
    cors_px = rough_cors_px(sinograms, rows, angles_rad, n_rows, beam)
    if beam is not None:
        guess_px = float(np.mean(cors_px))
        sinograms, angles_rad = rows_to_parallel(sinograms, angles_rad, guess_px, beam)
    looked_at = (
        (row, sinogram, float(cor_px))
        for row, sinogram, cor_px in zip(rows, sinograms, cors_px, strict=True)
    )
    return choose_removal(looked_at, settings, reconstruct)


def rough_cors_px(
    sinograms: Float32Array,
    rows: Sequence[int],
    angles_rad: npt.NDArray[np.float64],
    n_rows: int,
    beam: ConeBeam | None = None,
) -> npt.NDArray[np.float64]:
    """Return the centre of rotation of some rows: good enough to see rings, which are about it."""
    n_cols = sinograms.shape[2]
    stated = (n_cols - 1) / 2 if beam is None else beam.cor_px(n_cols)
    try:
        evidence = [
            gather_evidence(one[None], angles_rad, row, EvidenceSettings(n_rows, beam=beam))
            for row, one in zip(rows, sinograms, strict=True)
        ]
        # A grey window is not asked for, and few rows would give one.
        settings = CalibrateSettings(grey_window=(0.0, 1.0))
        stated_px = None if beam is None else stated
        found = calibrate(evidence, settings, stated_px).cor_px(np.array(rows))
    except UserError:
        found = np.full(len(rows), stated)
    return np.clip(found, 0, n_cols - 1)
